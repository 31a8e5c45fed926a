"""An attacker with a solver, at every kind of place: what do public releases leave of a count?

Shares no code with the protection. The unknowns are what each measure counts in each district or
none for each provider or none and of each age, at each site, or once at each place; integer
programming finds the least and the greatest value of a sum that fits all that is published and
plain to see.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from schemas.catalogue import ALL_AGES, Indicator
from schemas.places import PROVIDER, Place
from schemas.release import Release
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.suppression import Rule
from tests.support import attack


class ByMonth(NamedTuple):
    """Read off a definition by hand: what came in the month is added to what was there before.

    Where it is of the year, what was there before April is what another slot had in March.
    """

    of: str
    of_year: bool = False
    before_april: str | None = None


BY_MONTH = {
    "neet_ever_closed": ByMonth("neet_support_closed"),
    "neet_support_this_year": ByMonth("neet_support_new", True, "neet_support_open"),
    "family_support_this_year": ByMonth("family_support_new", True, "family_support_open"),
    "notifications_to_date": ByMonth("notifications", True),
}
# Likewise: the first is never less than the others together.
NEVER_LESS = (
    *((more[0], less) for more, less in attack.NEVER_LESS if len(more) == 1),
    *(
        (f"{service}_{whole}", tuple(f"{service}_{part}" for part in parts))
        for service in ("family_support", "neet_support", "young_carers")
        for whole, parts in (
            ("this_year", ("open", "closed")),
            ("open", ("open_long",)),
            ("new", ("worker_in_time", "worker_late")),
            ("new", ("contact_in_time", "contact_late")),
            ("new", ("plan_in_time", "plan_late")),
            ("new", ("contacted",)),
            ("contacted", ("referrer_first",)),
            ("closed", ("closed_achieved", "closed_disengaged")),
            ("closed", ("evidence",)),
        )
    ),
)
# Of these no place is the sum of others: a person may have been at several.
ONCE_AT_EACH = "group_attenders"
SITES = ("childrens-centre", "youth-hub")

# Period, slot, and a leaf, site or place with an age band.
Unknown = tuple[str, str, object]
Terms = dict[Unknown, float]
# A sum with the least and the greatest that it can be.
Row = tuple[Terms, float, float]


class Secret(NamedTuple):
    """A sum that a release withholds, and the cell that does."""

    code: str
    place: Place
    terms: tuple[tuple[Unknown, float], ...]


class Ground:
    """Where and of which ages a release counts."""

    def __init__(self, release: Release) -> None:
        self.areas = release.areas
        self._district_of = {site.name: site.district for site in release.places.site}
        providers = {it.area for it in release.cells if it.level == PROVIDER}
        self.places = {Place(it.level, it.area) for it in release.cells}
        self._providers: list[str | None] = [*sorted(providers), None]
        self._ages = [it for it in release.age_bands if it != ALL_AGES]
        self._by_provider, self._banded = set[str](), set[str]()
        for indicator in release.indicators:
            slots = {*indicator.numerator, *_denominator(indicator)}
            if any(level.startswith(PROVIDER) for level in indicator.levels):
                self._by_provider |= slots
            if indicator.bands != "none":
                self._banded |= slots

    def within(self, slot: str, place: Place) -> set[Any]:
        """The leaves of a place: of a case, a district or none with a provider or none."""
        if slot == ONCE_AT_EACH or place.level in SITES:
            return {place}
        return self.inside(place, by_provider=slot in self._by_provider)

    def inside(self, place: Place, *, by_provider: bool = True) -> set[Any]:
        """The districts, or none, of a place, with each of its providers, or none."""
        provider, _, area = place.name.partition(" / ") if place.level else (None, "", place.name)
        own = self._providers if place.level == "" else [provider]
        districts: set[str | None] = set(self.areas.leaves_under(area or self.areas.top))
        if area in ("", self.areas.top):
            districts |= {None}
        return {(it, one) for it in districts for one in (own if by_provider else [None])}

    def terms(
        self, indicator: Indicator, period: str, place: Place, part: str, band: str = ALL_AGES
    ) -> Terms:
        """The unknowns of an indicator's numerator or denominator at a place."""
        slots = indicator.numerator if part == "numerator" else _denominator(indicator)
        if part == "denominator" and indicator.denominator_of:
            place = Place("", self._district_of[place.name])
        return {
            (period, slot, (leaf, age)): times
            for slot, times in slots.items()
            for leaf in self.within(slot, place)
            for age in self.ages(slot)
            if band in (ALL_AGES, age)
        }

    def ages(self, slot: str) -> list[str]:
        """The ages that a slot is told apart by."""
        return self._ages if slot in self._banded else [ALL_AGES]

    def leaves(self, slot: str) -> list[Any]:
        """Every leaf of a slot of cases, with its ages."""
        inside = self.within(slot, Place("", self.areas.top))
        return [(leaf, age) for leaf in inside for age in self.ages(slot)]


