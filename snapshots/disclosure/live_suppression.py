"""Which live figures are suppressed for those who may not see small numbers.

By the rule of releases (`suppression.Rule`): counts of 1 to 5, and what rests on them. So that one
is not the difference of others, no count is left as the only one hidden among those that add up:
areas to the area above, providers within an area, age bands to all ages. It is quick enough for
every change of the tables and weighs less than a release's disclosure control, which also compares
with what was published before: what is shown so is for those who may see the service, and not to be
published.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, ALL_AGES, Indicator
from schemas.cells import CellKey
from schemas.places import PROVIDER, Place
from schemas.scorecard import ScorecardRow
from snapshots.disclosure.suppression import Rule, counts_people

Formula = tuple[tuple[str, int], ...]
IsKnown = Callable[[ScorecardRow], bool]


class _PeopleCount(NamedTuple):
    """A number of people that figures rest on: what is summed, where, in which band."""

    formula: Formula
    place: Place
    band: str


def key_of(row: ScorecardRow) -> CellKey:
    """What tells a row from the others."""
    return CellKey(row.code, row.area, row.age_band, row.level)


def suppressed(
    rules: Rules, rows: Sequence[ScorecardRow], rule: Rule, is_known: IsKnown
) -> set[CellKey]:
    """The rows of a whole scorecard, every level of it, that are not shown.

    A row that the reader knows, as `is_known` says, is always shown; what else they see is then
    chosen so that those do not give the rest away.
    """
    work = _Suppression(rules, rule)
    for row in rows:
        work.add(row, is_known(row))
    return work.run()


class _Suppression:
    def __init__(self, rules: Rules, rule: Rule) -> None:
        self._rules, self._rule = rules, rule
        self._indicators = {it.code: it for it in rules.catalogue.indicator}
        self._formulas = {it.code: _formulas(it) for it in rules.catalogue.indicator}
        self._counts: dict[_PeopleCount, float] = {}
        self._known: set[_PeopleCount] = set()
        self._cells: dict[CellKey, list[_PeopleCount]] = {}
        self._by_provider: dict[str, dict[Place, None]] = defaultdict(dict)
        self._above = {it.name: it.parent for it in rules.areas.area}
        self._level = {it.name: it.level for it in rules.areas.area}

    def add(self, row: ScorecardRow, is_known: bool) -> None:
        """Take in a row, with the counts that it rests on."""
        indicator, place = self._indicators[row.code], Place(row.level, row.area)
        numbers = _numbers(indicator, row)
        counts = []
        for (formula, is_elsewhere), number in zip(self._formulas[row.code], numbers, strict=True):
            if number is None or row.status == "supplied":
                continue
            where = self._rules.graph.district_of(place) if is_elsewhere else None
            count = _PeopleCount(formula, where or place, row.age_band)
            self._counts[count] = number
            counts.append(count)
            if is_known:
                self._known.add(count)
        if row.status == "supplied" or indicator.source == "supplied":
            counts.append(self._supplied(row, indicator, place))
        if not is_known:
            self._cells[key_of(row)] = counts
        if row.level.startswith(PROVIDER):
            self._by_provider[row.area.partition(" / ")[2] or self._rules.areas.top][place] = None

    def _supplied(self, row: ScorecardRow, indicator: Indicator, place: Place) -> _PeopleCount:
        """What others worked out is a count of its own; of a value alone, small if that is."""
        is_small = self._rule.reason(indicator, row) is not None
        count = _PeopleCount(((f"{row.code} supplied", 1),), place, row.age_band)
        self._counts[count] = 1 if is_small else self._rule.threshold + 1
        return count

    def run(self) -> set[CellKey]:
        """The rows to suppress: those that rest on a count that is hidden."""
        hidden = {
            count
            for count, number in self._counts.items()
            if self._rule.is_small(number) and count not in self._known
        }
        # A remainder that is in no part is a count too: such as that of no district.
        above = self._rules.areas.levels[:-1]
        waiting = [*hidden, *(it for it in self._counts if it.place.level in above)]
        while waiting:
            for whole, parts in self._sums(waiting.pop()):
                more = self._one_more(whole, parts, hidden)
                if more is not None:
                    hidden.add(more)
                    waiting.append(more)
        return {key for key, counts in self._cells.items() if not hidden.isdisjoint(counts)}

    def _one_more(
        self, whole: _PeopleCount, parts: list[_PeopleCount], hidden: set[_PeopleCount]
    ) -> _PeopleCount | None:
        """What to hide as well, so that more than one count of a sum is not known."""
        rest = self._counts[whole] - sum(self._counts[it] for it in parts)
        if rest < 0 or (not rest and not any(self._counts[it] for it in parts)):
            return None  # people counted once in each place: nothing adds up; or all are zero
        unknown = [it for it in (whole, *parts) if it in hidden]
        if len(unknown) + (self._rule.is_small(rest) and bool(rest)) != 1:
            return None
        able = [it for it in parts if it not in hidden and it not in self._known]
        able.sort(key=lambda it: (not self._counts[it], self._counts[it]))
        if able and self._counts[able[0]]:
            return able[0]
        # A whole that is hidden already is the sum of what the reader may see, and gives no more.
        return whole if whole not in hidden and whole not in self._known else None

    def _sums(self, count: _PeopleCount) -> Iterator[tuple[_PeopleCount, list[_PeopleCount]]]:
        """The sums that a count is in, each with all its parts that there are."""
        there = self._counts
        whole = count._replace(band=ALL_AGES)
        bands = [count._replace(band=it) for it in AGE_BANDS]
        if whole in there and len(found := [it for it in bands if it in there]) > 1:
            yield whole, found
        for top, places in self._places(count.place):
            whole = count._replace(place=top)
            found = [it for at in places if (it := count._replace(place=at)) in there]
            if whole in there and found:
                yield whole, found

    def _places(self, place: Place) -> Iterator[tuple[Place, Iterable[Place]]]:
        """The places that add up to another, of which a place is one."""
        provider, _, part = place.name.partition(" / ")
        if not place.level.startswith(PROVIDER):
            if place.name in self._above and place.level in self._rules.areas.levels:
                for name in (self._above[place.name], place.name):
                    if name is not None:
                        yield self._area(name), self._below(name)
                yield place, self._by_provider[place.name]
            return
        area = part or self._rules.areas.top
        if area not in self._above:
            return
        yield self._area(area), self._by_provider[area]
        for name in (self._above[area], area):
            if name is not None:
                yield (
                    self._of_provider(provider, name),
                    [self._of_provider(provider, it.name) for it in self._below(name)],
                )

    def _area(self, name: str) -> Place:
        return Place(self._level[name], name)

    def _below(self, name: str) -> list[Place]:
        return [self._area(it) for it, above in self._above.items() if above == name]

    def _of_provider(self, provider: str, area: str) -> Place:
        if area == self._rules.areas.top:
            return Place(PROVIDER, provider)
        return Place(f"{PROVIDER}-{self._level[area]}", f"{provider} / {area}")


def _formulas(indicator: Indicator) -> list[tuple[Formula, bool]]:
    """The counts of people behind an indicator, and whether each is of the district of a site."""
    if indicator.source == "supplied":
        return []
    found: list[tuple[Formula, bool]] = []
    below = indicator.denominator if isinstance(indicator.denominator, dict) else {}
    if indicator.unit != "days":
        found.append((_formula(indicator.numerator), False))
    if below:
        found.append((_formula(below), indicator.denominator_of is not None))
    if _has_rest(indicator):
        terms = {
            name: below.get(name, 0) - indicator.numerator.get(name, 0)
            for name in {*below, *indicator.numerator}
        }
        found.append((_formula(terms), False))
    return found


def _formula(terms: dict[str, int]) -> Formula:
    return tuple(sorted((name, times) for name, times in terms.items() if times))


def _has_rest(indicator: Indicator) -> bool:
    return indicator.unit == "percent" and isinstance(indicator.denominator, dict)


def _numbers(indicator: Indicator, row: ScorecardRow) -> list[float | None]:
    """The numbers of the counts that `_formulas` names, in the same order."""
    if indicator.source == "supplied":
        return []
    above, below = row.numerator, row.denominator
    found: list[float | None] = [] if indicator.unit == "days" else [above]
    if counts_people(indicator):
        found.append(below)
    if _has_rest(indicator):
        found.append(None if above is None or below is None else below - above)
    return found
