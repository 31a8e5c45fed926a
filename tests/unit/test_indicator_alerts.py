"""Alerts on indicators hold on to what they said until a value is clearly another."""

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.facts.columns import UNKNOWN_BAND
from processors.figures.rating import YearTarget
from processors.ledger.tables import Stock, keys
from processors.places.indicator_places import WatchedFigure, figures, news, state_of
from processors.places.sums import WatchedPlace
from processors.rules import Rules
from schemas.alerts import AlertState, IndicatorChange
from schemas.places import NOWHERE, Locality
from schemas.standards import IndicatorStandard

TODAY = date(2015, 10, 20)
STATES: list[AlertState | None] = [None, "due-soon", "breached", "resolved"]


@pytest.fixture
def outcomes(rules: Rules) -> IndicatorStandard:
    """80 % closed with outcomes achieved, at risk up to 85, clear from 82, of 10 or more."""
    return rules.standards.indicator_standard[0]


def figure(
    rules: Rules, standard: IndicatorStandard, numerator: int, denominator: int, place: str = "Kent"
) -> WatchedFigure:
    indicator = next(it for it in rules.catalogue.indicator if it.code == standard.indicator)
    flow = rules.catalogue.period_of(indicator)
    return WatchedFigure(
        standard, indicator, WatchedPlace(place), numerator, denominator, standard.target, flow
    )


@pytest.mark.parametrize(
    ("numerator", "denominator", "before", "after"),
    [
        (7, 9, None, None),  # too few cases
        (7, 9, "breached", None),
        (79, 100, None, "breached"),
        (80, 100, None, "due-soon"),  # at the target meets it
        (80, 100, "breached", "breached"),  # but not clearly
        (81, 100, "breached", "breached"),
        (82, 100, "breached", "due-soon"),
        (84, 100, None, "due-soon"),
        (85, 100, None, None),
        (85, 100, "due-soon", "due-soon"),
        (86, 100, "breached", "due-soon"),
        (87, 100, "due-soon", None),
        (87, 100, "breached", None),
        (85, 100, "resolved", None),
        (100, 100, "breached", None),
    ],
)
def test_state_follows_value_with_a_margin(
    rules: Rules,
    outcomes: IndicatorStandard,
    numerator: int,
    denominator: int,
    before: AlertState | None,
    after: AlertState | None,
) -> None:
    assert state_of(figure(rules, outcomes, numerator, denominator), before) == after


@given(st.data())
def test_a_value_within_the_margins_never_changes_a_state_back_and_forth(
    rules: Rules, data: st.DataObject
) -> None:
    standard = rules.standards.indicator_standard[0]
    hovering = st.integers(800, 819)  # from the target up to, not including, what clears it
    state: AlertState | None = "breached"
    for numerator in data.draw(st.lists(hovering, min_size=1)):
        state = state_of(figure(rules, standard, numerator, 1000), state)
        assert state == "breached"


@given(
    st.integers(0, 200), st.integers(0, 200), st.sampled_from(STATES), st.sampled_from(["H", "L"])
)
def test_what_is_worse_than_its_target_is_breached_and_what_is_far_better_is_not(
    rules: Rules, part: int, rest: int, before: AlertState | None, polarity: str
) -> None:
    standard = rules.standards.indicator_standard[0]
    it = figure(rules, standard, part, part + rest)
    it = it._replace(indicator=it.indicator.model_copy(update={"polarity": polarity}))
    state = state_of(it, before)
    if part + rest < standard.least_denominator:
        assert state is None
        return
    value = Fraction(100 * part, part + rest)
    above = value - 80 if polarity == "H" else 80 - value
    if above < 0:
        assert state == "breached"
    if above >= 7:
        assert state is None


def told(changes: dict[str, IndicatorChange]) -> list[tuple[str, str, int, str | None]]:
    return [(it.area, it.state, it.version, it.reason) for it in changes.values()]


def test_a_change_is_told_once_and_the_month_ends_what_is_active(
    rules: Rules, outcomes: IndicatorStandard
) -> None:
    bad, good = figure(rules, outcomes, 5, 10, "Dover"), figure(rules, outcomes, 10, 10, "Dover")
    first = news([bad], {}, TODAY)
    assert told(first) == [("Dover", "breached", 1, None)]
    assert news([bad], first, TODAY) == {}
    better = news([good], first, TODAY)
    assert told(better) == [("Dover", "resolved", 2, "recovered")]
    assert news([good], better, TODAY) == {}
    again = news([bad], better, TODAY)
    assert told(again) == [("Dover", "breached", 3, None)]
    few = news([figure(rules, outcomes, 0, 0, "Dover")], again, TODAY)
    assert told(few) == [("Dover", "resolved", 4, "too-few")]
    november = news([bad], again, date(2015, 11, 1))
    assert sorted(told(november)) == [
        ("Dover", "breached", 1, None),
        ("Dover", "resolved", 4, "period-ended"),
    ]
    assert told(news([], again, TODAY)) == [("Dover", "resolved", 4, "withdrawn")]


def test_another_target_or_severity_is_told_of_what_is_active_in_the_same_state(
    rules: Rules, outcomes: IndicatorStandard
) -> None:
    bad, good = figure(rules, outcomes, 5, 10, "Dover"), figure(rules, outcomes, 10, 10, "Dover")
    first = news([bad], {}, TODAY)
    tomorrow = TODAY.replace(day=21)
    (moved,) = news([bad._replace(target=90.0)], first, tomorrow).values()
    assert (moved.state, moved.version, moved.target, moved.since) == ("breached", 2, 90.0, TODAY)
    critical = outcomes.model_copy(update={"severity": "critical"})
    (raised,) = news([bad._replace(standard=critical)], first, tomorrow).values()
    assert (raised.state, raised.version, raised.severity) == ("breached", 2, "critical")
    resolved = news([good], first, tomorrow)
    assert news([good._replace(target=70.0, standard=critical)], resolved, tomorrow) == {}


def test_an_area_that_is_renamed_ends_the_alert_of_the_old_name(
    rules: Rules, outcomes: IndicatorStandard
) -> None:
    first = news([figure(rules, outcomes, 5, 10, "Shepway")], {}, TODAY)
    renamed = news([figure(rules, outcomes, 5, 10, "Folkestone")], first, TODAY)
    assert sorted(told(renamed)) == [
        ("Folkestone", "breached", 1, None),
        ("Shepway", "resolved", 2, "withdrawn"),
    ]


def test_figures_are_of_every_area_and_targets_that_were_set_hold(rules: Rules) -> None:
    closures, achieved = (rules.slots.index(name) for name in ("closures", "closures_achieved"))
    dover = rules.localities.number(Locality("Dover"))
    held = [
        (closures, dover, 0, 20),
        (achieved, dover, 0, 15),
        (closures, rules.localities.number(NOWHERE), UNKNOWN_BAND, 4),
    ]
    slot, locality, band, amount = np.array(held).T
    stock = Stock(keys(slot, locality, band), amount)
    found = {
        it.place.area: it
        for it in figures(rules, stock, {("EH16", "South"): YearTarget(71.0, None)})
        if it.standard.indicator == "EH16"
    }
    assert found.keys() == set(rules.areas.names)
    assert (found["Dover"].numerator, found["Dover"].denominator) == (15, 20)
    assert (found["Kent"].numerator, found["Kent"].denominator) == (15, 24)
    assert (found["South"].target, found["Dover"].target) == (71.0, 80.0)
    assert state_of(found["South"], None) == "due-soon"
    assert state_of(found["Dover"], None) == "breached"
    assert found["Thanet"].value is None
