"""An attacker with a solver: what can be worked out of a public release?

Shares no code with the protection. The unknowns are how many each measure counts in each district
(or none) and age band. What is published, and what anybody can see in the definitions, goes in as
constraints, and integer programming finds the least and the greatest value of a sum.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import (
    Bounds,
    LinearConstraint,
    milp,
)
from scipy.sparse import coo_array

from schemas.areas import Areas
from schemas.catalogue import ALL_AGES, Indicator
from snapshots.disclosure.public import PublicCell, PublicRelease

# Read off the definitions by hand: by how much the first sum is never less than the second.
NEVER_LESS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("earlier_notifications",), ("earlier_notifications_with_plan",)),
    (("open_in_units",), ("open_with_plan",)),
    (("open_in_units",), ("open_over_20_weeks",)),
    (("open_in_units",), ("open_28_days",)),
    (("open_28_days",), ("open_28_days_planned_in_28",)),
    (("open_with_plan",), ("open_28_days_planned_in_28",)),
    (("open_in_units",), ("recent_with_contact",)),
    (("open_with_plan",), ("recent_with_plan",)),
    (("open_28_days",), ("open_over_20_weeks",)),
    (("open_in_units",), ("open_over_20_weeks", "recent_with_contact")),
    (("open_in_units",), ("open_over_20_weeks", "recent_with_plan")),
    (("recent_closed",), ("all_closures_within_20_weeks",)),
    (("closures",), ("closures_achieved", "step_ups")),
    (("step_ups",), ("step_ups_within_20_weeks", "step_ups_after_20_weeks")),
    (("step_ups_within_20_weeks", "step_ups_after_20_weeks"), ("step_ups",)),
    (("all_closures_within_20_weeks",), ("step_ups_within_20_weeks",)),
    (("all_closures_after_20_weeks",), ("step_ups_after_20_weeks",)),
    (("all_closures_within_20_weeks", "all_closures_after_20_weeks"), ("closures",)),
)
# No average can be longer than its window: days of three months, and of six.
LONGEST = {"recent_with_contact": 92, "recent_with_plan": 92, "recent_closed": 184}

Unknown = tuple[str, str, str | None, str]  # period, slot, leaf area, age band
Terms = dict[Unknown, float]
# Rounding of what is computed from printed decimals.
SLIGHT = 1e-6


class Fact(NamedTuple):
    """A sum of unknowns is at least `least`, and at most `most`."""

    terms: Mapping[Unknown, float]
    least: float
    most: float


class Attack:
    """What is known of the tables behind the public releases of one county."""

    def __init__(self, indicators: Iterable[Indicator], areas: Areas, bands: Iterable[str]) -> None:
        self.indicators = {each.code: each for each in indicators}
        self.areas = areas
        self.ages = [band for band in bands if band != ALL_AGES]
        self.facts: list[Fact] = []
        self._exact: set[tuple[str, str, str, str]] = set()

    def terms(self, period: str, slots: Mapping[str, int], area: str | None, band: str) -> Terms:
        """The unknowns that a sum of slots adds up; area None for those with no district."""
        leaves: list[str | None] = [None] if area is None else [*self.areas.leaves_under(area)]
        if area == self.areas.top:
            leaves.append(None)
        return {
            (period, slot, leaf, age): times
            for slot, times in slots.items()
            for leaf in leaves
            for age in self.ages
            if band in (age, ALL_AGES)
        }

    def read(self, public: PublicRelease, rise: Mapping[Unknown, int] | None = None) -> None:
        """Learn all that a release says; `rise` is what the tables have risen by since."""
        for cell in public.cells:
            indicator = self.indicators[cell.code]
            parts = [(indicator.numerator, cell.numerator)]
            if isinstance(indicator.denominator, dict):
                parts.append((indicator.denominator, cell.denominator))
            for slots, count in parts:
                terms = self.terms(public.period, slots, cell.area, cell.age_band)
                since = sum(times * (rise or {}).get(each, 0) for each, times in terms.items())
                if count is not None:
                    self.facts.append(Fact(terms, count + since, count + since))
                elif indicator.denominator is None and public.rule.zeros_shown and not rise:
                    self.facts.append(Fact(terms, 1 + since, np.inf))
            self._read_previous(public.period, cell)
            if cell.numerator is not None:
                self._exact.add((public.period, cell.code, cell.area, cell.age_band))
        for unknown, risen in (rise or {}).items():
            self.facts.append(Fact({unknown: 1}, risen, np.inf))

    def _read_previous(self, period: str, cell: PublicCell) -> None:
        """Learn what the previous column and the arrow say of the month before."""
        indicator, now = self.indicators[cell.code], (cell.numerator, cell.denominator)
        year, month = divmod(int(period[:4]) * 12 + int(period[5:]) - 2, 12)
        before = f"{year}-{month + 1:02}"
        if cell.previous is None or (before, cell.code, cell.area, cell.age_band) in self._exact:
            return
        top = self.terms(before, indicator.numerator, cell.area, cell.age_band)
        if indicator.denominator is None:
            self.know(top, cell.previous, cell.previous)
        elif isinstance(indicator.denominator, dict):
            whole = self.terms(before, indicator.denominator, cell.area, cell.age_band)
            self.know(_plus(top, indicator.scale, whole, -(cell.previous - 0.05)), -SLIGHT, np.inf)
            self.know(_plus(top, indicator.scale, whole, -(cell.previous + 0.05)), -np.inf, SLIGHT)
            if now[0] is not None and now[1] is not None and cell.direction:
                least = {"up": -np.inf, "level": 0.0, "down": 1.0}[cell.direction]
                most = {"up": -1.0, "level": 0.0, "down": np.inf}[cell.direction]
                self.know(_plus(top, now[1], whole, -now[0]), least, most)

    def know(self, terms: Terms, least: float, most: float) -> None:
        """Learn that a sum lies between two values."""
        self.facts.append(Fact(terms, least, most))

    def know_definitions(self, period: str) -> None:
        """Learn what the definitions say of the slots in use."""
        used = {slot for fact in self.facts for _, slot, _, _ in fact.terms}
        for leaf in [*self.areas.leaves, None]:
            for age in self.ages:
                for more, less in NEVER_LESS:
                    if used >= {*more, *less}:
                        signed = [(slot, 1) for slot in more] + [(slot, -1) for slot in less]
                        terms = {(period, slot, leaf, age): sign for slot, sign in signed}
                        self.facts.append(Fact(terms, 0, np.inf))
                for slot, days in LONGEST.items():
                    if slot in used:
                        terms = {
                            (period, slot, leaf, age): days,
                            (period, f"{slot}.days", leaf, age): -1,
                        }
                        self.facts.append(Fact(terms, 0, np.inf))

    def about(self, period: str, slots: Collection[str]) -> "Solver":
        """A solver over the unknowns that the facts link to these slots."""
        linked = {(period, slot) for slot in slots}
        groups = [{unknown[:2] for unknown in fact.terms} for fact in self.facts]
        while more := {slot for group in groups if group & linked for slot in group} - linked:
            linked |= more
        every = self.terms(period, dict.fromkeys(slots, 1), self.areas.top, ALL_AGES)
        facts = [fact for fact, group in zip(self.facts, groups, strict=True) if group & linked]
        return Solver([*facts, Fact(every, 0, np.inf)])


def _plus(one: Terms, times: float, other: Terms, other_times: float) -> Terms:
    found = {unknown: times * factor for unknown, factor in one.items()}
    for unknown, factor in other.items():
        found[unknown] = found.get(unknown, 0) + other_times * factor
    return found


class Solver:
    """Facts as a matrix, over whole numbers from 0; and the tables found so far that fit them."""

    def __init__(self, facts: list[Fact]) -> None:
        unknowns = sorted({each for fact in facts for each in fact.terms}, key=str)
        self._column = {unknown: at for at, unknown in enumerate(unknowns)}
        rows, columns, factors = [], [], []
        for row, fact in enumerate(facts):
            for unknown, times in fact.terms.items():
                rows.append(row)
                columns.append(self._column[unknown])
                factors.append(float(times))
        matrix = coo_array((factors, (rows, columns)), shape=(len(facts), len(unknowns))).tocsr()
        self._facts = LinearConstraint(
            matrix, [fact.least for fact in facts], [fact.most for fact in facts]
        )
        self._fitting: list[Any] = []

    def leaves_one_value(self, terms: Terms) -> bool:
        """Whether a sum has the same value in every table that fits the facts.

        Two tables in which it differs show that it has not, whatever they were found for.
        """
        cost = self._cost(terms)
        if len({self._value(cost, table) for table in self._fitting}) > 1:
            return False
        least, greatest = self.bounds(terms)
        return least == greatest

    def bounds(self, terms: Terms) -> tuple[float, float]:
        """The least and the greatest value that a sum can have; infinity for no end."""
        return self._end(terms, 1), self._end(terms, -1)

    def _end(self, terms: Terms, sign: int) -> float:
        cost = self._cost(terms)
        # What is true fits all facts; HiGHS at times says of such that nothing does (status 2), and
        # finds it without simplifying first.
        for presolve in (True, False):
            solved: Any = milp(
                sign * cost,
                constraints=self._facts,
                bounds=Bounds(0, np.inf),
                integrality=np.ones(len(cost), dtype=np.int64),
                options={"time_limit": 20.0, "presolve": presolve},
            )
            if solved.status != 2:
                break
        if solved.status in (3, 4) and solved.x is None:  # no end to it
            return -sign * np.inf
        assert solved.x is not None, solved.message
        self._fitting.append(np.rint(solved.x))
        return self._value(cost, self._fitting[-1])

    def _cost(self, terms: Terms) -> Any:
        cost = np.zeros(len(self._column))
        for unknown, times in terms.items():
            cost[self._column[unknown]] = times
        return cost

    def _value(self, cost: Any, table: Any) -> int:
        return round(float(cost @ table))
