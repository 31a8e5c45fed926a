"""A figure by month: which months are judged, against which target, and why some never are."""

import csv
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from typer.testing import CliRunner

from processors.behind.counted_rows import Question
from processors.days.calendar import calendar, day_number
from processors.figures.evaluate import Figure
from processors.figures.needed import Needed
from processors.figures.series import (
    CellOf,
    Dated,
    Reach,
    Series,
    is_over,
    months_until,
    series,
)
from processors.figures.spread import spread
from processors.figures.variation import Assurance, Variation
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import ALL_AGES, load_catalogue
from schemas.places import Place, load_places
from schemas.release import Release
from snapshots.publish.text.view import View
from streams.cli import app
from streams.jobs.replay import Replay
from streams.jobs.series_by_month import released_series
from streams.jobs.series_words import needed_words, series_words
from streams.serving.charts.control_chart import ControlChart
from streams.serving.charts.drawing import svg
from tests.support.examples import good_lines, log_file
from tests.support.october_releases import earlier_months, october

RULES = Rules(load_catalogue(), load_areas(), places=load_places())
KENT = Place("county", "Kent")
OCTOBER = date(2015, 10, 31)


def cell(code: str) -> CellOf:
    return next(it for it in RULES.catalogue.indicator if it.code == code), KENT, ALL_AGES


def of_values(
    code: str, values: Sequence[int], target: int | None = None, first: date = date(2000, 1, 1)
) -> Series:
    """Counts of months up to October 2015, with data to its last working day."""
    dates = months_until(OCTOBER, len(values))
    aim = None if target is None else Fraction(target)
    figures = [
        Dated(day, Figure(it, it, (it, 1), "reported"), aim)
        for day, it in zip(dates, values, strict=True)
    ]
    reach = Reach(first, date(2015, 10, 30), date(2015, 11, 1))
    return series(RULES, cell(code), figures, reach)


@pytest.mark.parametrize(
    ("day", "today", "latest", "expected"),
    [
        (OCTOBER, date(2015, 11, 1), date(2015, 10, 30), True),
        (OCTOBER, date(2015, 11, 1), date(2015, 10, 29), False),  # data stop short of it
        (OCTOBER, OCTOBER, date(2015, 10, 31), False),  # the month is not over yet
        (date(2015, 10, 30), date(2015, 11, 1), date(2015, 11, 1), False),  # no month's end
        (OCTOBER, date(2015, 11, 1), None, False),
    ],
)
def test_a_month_is_over_once_its_days_are_and_data_have_come_to_its_last_working_day(
    day: date, today: date, latest: date | None, expected: bool
) -> None:
    assert is_over(calendar(), day, Reach(date(2015, 1, 1), latest, today)) is expected


def test_where_months_are_suppressed_variation_is_not_judged() -> None:
    figures = [
        Dated(day, Figure(None, None, (7, 1), "reported"), None)
        for day in months_until(OCTOBER, 13)
    ]
    reach = Reach(date(2000, 1, 1), date(2015, 10, 30), date(2015, 11, 1))
    assert series(RULES, cell("EH05"), figures, reach).limits is not None
    figures[3] = figures[3]._replace(figure=Figure(None, None, (0, 0), "suppressed"))
    found = series(RULES, cell("EH05"), figures, reach)
    assert found.limits is None
    assert series_words(found) == [
        "Variation is not judged: some months are suppressed, and limits of the rest would mislead."
    ]
    assert "[c] suppressed" in {row[1] for row in ControlChart("EH05", found).table.rows}


def test_months_before_anything_is_counted_enter_no_limit() -> None:
    known = of_values("EH05", [10, 12, 11, 12])
    longer = of_values("EH05", [0, 0, 10, 12, 11, 12], first=date(2015, 7, 1))
    assert [it.is_complete for it in longer.months] == [False, False, True, True, True, True]
    assert longer.limits == known.limits
    assert longer.limits is not None
    assert longer.limits.months == 4


