"""One indicator: what it is, its figures at every place, and over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from http import HTTPStatus

from markupsafe import Markup

from processors.behind.counted_rows import Question
from processors.days.calendar import FIRST_YEAR, day_number, previous_month_end
from processors.figures.asking import (
    AskedRows,
    NotThere,
    RowChoice,
    check_within_calendar,
    indicator_of,
    known,
    place_of,
)
from processors.figures.evaluate import Figure, value_alone
from processors.figures.needed import needed
from processors.figures.series import CellOf, Series, months_until
from processors.figures.spread import spread
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, BANDS, Indicator
from schemas.outward import csv_text
from schemas.places import Place
from schemas.scorecard import ScorecardRow
from snapshots.publish.text.wording import band_title
from streams.jobs.series_rows import MONTH_COLUMNS, TREND_COLUMNS, dated_row, month_row
from streams.jobs.series_words import needed_words
from streams.serving.answers import Answer, is_held, unchanged
from streams.serving.charts.bar_chart import BandChart, SpreadChart
from streams.serving.charts.control_chart import ControlChart
from streams.serving.charts.drawing import figure
from streams.serving.data_answers import as_json, told_of
from streams.serving.freshness import Freshness
from streams.serving.live_figures import PeriodCommentary
from streams.serving.parameters import Query, with_query
from streams.serving.problems import Problem, wrong_parameter
from streams.serving.roles import CSV, SEE_CASES
from streams.serving.scorecard_page import MARKS, PlaceTable, options, tables
from streams.serving.site import Call, LiveSite

# Ten years of months, or a year and more of days.
MOST_DATES = 400
USUAL_COUNT = 13
MONTH, DAY = "month", "day"
BY_DAY_FOR = (
    "figures by day are for who sees those of {place} in full, since from one day to the next they "
    "show what changed; ask for those by month"
)
# Months that a page shows.
SHOWN_MONTHS = 24
# What `show` asks for.
DISTRIBUTION = "distribution"


@dataclass(frozen=True)
class AskedCell:
    """The cell that is asked for."""

    indicator: Indicator
    place: Place
    band: str

    @property
    def whole(self) -> CellOf:
        """It as a series takes it."""
        return self.indicator, self.place, self.band


def cell_asked(site: LiveSite, asked: Query) -> AskedCell:
    """The cell that a question names, of the whole where it names no place. Raises Problem."""
    code = asked.single("code")
    if code is None:
        raise wrong_parameter("code", "which indicator?")
    try:
        return _cell(site, asked, indicator_of(site.rules, code))
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error


def indicator_named(rules: Rules, call: Call) -> Indicator:
    """The indicator that an address names. Raises Problem."""
    try:
        return indicator_of(rules, str(call.path["code"]))
    except NotThere as error:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no indicator of that code") from error


def band_asked(asked: Query, indicator: Indicator) -> str:
    """The age band that a question names, all ages where it names none. Raises Problem."""
    try:
        (band,) = known([asked.single("age_band") or ALL_AGES], BANDS, "age_band")
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    if indicator.bands == "none" and band != ALL_AGES:
        raise wrong_parameter("age_band", f"{indicator.code} is of all ages alone")
    return band


def _cell(site: LiveSite, asked: Query, indicator: Indicator) -> AskedCell:
    """The cell of an indicator. Raises Problem."""
    band = band_asked(asked, indicator)
    try:
        name = asked.single("place")
        level = asked.single("level")
        if name is None:
            place = _usual_place(site, indicator, level)
        else:
            place = place_of(site.rules, indicator, name, level)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    return AskedCell(indicator, place, band)


def _usual_place(site: LiveSite, indicator: Indicator, level: str | None) -> Place:
    """The first place that an indicator is a figure of, from the top down."""
    known([level] if level else None, site.rules.graph.levels, "level")
    there = [it for it in site.rules.graph.known() if it.level in indicator.levels]
    if not there:
        raise NotThere("place", f"{indicator.code} is a figure of {', '.join(indicator.levels)}")
    if level not in {None, there[0].level}:
        raise NotThere("level", f"{level}: which place of that kind? add place")
    return there[0]


async def series(site: LiveSite, call: Call) -> Answer:
    """A figure over time."""
    taking, asked = call.taking, call.asked
    cell = cell_asked(site, asked)
    by, count = _steps(asked)
    if by == DAY and not call.identity.sees(cell.place.name, site.rules.areas):
        raise Problem(HTTPStatus.FORBIDDEN, BY_DAY_FOR.format(place=cell.place.name))
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    columns, rows = await _rows(site, call, cell, fresh, (by, count))
    if taking.media == CSV:
        text = csv_text([columns, *rows])
    else:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        what = {"code": cell.indicator.code, "place": cell.place.name, "level": cell.place.level}
        text = as_json({**told_of(fresh), **what, "age_band": cell.band, "series": named})
    return await site.answer(fresh, call, text, tag)


def _steps(asked: Query) -> tuple[str, int]:
    by, count = asked.one("by") or MONTH, asked.one("count") or str(USUAL_COUNT)
    if by not in {MONTH, DAY}:
        raise wrong_parameter("by", f"{by}: there are {MONTH}, {DAY}")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_DATES):
        raise wrong_parameter("count", f"{count} is no number from 1 to {MOST_DATES}")
    return by, int(count)


async def _rows(
    site: LiveSite, call: Call, cell: AskedCell, fresh: Freshness, steps: tuple[str, int]
) -> tuple[Sequence[str], list[list[object]]]:
    """The rows of a series, those of the command `trend`. Raises Problem."""
    by, count = steps
    if by == DAY:
        dates = [fresh.day - timedelta(days=back) for back in range(count - 1, -1, -1)]
        _check(dates)
        days = await site.figures.days(dates, cell.whole)
        return TREND_COLUMNS, [dated_row(cell.indicator, it) for it in days]
    dates = months_until(fresh.day, count)
    _check(dates)
    (found,) = await site.figures.months([cell.whole], dates, fresh.today, call.identity)
    return MONTH_COLUMNS, [month_row(cell.indicator, it) for it in found.months]


def _check(dates: Sequence[date]) -> None:
    try:
        check_within_calendar(dates[0])
    except NotThere as error:
        raise wrong_parameter("count", str(error)) from error


async def indicator_page(site: LiveSite, call: Call) -> Answer:
    """What an indicator is, its figures at every place, and over time."""
    asked, indicator = call.asked, indicator_named(site.rules, call)
    cell, code = _cell(site, asked, indicator), indicator.code
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call, code)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    scorecard = await site.figures.shown(fresh.day, fresh.moment, call.identity)
    cell_query = partial(asked.query, show=None, code=code)
    waits = await _waits(site, call, cell, fresh)
    # A page that looks at every case is not made anew with each event.
    live = {} if waits and waits.is_asked else {"is_live": True}
    text = site.page(
        "indicator.html",
        call,
        call.identity,
        **live,
        fresh=fresh,
        indicator=indicator,
        cell=cell,
        places=_places(site, cell, scorecard.rows),
        bands=_bands(site, cell, scorecard.rows),
        by_band=_by_band(cell, scorecard.rows),
        waits=waits,
        compare_address=_compare_address(site, cell, asked),
        past=await _past(site, call, cell, fresh),
        commentary=await _commentary(site, call, cell, fresh),
        options=options(site.rules, _of_code(code, scorecard.rows)),
        live_address=address_of(code, asked.query(as_of=None)),
        series_query=cell_query(place=cell.place.name, count=str(SHOWN_MONTHS)),
        lists_cases=cell.indicator.source == "events" and bool(SEE_CASES & call.identity.roles),
        why=_why(cell, fresh, asked),
        cases_query=cell_query(place=cell.place.name, level=cell.place.level),
        legend=MARKS,
    )
    return await site.answer(fresh, call, text, tag)


def _of_code(code: str, rows: list[ScorecardRow]) -> list[ScorecardRow]:
    return [row for row in rows if row.code == code and row.status != "not-at-this-level"]


def _places(site: LiveSite, cell: AskedCell, rows: list[ScorecardRow]) -> list[PlaceTable]:
    """The figure of each place in the band."""
    found = [it for it in _of_code(cell.indicator.code, rows) if it.age_band == cell.band]
    return tables(site.rules, found)


def _bands(site: LiveSite, cell: AskedCell, rows: list[ScorecardRow]) -> list[PlaceTable]:
    """The figures of the place in each band. Raises Problem where it has none."""
    code, place = cell.indicator.code, cell.place
    asked = AskedRows(codes=[code], levels=[place.level], places=[place.name])
    try:
        found = RowChoice(site.rules, asked).chosen(rows)
    except NotThere as error:  # such as a provider that no event has named
        raise wrong_parameter(error.name, str(error)) from error
    return tables(site.rules, found)


@dataclass(frozen=True)
class DrawnBands:
    """The chart of a figure by age band, and the bands that it leaves out."""

    drawn: Markup
    left_out: list[str]


def _by_band(cell: AskedCell, rows: Sequence[ScorecardRow]) -> DrawnBands | None:
    """The chart of the place's age bands; None where none of them can be drawn."""
    place, indicator = cell.place, cell.indicator
    found = [
        row
        for row in rows
        if (row.code, row.level, row.area) == (indicator.code, place.level, place.name)
        and row.age_band != ALL_AGES
    ]
    shown = [row for row in found if row.status != "suppressed"]
    if not any(row.value is not None for row in shown):
        return None
    chart = BandChart("bands", indicator, place.name, tuple((it.age_band, _of(it)) for it in shown))
    left_out = [band_title(row.age_band) for row in found if row not in shown]
    return DrawnBands(figure(chart), left_out)


