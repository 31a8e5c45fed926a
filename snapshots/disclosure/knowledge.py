"""What there is to know, what is known already, and what must not become known.

The tables of the release's period, those of other months that a definition links to it, what
earlier public releases told of them, and the small counts behind all of these.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.catalogue import ALL_AGES, AnyMeasure
from schemas.places import Place
from schemas.release import Release
from snapshots.disclosure.count_tables import Layouts, counted_cells, tables
from snapshots.disclosure.counts import Block, Expression, Formulas, NotProtected, Quantity, Terms
from snapshots.disclosure.implied_sums import relations, without_implied
from snapshots.disclosure.layout import Spot, Table, Whole
from snapshots.disclosure.over_months import (
    OverMonths,
    carried,
    held_since,
    longest_ago,
    over_months,
)
from snapshots.disclosure.public import Issued, month_after, month_before
from snapshots.disclosure.suppression import Rule
from snapshots.recount.places import Whereabouts


class KnownSum:
    """A sum over blocks that readers know something of, in each of some places and bands.

    `spots` has, for each of these, where to look in each block: the same in all, for the most part.
    One that is `loose` leaves room between its blocks, so that most changes need but some of them.
    """

    def __init__(
        self,
        terms: Terms,
        spots: Sequence[tuple[Spot, ...]],
        layouts: Layouts,
        *,
        is_loose: bool = False,
    ) -> None:
        self.terms = terms
        self.spots = spots
        self.is_loose = is_loose
        self._layouts = [layouts.of(slot) for (_, slot), _ in terms]
        self._at = [
            tuple(np.array([layout.index[each[term]] for each in spots], dtype=np.intp).T)
            for term, layout in enumerate(self._layouts)
            if spots
        ]

    def sums(self, tables: Sequence[Table]) -> NDArray[np.int64]:
        """Its sum in each of its places and bands, over a table for each of its terms."""
        pairs = zip(self._layouts, tables, strict=True)
        return self.summed([layout.totals(table) for layout, table in pairs])

    def summed(self, totals: Sequence[Table | None]) -> NDArray[np.int64]:
        """The same over tables with their margins; None for one of nothing."""
        found = np.zeros(len(self.spots), dtype=np.int64)
        for (_, times), at, total in zip(self.terms, self._at, totals, strict=True):
            if total is not None:
                found += times * total[at]
        return found


class Need(NamedTuple):
    """How far below and above the truth a count should stay possible; 0 and 0 for anywhere else."""

    down: int
    up: int

    def is_met(self, lowest: int, highest: int) -> bool:
        """Whether completions reach both ends, `lowest` and `highest` being their distances."""
        return self.is_wide(lowest, highest) and lowest <= self.down and highest >= self.up

    def is_wide(self, lowest: int, highest: int) -> bool:
        """Whether as many values stay possible, though the ends may lie elsewhere.

        A total of counts that are each known to be 1 or more cannot be 1 itself.
        """
        return highest - lowest >= max(1, self.up - self.down)


ANYWHERE = Need(0, 0)


@dataclass
class Knowledge:
    """Everything the choice of cells rests on, for one release.

    `versions` has each block's table in every release of its period; a completion must fit them
    all, because a reader may know what changed between them. `told` are the counts that earlier
    releases published, `lowered` how much lower than the truth a count may seem that readers know
    not to be zero, `needs` the small counts and what protects them.
    """

    period: str
    layouts: Layouts
    formulas: Formulas
    versions: dict[Block, list[Table]] = field(default_factory=dict)
    at_most: list[KnownSum] = field(default_factory=list)
    equal: list[KnownSum] = field(default_factory=list)
    told: set[Quantity] = field(default_factory=set)
    lowered: dict[Quantity, int] = field(default_factory=dict)
    needs: dict[Quantity, Need] = field(default_factory=dict)

    def count(self, quantity: Quantity, version: int = -1) -> int:
        """A count as of one release of its period: the present one, or the last issued."""
        values = {
            slot: self.versions[quantity.period, slot][version] for slot, _ in quantity.expression
        }
        return self.layouts.total(quantity.expression, values, quantity.spot)

    def height(self, quantity: Quantity) -> int:
        """How high the place of a count stands."""
        return self.layouts.of(quantity.expression[0][0]).height[quantity.place]

    def spare(self, relation: KnownSum) -> NDArray[np.int64]:
        """By how much, at least, a relation holds in every release of its periods."""
        versions = zip(
            *(reversed(self.versions[block]) for block, _ in relation.terms), strict=False
        )
        least: NDArray[np.int64] = np.min([relation.sums(it) for it in versions], axis=0)
        return least

    def protect(self, quantity: Quantity, need: Need) -> None:
        """Ask for a count's protection, beside what is asked for already."""
        asked = self.needs.get(quantity, need)
        self.needs[quantity] = Need(min(asked.down, need.down), max(asked.up, need.up))


