"""What cells count, as sums over the catalogue's slots.

A published cell is taken to reveal its numerator and its denominator exactly, although a value to
one decimal may reveal less: so a percentage, a rate, an average and a share of bands need no rule
of their own, and the complement of one indicator is the numerator of another (EH14 of EH13).
"""

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from schemas.catalogue import Indicator
from schemas.cells import CellKey
from schemas.places import Place
from snapshots.disclosure.layout import Spot
from snapshots.releases.release_failures import ReleaseError

# A sum of slots, each so many times, in the order of their names.
Expression = tuple[tuple[str, int], ...]
# A slot's table in a period: period and slot.
Block = tuple[str, str]
# A sum over blocks: each so many times.
Terms = tuple[tuple[Block, int], ...]


class Quantity(NamedTuple):
    """A sum of slots in one place and age band, at the end of a period.

    `area` is the place's name, and `level` what kind of place it is where it is none of the areas.
    """

    period: str
    expression: Expression
    area: str
    band: str
    level: str = ""

    @property
    def place(self) -> Place:
        """Where it counts."""
        return Place(self.level, self.area)

    @property
    def spot(self) -> Spot:
        """Where, and of which ages, it counts."""
        return self.place, self.band


class NotProtected(ReleaseError):  # noqa: N818 - named for the condition, as its siblings are
    """Small counts of a release cannot be protected, so that it must not go out."""


class Formulas:
    """The expressions of the indicators that are counted, over slots that stand alone somewhere.

    A slot that only ever appears in a sum with others cannot be told from them in a release: the
    sum is then one slot of its own. So is what a site is compared with of its district.
    """

    def __init__(self, indicators: Iterable[Indicator]) -> None:
        self.indicators = {it.code: it for it in indicators if it.source == "events"}
        parts = [part for each in self.indicators.values() for part in _parts(each)]
        alone = {next(iter(part)) for part in parts if list(part.values()) == [1]}
        self.numerator = {
            code: _expression(each.numerator, alone) for code, each in self.indicators.items()
        }
        self.denominator = {
            code: _expression(_denominator(each), alone)
            for code, each in self.indicators.items()
            if isinstance(each.denominator, dict)
        }

    def expressions(self, code: str) -> list[Expression]:
        """The numerator of an indicator and, where that is counted as well, the denominator."""
        found = [self.numerator[code], self.denominator.get(code, self.numerator[code])]
        return list(dict.fromkeys(found))

    def rest(self, code: str) -> Expression:
        """The denominator less the numerator."""
        terms = dict(self.denominator[code])
        for slot, times in self.numerator[code]:
            terms[slot] = terms.get(slot, 0) - times
        return tuple(sorted((slot, times) for slot, times in terms.items() if times))

    def revealed(self, period: str, key: CellKey) -> list[Quantity]:
        """The counts that a published cell reveals."""
        code, area, band, level = key
        expressions = self.expressions(code) if code in self.indicators else []
        return [Quantity(period, each, area, band, level) for each in sorted(expressions)]

    def people(self, code: str, *, rests: bool) -> list[Expression]:
        """The counts of people behind an indicator: not sums of days, not the population."""
        if code not in self.indicators:
            return []
        unit = self.indicators[code].unit
        found = [] if unit == "days" else [self.numerator[code]]
        if code in self.denominator:
            found.append(self.denominator[code])
            if unit == "percent" and rests:
                found.append(self.rest(code))
        return [each for each in dict.fromkeys(found) if each]

    @cached_property
    def slots(self) -> set[str]:
        """Every slot in use, and every sum that stands for some."""
        expressions = [*self.numerator.values(), *self.denominator.values()]
        return {slot for expression in expressions for slot, _ in expression}

    @cached_property
    def of_districts(self) -> dict[str, str]:
        """The slots of sites that are what their districts have, with those of the districts."""
        return {
            f"{slot}{OF_DISTRICT}": slot
            for it in self.indicators.values()
            if it.denominator_of and isinstance(it.denominator, dict)
            for slot in it.denominator
        }

    @cached_property
    def slots_of_people(self) -> set[str]:
        """The slots that count people; the others sum days."""
        expressions = [each for code in self.indicators for each in self.people(code, rests=False)]
        return {slot for expression in expressions for slot, _ in expression}


# What tells a district's count, as it stands beside a site's, from the site's own.
OF_DISTRICT = " of the district"


def _denominator(indicator: Indicator) -> dict[str, int]:
    terms = indicator.denominator if isinstance(indicator.denominator, dict) else {}
    if indicator.denominator_of is None:
        return terms
    return {f"{slot}{OF_DISTRICT}": times for slot, times in terms.items()}


def _parts(indicator: Indicator) -> list[dict[str, int]]:
    denominator = _denominator(indicator)
    return [indicator.numerator, *([denominator] if denominator else [])]


def _expression(terms: dict[str, int], alone: set[str]) -> Expression:
    kept = tuple(sorted((slot, times) for slot, times in terms.items() if times))
    if all(slot in alone for slot, _ in kept):
        return kept
    return ((" + ".join(f"{times} {slot}" for slot, times in kept), 1),)