def _denominator(indicator: Indicator) -> dict[str, int]:
    return indicator.denominator if isinstance(indicator.denominator, dict) else {}


class Reader:
    """Everything that a reader of public releases can put together."""

    def __init__(self, release: Release) -> None:
        self._indicators = {it.code: it for it in release.indicators if it.source == "events"}
        self._ground = Ground(release)
        self._rows: list[Row] = []
        self._slots: dict[str, set[str]] = {}

    def read(self, public: PublicRelease) -> None:
        """Learn what a release says, and what is plain from the definitions."""
        slots = set()
        for cell in public.cells:
            indicator, place = self._indicators.get(cell.code), Place(cell.level, cell.area)
            if indicator is None or cell.status == "not-at-this-level":
                continue
            above, below = (
                self._ground.terms(indicator, public.period, place, part, cell.age_band)
                for part in ("numerator", "denominator")
            )
            slots |= {slot for _, slot, _ in (*above, *below)}
            is_none = cell.status == "no-cases"
            for terms, count in ((above, cell.numerator), (below, cell.denominator)):
                if terms and (count is not None or is_none):
                    self._rows.append((terms, count or 0, count or 0))
                elif terms is above and indicator.unit == "count":
                    self._rows.append((terms, 1, np.inf))
            if below and indicator.unit == "percent":
                rest = dict(below)
                for unknown, times in above.items():
                    rest[unknown] = rest.get(unknown, 0) - times
                self._rows.append((rest, 0, np.inf))
        if ONCE_AT_EACH in slots:
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
                for leaf in self._ground.leaves(slot):
                    terms: Terms = {
                        (period, slot, leaf): 1.0,
                        (*before, leaf): -1.0,
                        (period, by_month.of, leaf): -1.0,
                    }
                    yield terms, 0, 0
        for slot, parts in NEVER_LESS:
            for period, slots in self._slots.items():
                if slots >= {slot, *parts}:
                    for leaf in self._ground.leaves(slot):
                        whole: Terms = {(period, slot, leaf): 1.0}
                        yield whole | {(period, it, leaf): -1.0 for it in parts}, 0, np.inf

    def _know_once_each(self, period: str) -> None:
        places = [it for it in self._ground.places if it.level not in SITES]
        inside = {it: self._ground.inside(it) for it in places}
        for whole in places:
            for part in places:
                if part != whole and inside[part] < inside[whole]:
                    one, other = ((period, ONCE_AT_EACH, (it, ALL_AGES)) for it in (whole, part))
                    self._rows.append(({one: 1.0, other: -1.0}, 0, np.inf))

    def pinned(self, secrets: Iterable[Secret]) -> list[str]:
        """The secrets that may have a single value, with it.

        Whatever the solver found for one has two values of most others beside.
        """
        found = []
        for solver, own in self._solvers(secrets):
            for secret in own:
                if solver.is_open(secret):
                    continue
                least, most = solver.bounds(secret)
                if least == most:
                    found.append(f"{secret.code} of {secret.place}: {least}")
        return found

    def bounds(self, secret: Secret) -> tuple[float, float]:
        """The least and the greatest value that a sum may have."""
        ((solver, _),) = self._solvers([secret])
        return solver.bounds(secret)

    def _solvers(self, secrets: Iterable[Secret]) -> Iterator[tuple["Solver", list[Secret]]]:
        """The secrets by what is linked with them, and a solver of that."""
        rows = [*self._rows, *self._over_months()]
        asked = list(secrets)
        group = {it: it for terms, *_ in rows for it in {each[:2] for each in terms}}
        group |= {each[:2]: each[:2] for it in asked for each, _ in it.terms}

        def root(it: tuple[str, str]) -> tuple[str, str]:
            while group[it] != it:
                it = group[it]
            return it

        for terms in (*(terms for terms, *_ in rows), *(dict(it.terms) for it in asked)):
            first, *others = {root(each[:2]) for each in terms}
            group |= dict.fromkeys(others, first)
        rows_of, own = defaultdict[Any, list[Row]](list), defaultdict[Any, list[Secret]](list)
        for row in rows:
            rows_of[root(next(iter(row[0]))[:2])].append(row)
        for secret in asked:
            own[root(secret.terms[0][0][:2])].append(secret)
        for key, some in own.items():
            yield Solver(rows_of[key], some), some


