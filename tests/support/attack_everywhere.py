"""An attacker with a solver, at every kind of place: what do public releases leave of a count?

Shares no code with the protection. The unknowns are what each measure counts in each district or
none for each provider or none, at each site, or once at each place; integer programming finds the
least and the greatest value of a sum that fits all that is published and plain to see.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from schemas.catalogue import Indicator
from schemas.places import Place
from schemas.release import Release
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.suppression import Rule
from tests.support.disclosing import COUNTY
from tests.support.wide_releases import SITES, case_places, cases_in

DISTRICT_OF = {site.name: site.district for site in SITES}


class ByMonth(NamedTuple):
    """Read off a definition by hand: what came in the month is added to what was there before.

    Where it is of the year, what was there before April is what another slot had in March.
    """

    of: str
    of_year: bool = False
    before_april: str | None = None


BY_MONTH = {
    "neet_ever_closed": ByMonth("neet_support_closed"),
    "family_support_this_year": ByMonth("family_support_new", True, "family_support_open"),
}
# Likewise: the first is never less than the others together.
NEVER_LESS = {"family_support_this_year": ("family_support_open", "family_support_closed")}

# Period, slot, and a leaf, site or place.
Unknown = tuple[str, str, object]
Terms = dict[Unknown, float]
# A sum with the least and the greatest that it can be.
Row = tuple[Terms, float, float]


class Secret(NamedTuple):
    """A sum that a release withholds, and the cell that does."""

    code: str
    place: Place
    terms: tuple[tuple[Unknown, float], ...]


def terms_of(indicator: Indicator, period: str, place: Place, part: str) -> Terms:
    """The unknowns of an indicator's numerator or denominator at a place."""
    slots = getattr(indicator, part)
    if not isinstance(slots, dict):
        return {}
    if part == "denominator" and indicator.denominator_of:
        place = Place("", DISTRICT_OF[place.name])
    found: Terms = {}
    for slot, times in slots.items():
        for leaf in _leaves(slot, place):
            found[period, slot, leaf] = times
    return found


def _leaves(slot: str, place: Place) -> set[Any]:
    if slot == "group_attenders" or place.level == "childrens-centre":
        return {place}
    return set(cases_in(place))


class Reader:
    """Everything that a reader of public releases can put together."""

    def __init__(self, release: Release) -> None:
        self._indicators = {it.code: it for it in release.indicators}
        self._rows: list[Row] = []
        self._slots: dict[str, set[str]] = {}

    def read(self, public: PublicRelease) -> None:
        """Learn what a release says, and what is plain from the definitions."""
        slots = set()
        for cell in public.cells:
            indicator, place = self._indicators[cell.code], Place(cell.level, cell.area)
            above = terms_of(indicator, public.period, place, "numerator")
            below = terms_of(indicator, public.period, place, "denominator")
            slots |= {slot for _, slot, _ in (*above, *below)}
            for terms, count in ((above, cell.numerator), (below, cell.denominator)):
                if terms and count is not None:
                    self._rows.append((terms, count, count))
                elif terms is above and indicator.unit == "count":
                    self._rows.append((terms, 1, np.inf))
            if below and indicator.unit == "percent":
                rest = dict(below)
                for unknown, times in above.items():
                    rest[unknown] = rest.get(unknown, 0) - times
                self._rows.append((rest, 0, np.inf))
        if "group_attenders" in slots:
            self._know_once_each(public.period)
        self._slots.setdefault(public.period, set()).update(slots)

    def _over_months(self) -> Iterator[Row]:
        """What adds up from month to month; a month of which nothing went out is unknown."""
        for slot, by_month in BY_MONTH.items():
            periods = sorted(it for it, slots in self._slots.items() if slot in slots)
            for period in _months(periods[0], periods[-1]) if periods else ():
                before = _month_before(period), slot
                if by_month.of_year and period.endswith("-04"):
                    before = before[0], by_month.before_april or "nothing"
                for leaf in cases_in(Place("", COUNTY.top)):
                    terms: Terms = {
                        (period, slot, leaf): 1.0,
                        (*before, leaf): -1.0,
                        (period, by_month.of, leaf): -1.0,
                    }
                    yield terms, 0, 0
        for slot, parts in NEVER_LESS.items():
            for period, slots in self._slots.items():
                for leaf in cases_in(Place("", COUNTY.top)) if slot in slots else ():
                    whole: Terms = {(period, slot, leaf): 1.0}
                    yield whole | {(period, it, leaf): -1.0 for it in parts}, 0, np.inf

    def _know_once_each(self, period: str) -> None:
        places = case_places()
        for whole in places:
            for part in places:
                if part != whole and cases_in(part) < cases_in(whole):
                    one, other = ((period, "group_attenders", it) for it in (whole, part))
                    self._rows.append(({one: 1.0, other: -1.0}, 0, np.inf))

    def bounds(self, secret: Secret) -> tuple[float, float]:
        """The least and the greatest value that a sum may have."""
        rows = [*self._rows, *self._over_months()]
        unknowns = {it for terms, *_ in rows for it in terms} | {it for it, _ in secret.terms}
        column = {unknown: at for at, unknown in enumerate(sorted(unknowns, key=str))}
        matrix = np.zeros((len(rows), len(column)))
        for row, (terms, _, _) in enumerate(rows):
            for unknown, times in terms.items():
                matrix[row, column[unknown]] = times
        known = LinearConstraint(
            matrix, [least for _, least, _ in rows], [most for _, _, most in rows]
        )
        cost = np.zeros(len(column))
        for unknown, times in secret.terms:
            cost[column[unknown]] = times
        return self._end(known, cost), -self._end(known, -cost)

    def _end(self, known: LinearConstraint, cost: Any) -> float:
        whole = np.ones(len(cost), dtype=np.int64)
        solved: Any = milp(cost, constraints=known, bounds=Bounds(0, np.inf), integrality=whole)
        return -np.inf if solved.x is None else round(float(cost @ np.rint(solved.x)))


def _months(first: str, last: str) -> list[str]:
    found = [last]
    while found[-1] > first:
        found.append(_month_before(found[-1]))
    return found


def _month_before(period: str) -> str:
    year, month = divmod(int(period[:4]) * 12 + int(period[5:]) - 2, 12)
    return f"{year}-{month + 1:02}"


def secrets_of(
    release: Release, public: PublicRelease, rule: Rule, *, small_alone: bool = False
) -> list[Secret]:
    """The small counts behind suppressed cells and, unless `small_alone`, those of any size."""
    indicators = {it.code: it for it in release.indicators}
    found: dict[tuple[tuple[Unknown, float], ...], Secret] = {}
    for cell in release.cells:
        if not public.is_suppressed(cell.key):
            continue
        indicator, place = indicators[cell.code], Place(cell.level, cell.area)
        above, below = cell.counted
        parts = [
            terms_of(indicator, release.period, place, it) for it in ("numerator", "denominator")
        ]
        rest = dict(parts[1])
        for unknown, times in parts[0].items():
            rest[unknown] = rest.get(unknown, 0) - times
        for terms, count in ((parts[0], above), (parts[1], below), (rest, below - above)):
            is_count = indicator.unit == "count" and terms is parts[0]
            is_small = rule.is_small(count) and (is_count or indicator.unit == "percent")
            if terms and (is_small or (is_count and not small_alone)):
                key = tuple(sorted(terms.items(), key=str))
                found[key] = Secret(cell.code, place, key)
    return list(found.values())