def _of(row: ScorecardRow) -> Figure:
    """A row's figure as it is shown: a value alone, or none."""
    return value_alone(row.value, "not-available" if row.value is None else "reported")


@dataclass(frozen=True)
class Waits:
    """What lies behind an average: where to ask for it, and its chart once it is asked for."""

    address: str
    is_asked: bool
    drawn: Markup | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it is asked for and there is nothing."""
        return self.is_asked and self.drawn is None


async def _waits(site: LiveSite, call: Call, cell: AskedCell, fresh: Freshness) -> Waits | None:
    """What an average of days is of; None for who may not, and of anything else. Raises Problem."""
    indicator, shown = cell.indicator, call.asked.one("show")
    is_average = indicator.unit == "days" and isinstance(indicator.denominator, dict)
    if shown not in {None, DISTRIBUTION}:
        raise wrong_parameter("show", f"{shown}: there is {DISTRIBUTION}")
    if shown and not is_average:
        raise wrong_parameter("show", f"{indicator.code} is no average of days")
    if not is_average or not SEE_CASES & call.identity.roles:
        if shown:
            raise Problem(HTTPStatus.FORBIDDEN, "the cases behind an average are for analysts")
        return None
    address = address_of(indicator.code, call.asked.query(show=DISTRIBUTION))
    if not shown:
        return Waits(address, is_asked=False)
    question = Question(indicator, cell.place, cell.band, day_number(fresh.day))
    found = await site.cases.amounts(question)
    values = spread(found.pairs)
    if values is None:
        return Waits(address, is_asked=True)
    drawn = figure(SpreadChart("waits", indicator, cell.place.name, values))
    return Waits(address, is_asked=True, drawn=drawn)


@dataclass(frozen=True)
class Past:
    """The chart of a cell's months, and what would meet its target now."""

    drawn: Markup
    needed: str


