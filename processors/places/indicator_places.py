"""Alerts on indicators: their values against targets, place by place.

The alert on a flow is of its month, or its year, and ends with it; that on a stock goes on until
the value has recovered.

A value that hovers about its target must not raise and resolve an alert every day, so one that was
raised is resolved only when the value is better than the target by a margin; and a value of few
cases raises none.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.alerts.phrases import alert_id
from processors.figures.direction import HIGHER_IS
from processors.figures.evaluate import rounded_half_up
from processors.figures.rating import YearTarget
from processors.figures.supplies import exact
from processors.ledger.tables import Stock
from processors.places.sums import WatchedPlace, WatchedPlaces
from processors.rules import Rules
from schemas.alerts import AlertState, IndicatorChange, Reason
from schemas.catalogue import Indicator, Period
from schemas.places import PROVIDER
from schemas.standards import IndicatorStandard


class WatchedFigure(NamedTuple):
    """An indicator standard's figure of a place, with the target that it is held against.

    The denominator of a count is the count itself. `flow` is the period that it is a flow of; None
    for a stock.
    """

    standard: IndicatorStandard
    indicator: Indicator
    place: WatchedPlace
    numerator: int
    denominator: int
    target: float
    flow: Period | None

    @property
    def value(self) -> Fraction | None:
        """The exact value in the indicator's unit; None where there is nothing to divide by."""
        if self.indicator.denominator is None:
            return Fraction(self.numerator)
        if not self.denominator:
            return None
        return Fraction(self.indicator.scale * self.numerator, self.denominator)


def figures(
    rules: Rules, stock: Stock, targets: Mapping[tuple[str, str], YearTarget]
) -> Iterator[WatchedFigure]:
    """The figure of every indicator standard and place that the indicator exists at.

    A provider that the standards name has one of every indicator standard. `targets` are those that
    were set, by (code, place); elsewhere the standard's own holds.
    """
    places = WatchedPlaces(rules, stock)
    sums = dict(zip(rules.slots, places.sums(stock), strict=True))
    indicators = {indicator.code: indicator for indicator in rules.catalogue.indicator}
    levels = {area.name: area.level for area in rules.areas.area}
    for standard in rules.standards.indicator_standard:
        indicator = indicators[standard.indicator]
        numerator = _total(indicator.numerator, sums)
        denominator, flow = numerator, rules.catalogue.period_of(indicator)
        if isinstance(indicator.denominator, dict):
            denominator = _total(indicator.denominator, sums)
        for column, place in enumerate(places.all):
            is_named = place.provider in rules.standards.providers
            level = PROVIDER if place.provider else levels[place.area]
            if level not in indicator.levels and not is_named:
                continue
            was_set = targets.get((standard.indicator, place.provider or place.area))
            yield WatchedFigure(
                standard,
                indicator,
                place,
                int(numerator[column]),
                int(denominator[column]),
                was_set.aim if was_set else standard.target,
                flow,
            )


def _total(terms: Mapping[str, int], sums: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([times * sums[name] for name, times in terms.items()], axis=0)
    return total


def state_of(figure: WatchedFigure, before: AlertState | None) -> AlertState | None:
    """The state of the alert on a figure, by the state it was in; None for no alert.

    1. Fewer cases than the standard asks for: none.
    2. Worse than the target: breached.
    3. Breached before, and not yet better than the target by `clear_by`: still breached.
    4. Meets the target by less than `at_risk_within`, and by less than that and `clear_by` if there
       was an alert before: due soon.
    """
    standard = figure.standard
    if figure.value is None or figure.denominator < standard.least_denominator:
        return None
    sign = HIGHER_IS[figure.indicator.polarity]
    margin = sign * (figure.value - exact(figure.target))
    clear_by, at_risk = exact(standard.clear_by), exact(standard.at_risk_within)
    if margin < 0 or (before == "breached" and margin < clear_by):
        return "breached"
    was_active = before in {"breached", "due-soon"}
    if margin < at_risk + (clear_by if was_active else 0):
        return "due-soon"
    return None


def news(
    found: Iterable[WatchedFigure],
    told: Mapping[str, IndicatorChange],
    today: date,
    learnt: datetime | None = None,
) -> dict[str, IndicatorChange]:
    """The changes, by alert, that make what was told into what is true today.

    A change is of an alert's state, or of what it is held against: its target or severity.
    `told` has each alert as it was told last, those of a period that is over while active; `learnt`
    is the time now.
    """
    changes: dict[str, IndicatorChange] = {}
    seen: set[str] = set()
    for figure in found:
        period = period_on(figure.flow, today)
        name = alert_id(figure.standard.code, *_names(figure.place), period or "")
        seen.add(name)
        before = told.get(name)
        state = state_of(figure, before.state if before else None)
        if state is None and (before is None or not before.is_active):
            continue
        if before is None or before.state != (state or "resolved"):
            changes[name] = _change(figure, name, period, state, before, today)
        elif (before.target, before.severity) != (figure.target, figure.standard.severity):
            changes[name] = _change(figure, name, period, state, before, before.since)
    for name, before in told.items():
        if before.is_active and name not in seen:
            reason: Reason = "period-ended" if is_over(before.period, today) else "withdrawn"
            over = {"state": "resolved", "reason": reason, "since": today}
            changes[name] = before.model_copy(update={**over, "version": before.version + 1})
    return {name: _dated(it, told.get(name), learnt) for name, it in changes.items()}


def _dated(
    change: IndicatorChange, before: IndicatorChange | None, learnt: datetime | None
) -> IndicatorChange:
    """A change with when it was learnt, and with which its present stand began."""
    stand, stand_learnt = change.version, learnt
    if before and (before.state, before.owner) == (change.state, change.owner):
        stand, stand_learnt = before.stand or before.version, before.stand_learnt
    dates = {"learnt": learnt, "stand": stand, "stand_learnt": stand_learnt}
    return change.model_copy(update=dates)


def period_on(flow: Period | None, day: date) -> str | None:
    """The month or the financial year of a day, as alerts name it; None for a stock."""
    if flow is None:
        return None
    return f"{day:%Y-%m}" if flow == "month" else _financial_year(day)


def is_over(period: str | None, day: date) -> bool:
    """Whether a period ended before a day."""
    if period is None:
        return False
    return period not in {f"{day:%Y-%m}", _financial_year(day)}


def _financial_year(day: date) -> str:
    first = day.year - (day.month < 4)
    return f"{first}/{(first + 1) % 100:02}"


def _names(place: WatchedPlace) -> tuple[str, str]:
    return place.area, place.provider or ""


def _change(
    figure: WatchedFigure,
    name: str,
    period: str | None,
    state: AlertState | None,
    before: IndicatorChange | None,
    since: date,
) -> IndicatorChange:
    is_few = figure.denominator < figure.standard.least_denominator
    reason: Reason = "too-few" if is_few else "recovered"
    value = figure.value
    return IndicatorChange(
        alert=name,
        version=before.version + 1 if before else 1,
        standard=figure.standard.code,
        title=figure.standard.title,
        state=state or "resolved",
        since=since,
        reason=None if state else reason,
        severity=figure.standard.severity,
        owner_kind="provider" if figure.place.provider else "area",
        owner=figure.place.provider or figure.place.area,
        area=figure.place.area,
        provider=figure.place.provider,
        indicator=figure.indicator.code,
        period=period,
        numerator=figure.numerator,
        denominator=figure.denominator,
        value=None if value is None else rounded_half_up(value.numerator, value.denominator),
        target=figure.target,
    )
