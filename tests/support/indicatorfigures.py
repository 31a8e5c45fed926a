"""Figures of indicators that standards bound."""

from processors.places.indicator_places import WatchedFigure
from processors.places.sums import WatchedPlace
from processors.rules import Rules


def figure(rules: Rules, code: str, numerator: int, denominator: int) -> WatchedFigure:
    standard = next(it for it in rules.standards.indicator_standard if it.indicator == code)
    found = next(it for it in rules.catalogue.indicator if it.code == code)
    flow = rules.catalogue.period_of(found)
    return WatchedFigure(
        standard, found, WatchedPlace("Kent"), numerator, denominator, standard.target, flow
    )