class Solver:
    """Rows as a matrix over whole numbers from 0, and the solutions found so far."""

    def __init__(self, rows: list[Row], secrets: Iterable[Secret]) -> None:
        unknowns = {it for terms, *_ in rows for it in terms}
        unknowns |= {it for secret in secrets for it, _ in secret.terms}
        self._column = {unknown: at for at, unknown in enumerate(sorted(unknowns, key=str))}
        self._rows = rows
        self._found: list[NDArray[np.float64]] = []

    @cached_property
    def _known(self) -> LinearConstraint:
        entries = [
            (row, self._column[unknown], times)
            for row, (terms, *_) in enumerate(self._rows)
            for unknown, times in terms.items()
        ]
        rows, columns, factors = zip(*entries, strict=True)
        shape = len(self._rows), len(self._column)
        matrix = coo_array((np.array(factors, dtype=float), (rows, columns)), shape=shape)
        least = np.array([least for _, least, _ in self._rows], dtype=float)
        most = np.array([most for _, _, most in self._rows], dtype=float)
        return LinearConstraint(matrix.tocsr(), least, most)

    def _cost(self, secret: Secret) -> NDArray[np.float64]:
        cost = np.zeros(len(self._column))
        for unknown, times in secret.terms:
            cost[self._column[unknown]] = times
        return cost

    def is_open(self, secret: Secret) -> bool:
        """Whether two solutions that are there have different values of it."""
        cost = self._cost(secret)
        return len({round(float(cost @ each)) for each in self._found}) > 1

    def bounds(self, secret: Secret) -> tuple[float, float]:
        """The least and the greatest value of a sum; infinity for no end."""
        cost = self._cost(secret)
        return self._end(cost), -self._end(-cost)

    def _end(self, cost: NDArray[np.float64]) -> float:
        whole = np.ones(len(cost), dtype=np.int64)
        solved: Any = milp(
            cost, constraints=self._known, bounds=Bounds(0, np.inf), integrality=whole
        )
        if solved.x is None:
            assert solved.status in (3, 4), solved.message  # no end to it, and not no solution
            return -np.inf
        self._found.append(np.rint(solved.x))
        return round(float(cost @ self._found[-1]))


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
    indicators = {it.code: it for it in release.indicators if it.source == "events"}
    ground = Ground(release)
    found: dict[tuple[tuple[Unknown, float], ...], Secret] = {}
    for cell in release.cells:
        if not public.is_suppressed(cell.key) or cell.code not in indicators:
            continue
        indicator, place = indicators[cell.code], Place(cell.level, cell.area)
        above, below = cell.counted
        parts = [
            ground.terms(indicator, release.period, place, it, cell.age_band)
            for it in ("numerator", "denominator")
        ]
        rest = dict(parts[1])
        for unknown, times in parts[0].items():
            rest[unknown] = rest.get(unknown, 0) - times
        counted = [(parts[0], above)] if indicator.unit != "days" else []
        counted += [(parts[1], below)]
        counted += [(rest, below - above)] if indicator.unit == "percent" and parts[1] else []
        for terms, count in counted:
            is_count = indicator.unit == "count" and terms is parts[0]
            if terms and (rule.is_small(count) or (is_count and not small_alone)):
                key = tuple(sorted(terms.items(), key=str))
                found[key] = Secret(cell.code, place, key)
    return list(found.values())
