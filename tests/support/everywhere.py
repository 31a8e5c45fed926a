"""Whether a scorecard of every place says what brute force says of the same events."""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from processors.days.calendar import previous_month_end
from processors.rules import Rules
from schemas.catalogue import BANDS, Indicator
from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import EventLine
from tests.reference import Areas, Event
from tests.reference.everything import Figures, figures
from tests.reference.places import Cell, Places, Ratio
from tests.reference.supplied import Supplied
from tests.reference.topics import parse_any
from tests.support.all_topics import LEVELS

KINDS_OF_SITE = {level: kind for kind, level in LEVELS.items()}
# Codes shown where the evaluation lists nothing: a rate of the band that has no population.
WITHOUT_POPULATION = ("EH02", "unknown")


class Shown(NamedTuple):
    """What a cell says: figures, value and previous value as printed, direction, status."""

    numerator: Fraction | None
    denominator: Fraction | None
    value: str
    previous: str
    direction: str | None
    status: str


class _Figure(NamedTuple):
    numerator: Fraction | None
    denominator: Fraction | None
    exact: Fraction | None
    status: str


def parsed(lines: Iterable[EventLine]) -> list[Event]:
    """The events of valid lines of every topic."""
    found = [parse_any(line.message[1] or b"") for line in lines]
    assert None not in found
    return [event for event in found if event is not None]


def expected(
    rules: Rules, events: list[Event], places: Places, areas: Areas, day: date
) -> dict[Cell, Shown]:
    """What brute force says of the day and of a month before, cells that say nothing left out."""
    now, before = (figures(events, places, each, areas) for each in (day, previous_month_end(day)))
    indicators = {it.code: it for it in rules.catalogue.indicator}
    found = {}
    for cell in now.keys() | before.keys():
        indicator = indicators[cell[0]]
        if not _is_shown(indicator, cell) and _is_supplied(cell, now, before):
            continue
        dates = _figure(indicator, now, cell), _figure(indicator, before, cell)
        found[cell] = _shown(_words(rules, indicator), *dates)
    return {cell: it for cell, it in found.items() if _tells(rules, indicators[cell[0]], it)}


def _words(rules: Rules, indicator: Indicator) -> tuple[str, str, str]:
    """What a fall, no change and a rise are called, by how the indicator's scorecard compares."""
    if rules.catalogue.scheme_of(indicator).direction == "change":
        return "down", "level", "up"
    return ("better", "same", "worse") if indicator.polarity == "L" else ("worse", "same", "better")


def shown(rules: Rules, rows: Iterable[ScorecardRow]) -> dict[Cell, Shown]:
    """What rows say, cells that say nothing left out."""
    indicators = {it.code: it for it in rules.catalogue.indicator}
    found = {}
    for row in rows:
        if (row.code, row.age_band) == WITHOUT_POPULATION or row.status == "not-at-this-level":
            continue
        it = Shown(
            _exact(row.numerator),
            _exact(row.denominator),
            _text(row.value),
            _text(row.previous),
            row.direction,
            row.status if row.status in _supplies(indicators[row.code]) else "",
        )
        if _tells(rules, indicators[row.code], it):
            found[row.code, KINDS_OF_SITE.get(row.level, row.level), row.area, row.age_band] = it
    return found


def _supplies(indicator: Indicator) -> set[str]:
    """The statuses that say that others work a figure out."""
    said = {"supplied", "to-be-supplied"}
    return said | {"not-available"} if indicator.source == "supplied" else said


def _figure(indicator: Indicator, of: Figures, cell: Cell) -> _Figure:
    nothing: Ratio | None = None if indicator.source == "supplied" else Ratio(_ZERO, _ZERO)
    found = of.get(cell, nothing)
    if found is None:
        return _Figure(None, None, None, "to-be-supplied")
    if isinstance(found, Supplied):
        return _given(indicator, found)
    n, d = found
    if indicator.unit == "count":
        return _Figure(n, d, n, "")
    return _Figure(n, d, indicator.scale * n / d if d else None, "")


def _given(indicator: Indicator, it: Supplied) -> _Figure:
    exact = it.value
    if it.numerator is not None and it.denominator is not None:
        exact = indicator.scale * it.numerator / it.denominator if it.denominator else None
        if indicator.unit == "count":
            exact = it.numerator
    said = it.status in _supplies(indicator) and (it.status != "supplied" or exact is not None)
    return _Figure(it.numerator, it.denominator, exact, it.status if said else "")


_ZERO = Fraction(0)


def _is_supplied(cell: Cell, *of: Figures) -> bool:
    return all(isinstance(it[cell], Supplied) for it in of if cell in it)


def _is_shown(indicator: Indicator, cell: Cell) -> bool:
    """Whether an indicator is shown at a place's level and in a band."""
    _, kind, _, band = cell
    bands = BANDS if indicator.bands != "none" else BANDS[:1]
    return LEVELS.get(kind, kind) in indicator.levels and band in bands


def _shown(words: tuple[str, str, str], now: _Figure, before: _Figure) -> Shown:
    direction = None
    if now.exact is not None and before.exact is not None:
        change = now.exact - before.exact
        direction = words[1 + (change > 0) - (change < 0)]
    return Shown(
        now.numerator,
        now.denominator,
        _printed(now.exact),
        _printed(before.exact),
        direction,
        now.status,
    )


def _tells(rules: Rules, indicator: Indicator, it: Shown) -> bool:
    if indicator.source == "supplied":
        return it != Shown(None, None, "", "", None, "to-be-supplied")
    nothing = Shown(_ZERO, _ZERO, "", "", None, "")
    if indicator.unit == "count":
        nothing = Shown(_ZERO, _ZERO, "0", "0", _words(rules, indicator)[1], "")
    return it._replace(status="") != nothing or it.status in {"supplied", "to-be-supplied"}


def _exact(number: float | None) -> Fraction | None:
    return None if number is None else Fraction(repr(number))


def _text(value: float | None) -> str:
    return "" if value is None else _printed(Fraction(repr(value)))


def _printed(value: Fraction | None) -> str:
    """To one decimal, half up, without it where it is 0."""
    if value is None:
        return ""
    with localcontext(prec=60):
        exact = Decimal(value.numerator) / value.denominator
        tenths = exact.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return str(tenths).removesuffix(".0")
