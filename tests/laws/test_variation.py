"""Control charts: the limits and rules of brute force, and what must hold of any series."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.figures.direction import Polarity
from processors.figures.variation import (
    ControlLimits,
    JudgedMonth,
    Observed,
    SpecialCause,
    Variation,
    assurance,
    judged,
    latest,
)
from tests.reference.variation import charted

NAMES = {"OUTSIDE": "outside", "RUN": "run", "TREND": "trend", "NEAR_LIMIT": "near"}
# Few different values, so that months lie on the mean, on limits and side by side often.
VALUES = st.integers(0, 12).map(Fraction) | st.fractions(0, 200, max_denominator=7)
MONTHS = st.builds(
    Observed,
    st.none() | VALUES | VALUES | VALUES | VALUES,
    st.sampled_from([True] * 8 + [False]),
    st.sampled_from([False] * 12 + [True]),
)
# Runs and trends, which chance would seldom draw.
DRIFTS = st.builds(
    lambda start, step, count: [Observed(Fraction(start + step * it)) for it in range(count)],
    st.integers(-5, 20),
    st.integers(-2, 2),
    st.integers(1, 9),
)
SERIES = st.lists(st.lists(MONTHS, max_size=6) | DRIFTS, max_size=5).map(
    lambda parts: [month for part in parts for month in part]
)
POLARITIES: st.SearchStrategy[Polarity] = st.sampled_from(["H", "L", "T"])


def months(*values: int | None) -> list[Observed]:
    return [Observed(None if it is None else Fraction(it)) for it in values]


def by_hand(series: list[Observed]) -> list[tuple[object, set[tuple[str, int]]]]:
    """(limits, rules met) of each month, stretch by stretch."""
    found: list[tuple[object, set[tuple[str, int]]]] = []
    stretch: list[Fraction | None] = []
    for index, month in enumerate(series):
        stretch.append(month.value if month.is_complete else None)
        if index + 1 == len(series) or series[index + 1].breaks:
            limits, met = charted(stretch)
            found += [(limits, it) for it in met]
            stretch = []
    return found


def told(month: JudgedMonth) -> tuple[object, set[str]]:
    limits = month.limits
    numbers = (limits.lower, limits.mean, limits.upper) if limits else None
    return numbers, {NAMES[cause.name] for cause in month.causes}


@given(SERIES, POLARITIES)
@example(months(0, 0, 0, 0, 50, 50, 50, 0, 0, 1), "H")  # zeros near a limit
@example(months(1, 2, 3, 4, 5, 6, 7), "L")
def test_every_month_meets_the_rules_that_brute_force_finds(
    series: list[Observed], polarity: Polarity
) -> None:
    found, expected = judged(series, polarity), by_hand(series)
    assert [told(it) for it in found] == [
        (limits, {name for name, _ in met}) for limits, met in expected
    ]
    for month, (_, met) in zip(found, expected, strict=True):
        if month.causes:
            assert (NAMES[month.causes[0].name], month.side) in met
    assert [it.observed for it in found] == series


@given(SERIES)
def test_what_is_better_one_way_is_worse_the_other_and_neither_where_no_way_is(
    series: list[Observed],
) -> None:
    high, low, near = (judged(series, it) for it in ("H", "L", "T"))
    other = {
        Variation.IMPROVEMENT: Variation.CONCERN,
        Variation.CONCERN: Variation.IMPROVEMENT,
        Variation.COMMON: Variation.COMMON,
        None: None,
    }
    for one, two, three in zip(high, low, near, strict=True):
        assert two.variation == other[one.variation]
        assert (three.variation is Variation.NEITHER) == bool(one.causes)
        assert one.variation is not Variation.NEITHER


@given(SERIES)
def test_turned_upside_down_it_says_the_same_of_the_other_side(series: list[Observed]) -> None:
    turned = [it._replace(value=None if it.value is None else -it.value) for it in series]
    for one, other in zip(judged(series, "H"), judged(turned, "L"), strict=True):
        assert (one.causes, one.variation) == (other.causes, other.variation)


@given(SERIES, SERIES)
def test_what_was_before_a_break_says_nothing_of_what_is_after(
    before: list[Observed], after: list[Observed]
) -> None:
    if after:
        after = [after[0]._replace(breaks=True), *after[1:]]
        assert judged([*before, *after], "H")[len(before) :] == judged(after, "H")


@given(SERIES, VALUES)
def test_a_month_that_is_not_complete_changes_nothing(
    series: list[Observed], value: Fraction
) -> None:
    found = judged([*series, Observed(value, is_complete=False)], "H")
    assert found[:-1] == judged(series, "H")
    assert (found[-1].causes, found[-1].variation) == ((), None)
    assert latest(found) is latest(found[:-1]) or latest(found) == latest(found[:-1])


@given(VALUES, VALUES, VALUES)
def test_a_target_beyond_a_limit_is_passed_or_failed_always_and_between_them_hit_or_missed(
    mean: Fraction, reach: Fraction, target: Fraction
) -> None:
    limits = ControlLimits(mean, mean - reach, mean + reach, 24)
    chance = {mean - reach, mean, mean + reach}
    always_higher = all(it > target for it in chance)
    always_lower = all(it < target for it in chance)
    expected = (
        ("consistently passes", "consistently fails")
        if always_higher
        else ("consistently fails", "consistently passes")
        if always_lower
        else ("hit or miss", "hit or miss")
    )
    assert tuple(assurance(limits, target, it) for it in ("H", "L")) == expected
    assert assurance(limits, target, "T") is None
    assert assurance(limits, None, "H") is None
    assert assurance(None, target, "H") is None


def test_limits_are_trial_limits_below_twelve_months() -> None:
    assert [it.limits.is_trial for it in judged(months(*range(11)), "H") if it.limits] == [
        True
    ] * 11
    firm = judged(months(*range(12)), "H")
    assert {it.limits.is_trial for it in firm if it.limits} == {False}


@pytest.mark.parametrize("values", [(), (5,), (None, 5, None), (5, None, 5)])
def test_there_are_no_limits_without_two_months_side_by_side(
    values: tuple[int | None, ...],
) -> None:
    for month in judged(months(*values), "H"):
        assert (month.limits, month.variation, month.causes) == (None, None, ())


def test_the_limits_are_those_of_the_worked_example_by_hand() -> None:
    """Mean 12; moving ranges 2, 4, 2, 4 and 8 are 4 on average, and 2.66 times that is 10.64."""
    (first, *_) = judged(months(12, 14, 10, 12, 16, 8), "H")
    assert first.limits is not None
    assert [float(it) for it in (first.limits.lower, first.limits.mean, first.limits.upper)] == [
        1.36,
        12,
        22.64,
    ]


def test_one_outlier_stays_in_the_limits() -> None:
    series = judged(months(*[10, 11] * 6, 100), "L")
    assert series[-1].limits is not None
    assert series[-1].limits.months == 13
    assert series[-1].causes == (SpecialCause.OUTSIDE,)
    assert series[-1].variation is Variation.CONCERN


def test_a_trend_is_judged_by_its_way_also_where_it_crosses_the_mean() -> None:
    rising = judged(months(*range(1, 8)), "H")
    assert all(SpecialCause.TREND in it.causes for it in rising)
    assert rising[2].variation is Variation.IMPROVEMENT
