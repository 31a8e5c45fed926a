"""Which live figures are suppressed for those who may not see small numbers.

By the rule of releases (`suppression.Rule`): counts of 1 to 5, and what rests on them. So that one
is not the difference of others, no count is left as the only one hidden among those that add up:
areas to the area above, providers within an area, age bands to all ages. It is quick enough for
every change of the tables and weighs less than a release's disclosure control, which also compares
with what was published before: what is shown so is for those who may see the service, and not to be
published.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, ALL_AGES, Indicator
from schemas.cells import CellKey
from schemas.places import PROVIDER, Place
from schemas.scorecard import ScorecardRow
from snapshots.disclosure.suppression import Rule

Formula = tuple[tuple[str, int], ...]
IsKnown = Callable[[ScorecardRow], bool]


class _CountPlan(NamedTuple):
    """A count of people behind the figures of an indicator: what is summed, by number, and where.

    `part` says which it is of a row's numbers; `is_elsewhere` that it is of the district of a site.
    """

    formula: int
    part: int
    is_elsewhere: bool


# Which numbers of a row a count is: the numerator, the denominator, or what the two leave.
ABOVE, BELOW, REST = range(3)
# A count is told by one number, of its formula, its place and its band: it is asked for very often.
NUMBER_OF_BAND = {band: number for number, band in enumerate((ALL_AGES, *AGE_BANDS))}
BAND_NUMBERS = len(NUMBER_OF_BAND)
MOST_PLACES = 2**20


def key_of(row: ScorecardRow) -> CellKey:
    """What tells a row from the others."""
    return CellKey(row.code, row.area, row.age_band, row.level)


def suppressed(
    rules: Rules, rows: Sequence[ScorecardRow], rule: Rule, is_known: IsKnown
) -> set[CellKey]:
    """The rows of a whole scorecard, every level of it, that are not shown.

    A row that the reader knows, as `is_known` says, is always shown; what else they see is then
    chosen so that those do not give the rest away. What is said of indicators is the same where the
    rows are those of `deciding` alone.
    """
    # What is no figure of a place has a zero that counts nothing.
    there = [row for row in rows if row.status != "not-at-this-level"]
    places = {Place(*it) for it in {(row.level, row.area) for row in there}}
    work = _Suppression(rules, rule, places)
    for row in there:
        work.add(row, is_known(row))
    return work.run()


def deciding(rules: Rules, codes: Set[str]) -> frozenset[str]:
    """The indicators whose rows decide which of some indicators are suppressed, those among them.

    They are what tells one of the counts that those rest on: counts of another kind never do.
    """
    counted = {
        it.code: {formula for formula, *_ in _formulas(it)} for it in rules.catalogue.indicator
    }
    asked = {formula for code in codes for formula in counted[code]}
    return frozenset(codes).union(it for it, told in counted.items() if not told.isdisjoint(asked))


class _Suppression:
    def __init__(self, rules: Rules, rule: Rule, places: Set[Place]) -> None:
        self._rules, self._rule = rules, rule
        self._indicators = {it.code: it for it in rules.catalogue.indicator}
        self._formulas: dict[Formula, int] = {}
        self._plans = {it.code: self._plan(it) for it in rules.catalogue.indicator}
        self._numbers: dict[Place, int] = {}
        self._by_number: list[Place] = []
        self._districts: dict[int, int] = {}
        self._counts: dict[int, float] = {}
        self._known: set[int] = set()
        self._cells: list[tuple[ScorecardRow, list[int]]] = []
        self._by_provider: dict[str, list[int]] = defaultdict(list)
        self._adding_up: dict[int, list[tuple[int, list[int]]]] = {}
        self._above = {it.name: it.parent for it in rules.areas.area}
        self._level = {it.name: it.level for it in rules.areas.area}
        # In an order that rests on no row, for what is chosen first does on it.
        self._of_row: dict[tuple[str, str], int] = {}
        for place in sorted(places):
            number = self._of_row[place.level, place.name] = self._number(place)
            if place.level.startswith(PROVIDER):
                within = place.name.partition(" / ")[2] or rules.areas.top
                self._by_provider[within].append(number)

    def add(self, row: ScorecardRow, is_known: bool) -> None:
        """Take in a row, with the counts that it rests on."""
        place = self._of_row[row.level, row.area]
        band = NUMBER_OF_BAND[row.age_band]
        above, below = row.numerator, row.denominator
        rest = None if above is None or below is None else below - above
        numbers, is_supplied = (above, below, rest), row.status == "supplied"
        counts = []
        for formula, part, is_elsewhere in self._plans[row.code]:
            number = numbers[part]
            if number is None or is_supplied:
                continue
            count = _told(formula, self._district(place) if is_elsewhere else place, band)
            self._counts[count] = number
            counts.append(count)
            if is_known:
                self._known.add(count)
        if is_supplied or self._indicators[row.code].source == "supplied":
            counts.append(self._supplied(row, place, band))
        if not is_known and counts:
            self._cells.append((row, counts))

    def _supplied(self, row: ScorecardRow, place: int, band: int) -> int:
        """What others worked out is a count of its own; of a value alone, small if that is."""
        is_small = self._rule.reason(self._indicators[row.code], row) is not None
        count = _told(self._formula(((f"{row.code} supplied", 1),)), place, band)
        self._counts[count] = 1 if is_small else self._rule.threshold + 1
        return count

    def run(self) -> set[CellKey]:
        """The rows to suppress: those that rest on a count that is hidden."""
        is_small, known = self._rule.is_small, self._known
        hidden = {
            count
            for count, number in self._counts.items()
            if is_small(number) and count not in known
        }
        # A remainder that is in no part is a count too: such as that of no district.
        above = {
            number
            for number, place in enumerate(self._by_number)
            if place.level in self._rules.areas.levels[:-1]
        }
        waiting = [*sorted(hidden), *(it for it in self._counts if _place_in(it) in above)]
        while waiting:
            for whole, parts in self._sums(waiting.pop()):
                more = self._one_more(whole, parts, hidden)
                if more is not None:
                    hidden.add(more)
                    waiting.append(more)
        return {key_of(row) for row, counts in self._cells if not hidden.isdisjoint(counts)}

    def _one_more(self, whole: int, parts: list[int], hidden: set[int]) -> int | None:
        """What to hide as well, so that more than one count of a sum is not known."""
        numbers = self._counts
        rest = numbers[whole] - sum([numbers[it] for it in parts])
        if rest < 0 or (not rest and not any(numbers[it] for it in parts)):
            return None  # people counted once in each place: nothing adds up; or all are zero
        unknown = (whole in hidden) + sum([it in hidden for it in parts])
        if unknown + (self._rule.is_small(rest) and bool(rest)) != 1:
            return None
        able = [it for it in parts if it not in hidden and it not in self._known]
        able.sort(key=lambda it: (not numbers[it], numbers[it]))
        if able and numbers[able[0]]:
            return able[0]
        # A whole that is hidden already is the sum of what the reader may see, and gives no more.
        return whole if whole not in hidden and whole not in self._known else None

    def _sums(self, count: int) -> Iterator[tuple[int, list[int]]]:
        """The sums that a count is in, each with all its parts that there are."""
        there = self._counts
        band = count % BAND_NUMBERS
        whole = count - band
        bands = [it for it in range(whole + 1, whole + BAND_NUMBERS) if it in there]
        if whole in there and len(bands) > 1:
            yield whole, bands
        place = _place_in(count)
        elsewhere = count - BAND_NUMBERS * place  # the same count, of the first place
        for top, places in self._places(place):
            whole = elsewhere + BAND_NUMBERS * top
            if whole in there:
                found = [it for at in places if (it := elsewhere + BAND_NUMBERS * at) in there]
                if found:
                    yield whole, found

    def _places(self, place: int) -> list[tuple[int, list[int]]]:
        """The places that add up to another, of which a place is one."""
        found = self._adding_up.get(place)
        if found is None:
            found = self._adding_up[place] = [
                (self._number(top), [self._number(it) for it in places])
                for top, places in self._places_of(self._by_number[place])
            ]
        return found

    def _places_of(self, place: Place) -> Iterator[tuple[Place, Iterable[Place]]]:
        provider, _, part = place.name.partition(" / ")
        if not place.level.startswith(PROVIDER):
            if place.name in self._above and place.level in self._rules.areas.levels:
                for name in (self._above[place.name], place.name):
                    if name is not None:
                        yield self._area(name), self._below(name)
                yield place, self._of_providers(place.name)
            return
        area = part or self._rules.areas.top
        if area not in self._above:
            return
        yield self._area(area), self._of_providers(area)
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

    def _of_providers(self, area: str) -> list[Place]:
        return [self._by_number[it] for it in self._by_provider[area]]

    def _of_provider(self, provider: str, area: str) -> Place:
        if area == self._rules.areas.top:
            return Place(PROVIDER, provider)
        return Place(f"{PROVIDER}-{self._level[area]}", f"{provider} / {area}")

    def _number(self, place: Place) -> int:
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self._by_number)
            self._by_number.append(place)
        return number

    def _district(self, place: int) -> int:
        """The district of a site; of any other place itself."""
        number = self._districts.get(place)
        if number is None:
            found = self._rules.graph.district_of(self._by_number[place])
            number = self._districts[place] = self._number(found) if found else place
        return number

    def _formula(self, formula: Formula) -> int:
        return self._formulas.setdefault(formula, len(self._formulas))

    def _plan(self, indicator: Indicator) -> list[_CountPlan]:
        """The counts of people behind an indicator."""
        return [
            _CountPlan(self._formula(formula), part, is_elsewhere)
            for formula, part, is_elsewhere in _formulas(indicator)
        ]


def _told(formula: int, place: int, band: int) -> int:
    """A count, as one number."""
    return (formula * MOST_PLACES + place) * BAND_NUMBERS + band


def _place_in(count: int) -> int:
    return count // BAND_NUMBERS % MOST_PLACES


def _formulas(indicator: Indicator) -> list[tuple[Formula, int, bool]]:
    """The counts of people behind an indicator, which of its numbers each is, and where."""
    if indicator.source == "supplied":
        return []
    found: list[tuple[Formula, int, bool]] = []
    below = indicator.denominator if isinstance(indicator.denominator, dict) else {}
    if indicator.unit != "days":
        found.append((_formula(indicator.numerator), ABOVE, False))
    if below:
        found.append((_formula(below), BELOW, indicator.denominator_of is not None))
    if indicator.unit == "percent" and below:
        terms = {
            name: below.get(name, 0) - indicator.numerator.get(name, 0)
            for name in {*below, *indicator.numerator}
        }
        found.append((_formula(terms), REST, False))
    return found


def _formula(terms: dict[str, int]) -> Formula:
    return tuple(sorted((name, times) for name, times in terms.items() if times))
