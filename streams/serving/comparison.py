"""One indicator at every place of a kind: side by side and round the whole, and never ranked."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from processors.days.calendar import FIRST_YEAR
from processors.figures.asking import NotThere, known
from processors.figures.funnel import PlaceShare
from processors.figures.series import months_until
from processors.rules import Rules
from schemas.catalogue import BANDS, Indicator
from schemas.places import Place
from schemas.scorecard import ScorecardRow
from streams.serving.answers import Answer, is_held, unchanged
from streams.serving.charts.drawing import figure
from streams.serving.charts.funnel_chart import FunnelChart
from streams.serving.charts.places_chart import PlacesChart
from streams.serving.freshness import Freshness
from streams.serving.indicator_answers import SHOWN_MONTHS, band_asked, indicator_named
from streams.serving.parameters import with_query
from streams.serving.problems import wrong_parameter
from streams.serving.scorecard_page import MARKS, MOST_PLACES, level_name, tables
from streams.serving.site import Call, LiveSite

NOT_JUDGED = "A funnel is drawn round the figure of {top}, and there is none that can be shown."


@dataclass(frozen=True)
class ComparedPlaces:
    """What is compared: an indicator's figures in a band, at places of a level."""

    indicator: Indicator
    level: str
    band: str

    def rows(self, rows: Sequence[ScorecardRow], level: str) -> list[ScorecardRow]:
        """Its rows at a level, in the order of the catalogue of places."""
        return [
            row
            for row in rows
            if (row.code, row.age_band, row.level) == (self.indicator.code, self.band, level)
            and row.status != "not-at-this-level"
        ]


@dataclass(frozen=True)
class DrawnPlaces:
    """A chart of places, which of them it leaves out, and why there is none."""

    drawn: Markup | None
    left_out: list[str]
    more: int = 0
    why_not: str = ""


async def compare_page(site: LiveSite, call: Call) -> Answer:
    """Every place of a kind: the figures, a funnel of proportions, and month by month."""
    asked = call.asked
    compared = _compared(site.rules, call)
    indicator = compared.indicator
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call, indicator.code)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    scorecard = await site.figures.shown(fresh.day, fresh.moment, call.identity)
    rows = compared.rows(scorecard.rows, compared.level)
    text = site.page(
        "compare.html",
        call,
        call.identity,
        fresh=fresh,
        is_live=True,
        indicator=indicator,
        level=compared.level,
        band=compared.band,
        bands=tuple(BANDS),
        levels=[(it, level_name(site.rules, it)) for it in _levels(site.rules, indicator)],
        places_title=level_name(site.rules, compared.level),
        places=tables(site.rules, rows),
        suppressed=[row.area for row in rows if row.status == "suppressed"],
        funnel=_funnel(site.rules, compared, rows, scorecard.rows),
        multiples=await _multiples(site, call, compared, rows, fresh),
        live_address=_address("compare", indicator, asked.query(as_of=None)),
        indicator_address=_address("indicators", indicator, asked.query(level=None)),
        legend=MARKS,
    )
    return await site.answer(fresh, call, text, tag)


def _compared(rules: Rules, call: Call) -> ComparedPlaces:
    """What a question compares. Raises Problem."""
    indicator = indicator_named(rules, call)
    try:
        levels = _levels(rules, indicator)
        asked = call.asked.single("level")
        (level,) = known([asked or _usual_level(rules, levels)], levels, "level")
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    return ComparedPlaces(indicator, level, band_asked(call.asked, indicator))


def _levels(rules: Rules, indicator: Indicator) -> list[str]:
    """The kinds of place that have others beside them, from the top down."""
    top = rules.areas.levels[0]
    return [it for it in rules.graph.levels if it in indicator.levels and it != top]


def _usual_level(rules: Rules, levels: Sequence[str]) -> str:
    """The smallest areas; the first kind of place where it is a figure of no area."""
    areas = [it for it in levels if it in rules.areas.levels]
    return [*levels[:1], *areas][-1] if levels else ""


def _funnel(
    rules: Rules,
    compared: ComparedPlaces,
    rows: Sequence[ScorecardRow],
    every: Sequence[ScorecardRow],
) -> DrawnPlaces | None:
    """Places round the whole; None for what is no proportion."""
    if compared.indicator.unit != "percent":
        return None
    top = rules.areas.levels[0]
    wholes = [it for row in compared.rows(every, top) if (it := _share(row))]
    found = {row.area: _share(row) for row in rows}
    shares = tuple(it for it in found.values() if it)
    left_out = [name for name, it in found.items() if it is None]
    if not wholes or not shares or not wholes[0].is_proportion:
        return DrawnPlaces(None, [], why_not=NOT_JUDGED.format(top=rules.areas.top))
    chart = FunnelChart("funnel", compared.indicator, wholes[0], shares)
    return DrawnPlaces(figure(chart), left_out)


def _share(row: ScorecardRow) -> PlaceShare | None:
    """So many of so many, where whole numbers of both are shown."""
    above, below = row.numerator, row.denominator
    if above is None or below is None or above != int(above) or below != int(below):
        return None
    return PlaceShare(row.area, int(above), int(below))


async def _multiples(
    site: LiveSite,
    call: Call,
    compared: ComparedPlaces,
    rows: Sequence[ScorecardRow],
    fresh: Freshness,
) -> DrawnPlaces:
    """The months of each place, on one scale."""
    cells = [
        (compared.indicator, Place(row.level, row.area), compared.band)
        for row in rows[:MOST_PLACES]
    ]
    if not cells:
        return DrawnPlaces(None, [])
    dates = [it for it in months_until(fresh.day, SHOWN_MONTHS) if it.year > FIRST_YEAR]
    found = await site.figures.months(cells, dates, fresh.today, call.identity)
    drawn = figure(PlacesChart("places", tuple(found)))
    return DrawnPlaces(drawn, [], more=len(rows[MOST_PLACES:]))


def _address(page: str, indicator: Indicator, query: str) -> str:
    return with_query(f"/{page}/{indicator.code}", query)