def gather(
    release: Release, declared: Sequence[AnyMeasure], rule: Rule, issued: Iterable[Issued]
) -> Knowledge:
    """What concerns the protection of a release, in order of its cells.

    Raises NotProtected when the release does not add up, or an earlier one of its period has
    other areas or age bands.
    """
    earlier = sorted(
        (
            each
            for each in issued
            if each.release.areas == release.areas and each.release.age_bands == release.age_bands
        ),
        key=lambda each: (each.release.period, each.release.number),
    )
    if any(each.release.period == release.period and each not in earlier for each in issued):
        raise NotProtected("an earlier release of the period has other areas: correct it instead")
    formulas = Formulas(release.indicators)
    near = _near(release, declared, formulas, earlier)
    layouts = Layouts(release.areas, release.age_bands, [*(each.release for each in near), release])
    known = Knowledge(release.period, layouts, formulas)
    _Blocks(known, release, declared, near).add()
    _add_relations(known, declared)
    for each in near:
        _add_told(known, each)
    _add_lowered(known, release, rule, near)
    _add_needs(known, release, rule)
    for each in near:
        _add_earlier_needs(known, each)
    return known


def _near(
    release: Release,
    measures: Sequence[AnyMeasure],
    formulas: Formulas,
    earlier: Sequence[Issued],
) -> list[Issued]:
    """The releases whose months a definition may link to this one's."""
    months = longest_ago(carried(measures, formulas))
    first = last = release.period
    for _ in range(months):
        first, last = month_before(first), month_after(last)
    return [each for each in earlier if first <= each.release.period <= last]


class _Blocks:
    """The tables of the release's period, and those of other months that a definition links."""

    def __init__(
        self,
        known: Knowledge,
        release: Release,
        measures: Sequence[AnyMeasure],
        near: Sequence[Issued],
    ) -> None:
        self._known, self._release, self._measures = known, release, measures
        self._own = [each.release for each in near if each.release.period == release.period]
        self._others = [each.release for each in near if each.release.period != release.period]

    def add(self) -> None:
        """Take them all in, with what links them."""
        known, period = self._known, self._release.period
        for version in (*self._own, self._release):
            for slot, table in self._tables(version).items():
                known.versions.setdefault((period, slot), []).append(table)
        others: dict[Block, list[Table]] = {}
        for other in self._others:
            for slot, table in self._tables(other).items():
                others.setdefault((other.period, slot), []).append(table)
        self._link_months(others)
        known.equal += self._of_districts()

    def _tables(self, release: Release) -> dict[str, Table]:
        return tables(release, Formulas(release.indicators), self._known.layouts)

    def _link_months(self, others: Mapping[Block, list[Table]]) -> None:
        """Take in the tables that add up with those at hand, over any number of months."""
        known, own = self._known, list(self._known.versions)
        sums = list(self._over_months({*own, *others}))
        linked = {block for each in _joined(own, sums) for block, _ in each.terms}
        known.versions |= {block: others[block] for block in sorted(linked - set(own))}
        for each in sums:
            if each.terms[0][0] not in linked:
                continue
            spots = leaf_spots(known.layouts, each.terms)
            relation = KnownSum(each.terms, spots, known.layouts)
            if each.is_equal:
                known.equal.append(relation)
            elif held_at := _where_it_holds(known, relation):
                loose = KnownSum(each.terms, held_at, known.layouts, is_loose=True)
                known.at_most.append(loose)

    def _over_months(self, at_hand: Collection[Block]) -> Iterator[OverMonths]:
        """What adds up over months, of all that may be at hand."""
        formulas = self._known.formulas
        links, held = carried(self._measures, formulas), held_since(self._measures, formulas)
        for period in sorted({period for period, _ in at_hand}):
            for each in over_months(links, held, period, at_hand):
                if len(each.terms) > 1:
                    yield each

    def _of_districts(self) -> Iterator[KnownSum]:
        """What stands beside a site as its district's is what the district has."""
        known, period = self._known, self._release.period
        where = Whereabouts(self._release.areas, self._release.places)
        for slot, of in known.formulas.of_districts.items():
            if not {(period, slot), (period, of)} <= known.versions.keys():
                continue
            spots = tuple(
                ((place, band), (Place("", district.name), band))
                for place, band in known.layouts.of(slot).index
                if (district := where.district_of(place))
                and (Place("", district.name), band) in known.layouts.of(of).index
            )
            if spots:
                yield KnownSum((((period, slot), 1), ((period, of), -1)), spots, known.layouts)