async def _past(site: LiveSite, call: Call, cell: AskedCell, fresh: Freshness) -> Past:
    """Its months as who asks may see them, with their chart and table."""
    dates = [it for it in months_until(fresh.day, SHOWN_MONTHS) if it.year > FIRST_YEAR]
    (found,) = await site.figures.months([cell.whole], dates, fresh.today, call.identity)
    return Past(figure(ControlChart(cell.indicator.code, found)), _needed(cell.indicator, found))


async def _commentary(
    site: LiveSite, call: Call, cell: AskedCell, fresh: Freshness
) -> list[PeriodCommentary]:
    """What was written beside the figure; for who sees the place in full, as texts tell numbers."""
    code, place = cell.indicator.code, cell.place.name
    if not call.identity.sees(place, site.rules.areas):
        return []
    found = await site.figures.commentary(fresh.day)
    return [it for it in found if (it.said.code, it.said.area) == (code, place)]


def _needed(indicator: Indicator, found: Series) -> str:
    """What would meet the target of the date, in a sentence; nothing where that cannot be said."""
    now = found.months[-1]
    target: Fraction | None = now.target
    said = needed(indicator, now.figure, target) if target is not None else None
    return needed_words(indicator, said, target) if said and target is not None else ""


def _why(cell: AskedCell, fresh: Freshness, asked: Query) -> list[tuple[str, str]]:
    """Since when it may be asked why the figure changed, in words, and where."""
    yesterday, month_end = fresh.day - timedelta(days=1), previous_month_end(fresh.day)
    own = {"code": cell.indicator.code, "place": cell.place.name, "level": cell.place.level}
    since = {"the day before": str(yesterday), "the end of the month before": str(month_end)}
    found = [
        (words, with_query("/explanations", asked.query(**own, show=None, against=day)))
        for words, day in since.items()
    ]
    release = fresh.release
    if release and release.kind != "withdrawn":
        name = f"{release.period}/{release.number}"
        query = asked.query(**own, show=None, as_of=None, against=name)
        found.append((f"release {name}", with_query("/explanations", query)))
    return found


def _compare_address(site: LiveSite, cell: AskedCell, asked: Query) -> str:
    is_top = cell.place.level == site.rules.areas.levels[0]
    level = None if is_top else cell.place.level
    query = asked.query(place=None, show=None, level=level)
    return with_query(f"/compare/{cell.indicator.code}", query)


def address_of(code: str, query: str) -> str:
    """Where an indicator is shown."""
    return with_query(f"/indicators/{code}", query)