def test_the_last_complete_month_stands_for_the_series() -> None:
    found = of_values("EH17", [10, 12, 11] * 5 + [60], target=14)
    assert found.latest is not None
    assert found.latest.day == OCTOBER
    assert found.latest.judged.variation is Variation.CONCERN
    assert found.assurance is Assurance.HIT_OR_MISS
    words = series_words(found)
    assert words[0] == (
        "October 2015: 60, concern, worse than the usual ups and downs explain "
        "(outside the limits)."
    )
    assert "from 16 complete months, outliers included" in words[1]
    assert words[2].startswith("Target 14: hit or miss;")


@pytest.mark.parametrize(("code", "why"), [("CEH03", "April"), ("CEH50", "twelve months")])
def test_months_that_are_no_separate_ones_are_not_judged(code: str, why: str) -> None:
    found = of_values(code, [1, 2, 3, 4, 90], target=3)
    assert found.limits is None
    assert found.assurance is None
    (sentence,) = series_words(found)
    assert sentence.startswith("Variation is not judged:")
    assert why in sentence


def test_a_figure_of_the_last_three_months_says_so() -> None:
    found = of_values("EH10", [10, 12, 11, 12])
    assert found.caution is not None
    assert "last 3 months" in found.caution
    assert of_values("EH05", [10, 12]).caution is None


def test_few_months_say_trial_limits_and_none_says_there_are_none() -> None:
    assert any("Trial limits" in it for it in series_words(of_values("EH05", [10, 12, 11])))
    assert series_words(of_values("EH05", [10])) == [
        "No limits yet: they need two complete months side by side."
    ]


@pytest.mark.parametrize("code", ["EH10", "EH11", "EH12"])
def test_the_list_behind_an_average_has_the_average_as_its_mean(code: str) -> None:
    replay = Replay(RULES)
    replay.add(good_lines(log_file("messy-11")))
    indicator, place, band = cell(code)
    day = date(2015, 10, 17)
    ((_, figure, _),) = replay.series([day], (indicator, place, band))
    behind = replay.behind(Question(indicator, place, band, day_number(day)))
    found = spread((it.numerator, it.denominator) for it in behind)
    assert found is not None
    assert found.mean == Fraction(*figure.value)


def test_the_command_shows_what_variation_says_of_complete_months() -> None:
    chosen = ["trend", "EH05", "--as-of", "2015-10-17", "--format", "csv"]
    run = CliRunner().invoke(app, [*chosen, "--file", str(log_file("messy-11"))])
    assert run.exit_code == 0, run.output
    rows = list(csv.DictReader(run.stdout.splitlines()))
    assert (rows[-1]["complete"], rows[-1]["variation"]) == ("no", "")
    assert {it["variation"] for it in rows if it["complete"] == "yes"} <= {*Variation}
    assert any(it["variation"] for it in rows)


def test_a_released_series_breaks_where_the_indicator_was_defined_otherwise() -> None:
    view = View(october(), [otherwise(it) for it in earlier_months()])
    found = released_series(view, RULES, cell("EH16"))
    values = [it.judged.observed.value for it in found.months]
    assert [None if it is None else float(it) for it in values] == [
        it.shown.value for it in view.trend("EH16", "Kent")
    ]
    breaks = [it.day for it in found.months if it.judged.observed.breaks]
    assert breaks == [date(2015, 8, 31)]
    assert found.limits is not None
    assert found.limits.months == 3  # August, September and October
    assert ">defined otherwise from here</text>" in svg(ControlChart("released", found))


def otherwise(release: Release) -> Release:
    """A release in which, until July, EH16 was defined otherwise."""
    if release.period > "2015-07":
        return release
    shapes = (
        it.model_copy(update={"definition": "Another one."}) if it.code == "EH16" else it
        for it in release.indicators
    )
    return release.model_copy(update={"indicators": tuple(shapes)})


def test_what_would_meet_a_target_is_said_in_a_sentence() -> None:
    share, days = cell("EH16")[0], cell("EH12")[0]
    assert needed_words(share, Needed(12, True), Fraction(155, 2)) == (
        "12 more would meet the target of 77.5%."
    )
    assert needed_words(share, Needed(3, False), Fraction(101)).startswith(
        "The target of 101.0% is out of reach: it would take 3 more."
    )
    assert needed_words(days, Needed(-1_400, True), Fraction(120)) == (
        "1,400 fewer days in all would meet the target of 120.0."
    )
    assert needed_words(days, Needed(0, True), Fraction(120)) == "The target of 120.0 is met."