def _joined(own: Iterable[Block], sums: Sequence[OverMonths]) -> list[OverMonths]:
    """The sums that link tables to one's own, whether by themselves or through others."""
    linked, found, left = set(own), list[OverMonths](), list(sums)
    while near := [it for it in left if not linked.isdisjoint(block for block, _ in it.terms)]:
        linked |= {block for each in near for block, _ in each.terms}
        found += near
        left = [it for it in left if it not in near]
    return found


def _where_it_holds(known: Knowledge, relation: KnownSum) -> list[tuple[Spot, ...]]:
    """Where the truth bears a relation out: a correction since may have it otherwise."""
    holds = known.spare(relation) >= 0
    return [spots for spots, is_so in zip(relation.spots, holds, strict=True) if is_so]


def leaf_spots(layouts: Layouts, terms: Terms) -> tuple[tuple[Spot, ...], ...]:
    """The smallest places and bands that several blocks have in common, for each of the blocks."""
    slots = [slot for (_, slot), _ in terms]
    first = layouts.of(slots[0])
    if all(layouts.of(slot) is first for slot in slots):
        spots = first.leaf_spots
    else:
        spots = layouts.common(tuple((slot, 1) for slot in slots))
    return tuple((spot,) * len(slots) for spot in spots)


def _add_relations(known: Knowledge, measures: Sequence[AnyMeasure]) -> None:
    """Relations that the truth bears out; of another month, those between tables at hand."""
    every = relations(measures, known.formulas)
    for period in sorted({period for period, _ in known.versions}):
        borne_out = [
            spare
            for spare in every
            if all((period, slot) in known.versions for slot, _ in spare)
            and _holds(known, _of_period(known, period, spare))
        ]
        found = (_of_period(known, period, spare) for spare in without_implied(borne_out))
        known.at_most += [it for it in found if it.spots]
    for period, slot in sorted(known.versions):
        for whole in known.layouts.of(slot).wholes:
            each = _once_each(known, (period, slot), whole)
            known.at_most += [it for it in each if _holds(known, it)]


def _once_each(known: Knowledge, block: Block, whole: Whole) -> Iterator[KnownSum]:
    for part in whole.parts:
        spots = ((whole.place, ALL_AGES), (part, ALL_AGES))
        yield KnownSum(((block, 1), (block, -1)), (spots,), known.layouts)
    if whole.is_all:
        terms = ((block, -1), *((block, 1) for _ in whole.parts))
        places = tuple((place, ALL_AGES) for place in (whole.place, *whole.parts))
        yield KnownSum(terms, (places,), known.layouts)


def _of_period(known: Knowledge, period: str, spare: Expression) -> KnownSum:
    terms = tuple(((period, slot), times) for slot, times in spare)
    return KnownSum(terms, leaf_spots(known.layouts, terms), known.layouts)


def _holds(known: Knowledge, relation: KnownSum) -> bool:
    return bool((known.spare(relation) >= 0).all())


def _is_at_hand(known: Knowledge, quantity: Quantity) -> bool:
    return all(
        (quantity.period, slot) in known.versions and quantity.spot in known.layouts.of(slot).index
        for slot, _ in quantity.expression
    )


def _add_told(known: Knowledge, each: Issued) -> None:
    """The counts an issued release published.

    Its previous column needs no regard: it repeats what the month's own release published.
    """
    formulas = Formulas(each.release.indicators)
    for cell in each.public.cells:
        if cell.is_told:
            for quantity in formulas.revealed(each.release.period, cell.key):
                if _is_at_hand(known, quantity):
                    known.told.add(quantity)


def _add_lowered(known: Knowledge, release: Release, rule: Rule, earlier: Sequence[Issued]) -> None:
    """Where zeros are shown, a suppressed count is known not to be zero."""
    versions = [*((each.release, each.public.rule) for each in earlier), (release, rule)]
    for version, its_rule in versions:
        if not its_rule.zeros_shown:
            continue
        formulas = Formulas(version.indicators)
        for cell in counted_cells(version):
            if formulas.indicators[cell.code].denominator is not None:
                continue
            for quantity in formulas.revealed(version.period, cell.key):
                if _is_at_hand(known, quantity):
                    room = max(0, cell.counted[0] - 1)
                    known.lowered[quantity] = min(room, known.lowered.get(quantity, room))


def _add_needs(known: Knowledge, release: Release, rule: Rule) -> None:
    for cell in counted_cells(release):
        for expression in known.formulas.people(cell.code, rests=rule.complements):
            quantity = Quantity(release.period, expression, cell.area, cell.age_band, cell.level)
            _protect_small(known, quantity, rule)
    if rule.remainders:
        for quantity in remainders(known, rests=rule.complements):
            _protect_small(known, quantity, rule)


def remainders(known: Knowledge, *, rests: bool) -> Iterator[Quantity]:
    """The counts that are differences of what is published: of no district, of no provider."""
    found: dict[Expression, None] = {}
    for code in known.formulas.indicators:
        found |= dict.fromkeys(known.formulas.people(code, rests=rests))
    for expression in found:
        places = set(known.layouts.of(expression[0][0]).remainders)
        for place, band in known.layouts.common(expression):
            if place in places:
                yield Quantity(known.period, expression, place.name, band, place.level)


def _protect_small(known: Knowledge, quantity: Quantity, rule: Rule) -> None:
    if not _is_at_hand(known, quantity):
        return
    count = known.count(quantity)
    if rule.is_small(count):
        least, greatest = rule.kept_possible(count)
        known.protect(quantity, Need(least - count, greatest - count))


def _add_earlier_needs(known: Knowledge, each: Issued) -> None:
    """What an issued release withheld stays protected; withheld counts that were not small too.

    By the rule that it went out by, whatever the present one is.
    """
    rule, formulas = each.public.rule, Formulas(each.release.indicators)
    period = each.release.period
    own = tables(each.release, formulas, known.layouts)
    for cell in counted_cells(each.release):
        if not each.public.is_suppressed(cell.key):
            continue
        is_count = formulas.indicators[cell.code].denominator is None
        for expression in formulas.people(cell.code, rests=rule.complements):
            quantity = Quantity(period, expression, cell.area, cell.age_band, cell.level)
            if not _is_at_hand(known, quantity):
                continue
            count = known.layouts.total(expression, own, quantity.spot)
            if rule.is_small(count):
                least, greatest = rule.kept_possible(count)
                known.protect(quantity, Need(least - count, greatest - count))
            elif is_count and period == known.period:
                known.protect(quantity, ANYWHERE)
