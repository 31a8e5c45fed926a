"""What there is to know, what is known already, and what must not become known.

The tables of the release's period, those of other months that a definition links to it, what
earlier public releases told of them, and the small counts behind all of these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.catalogue import AnyMeasure, Measure
from schemas.release import Release
from snapshots.disclosure.counts import (
    Expression,
    Formulas,
    NotProtected,
    Quantity,
    tables,
    total_of,
)
from snapshots.disclosure.layout import NO_DISTRICT, Layout, Table
from snapshots.disclosure.public import Issued, month_before
from snapshots.disclosure.relations import carried, relations, without_implied
from snapshots.disclosure.suppression import Rule

Block = tuple[str, str]  # period, slot
# A sum over blocks, in every leaf area and band alike.
BlockSum = tuple[tuple[Block, int], ...]


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
    layout: Layout
    formulas: Formulas
    versions: dict[Block, list[Table]] = field(default_factory=dict)
    at_most: list[BlockSum] = field(default_factory=list)
    equal: list[BlockSum] = field(default_factory=list)
    told: set[Quantity] = field(default_factory=set)
    lowered: dict[Quantity, int] = field(default_factory=dict)
    needs: dict[Quantity, Need] = field(default_factory=dict)

    def count(self, quantity: Quantity, version: int = -1) -> int:
        """A count as of one release of its period: the present one, or the last issued."""
        values = {
            slot: self.versions[quantity.period, slot][version] for slot, _ in quantity.expression
        }
        cells = self.layout.leaf_cells[quantity.area, quantity.band]
        return sum(
            times * int(values[slot].ravel()[cells].sum()) for slot, times in quantity.expression
        )

    def protect(self, quantity: Quantity, need: Need) -> None:
        """Ask for a count's protection, beside what is asked for already."""
        asked = self.needs.get(quantity, need)
        self.needs[quantity] = Need(min(asked.down, need.down), max(asked.up, need.up))


def gather(
    release: Release, declared: Sequence[AnyMeasure], rule: Rule, issued: Iterable[Issued]
) -> Knowledge:
    """What concerns the protection of a release, in order of its cells.

    Of the measures declared, those of cases tell of one another.

    Raises NotProtected when the release does not add up, or an earlier one of its period has
    other areas or age bands.
    """
    measures = [it for it in declared if isinstance(it, Measure)]
    layout, formulas = Layout(release.areas, release.age_bands), Formulas(release.indicators)
    known = Knowledge(release.period, layout, formulas)
    earlier = sorted(
        (each for each in issued if each.release.areas == release.areas),
        key=lambda each: (each.release.period, each.release.number),
    )
    if any(each.release.period == release.period and each not in earlier for each in issued):
        raise NotProtected("an earlier release of the period has other areas: correct it instead")
    _add_blocks(known, release, measures, earlier)
    _add_relations(known, measures)
    for each in earlier:
        _add_told(known, each)
    _add_lowered(known, release, rule, earlier)
    _add_needs(known, release, rule)
    for each in earlier:
        _add_earlier_needs(known, each)
    return known


def _add_blocks(
    known: Knowledge, release: Release, measures: Sequence[Measure], earlier: Sequence[Issued]
) -> None:
    own = [each.release for each in earlier if each.release.period == release.period]
    for version in (*own, release):
        for slot, table in tables(version, Formulas(version.indicators), known.layout).items():
            known.versions.setdefault((release.period, slot), []).append(table)
    others: dict[Block, list[Table]] = {}
    for each in earlier:
        if each.release.period != release.period:
            formulas = Formulas(each.release.indicators)
            for slot, table in tables(each.release, formulas, known.layout).items():
                others.setdefault((each.release.period, slot), []).append(table)
    for link in carried(measures, known.formulas):
        for month in {release.period, *(period for period, _ in others)}:
            terms = [((month, link.slot), 1)]
            at = month
            for _ in range(link.months):
                at = month_before(at)
                terms.append(((at, link.of), -1))
            blocks = {block for block, _ in terms}
            if any(period == release.period for period, _ in blocks) and blocks <= {
                *known.versions,
                *others,
            }:
                known.versions |= {block: others[block] for block in blocks & set(others)}
                known.equal.append(tuple(terms))


def _add_relations(known: Knowledge, measures: Sequence[Measure]) -> None:
    """Relations that the truth bears out; of another month, those between tables at hand."""
    every = relations(measures, known.formulas)
    for period in sorted({period for period, _ in known.versions}):
        borne_out = [
            spare
            for spare in every
            if all((period, slot) in known.versions for slot, _ in spare)
            and _holds(known, _of_period(period, spare))
        ]
        known.at_most += [_of_period(period, spare) for spare in without_implied(borne_out)]


def _of_period(period: str, spare: Expression) -> BlockSum:
    return tuple(((period, slot), times) for slot, times in spare)


def _holds(known: Knowledge, blocks: BlockSum) -> bool:
    return all(
        (sum(times * table for (_, times), table in zip(blocks, row, strict=True)) >= 0).all()
        for row in zip(*(reversed(known.versions[block]) for block, _ in blocks), strict=False)
    )


def _is_at_hand(known: Knowledge, quantity: Quantity) -> bool:
    return all((quantity.period, slot) in known.versions for slot, _ in quantity.expression)


def _add_told(known: Knowledge, each: Issued) -> None:
    """The counts an issued release published.

    Its previous column needs no regard: it repeats what the month's own release published.
    """
    formulas = Formulas(each.release.indicators)
    for cell in each.public.cells:
        if cell.numerator is not None:
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
        for cell in version.cells:
            if formulas.indicators[cell.code].denominator is not None:
                continue
            for quantity in formulas.revealed(version.period, cell.key):
                if _is_at_hand(known, quantity):
                    room = max(0, cell.numerator - 1)
                    known.lowered[quantity] = min(room, known.lowered.get(quantity, room))


def _add_needs(known: Knowledge, release: Release, rule: Rule) -> None:
    for cell in release.cells:
        if cell.status != "not-at-this-level":
            for expression in known.formulas.people(cell.code, rests=rule.complements):
                _protect_small(
                    known, Quantity(release.period, expression, cell.area, cell.age_band), rule
                )
    if rule.remainders:
        for expression in _people(known, rule):
            for band in known.layout.bands:
                _protect_small(known, Quantity(release.period, expression, NO_DISTRICT, band), rule)


def _people(known: Knowledge, rule: Rule) -> list[Expression]:
    found: dict[Expression, None] = {}
    for code in known.formulas.indicators:
        found |= dict.fromkeys(known.formulas.people(code, rests=rule.complements))
    return list(found)


def _protect_small(known: Knowledge, quantity: Quantity, rule: Rule) -> None:
    count = known.count(quantity)
    if rule.is_small(count):
        least, greatest = rule.kept_possible(count)
        known.protect(quantity, Need(least - count, greatest - count))


def _add_earlier_needs(known: Knowledge, each: Issued) -> None:
    """What an issued release withheld stays protected; withheld counts that were not small too.

    By the rule that it went out by, whatever the present one is.
    """
    rule, formulas = each.public.rule, Formulas(each.release.indicators)
    values = tables(each.release, formulas, known.layout)
    for cell in each.release.cells:
        if not each.public.is_suppressed(cell.key):
            continue
        is_count = formulas.indicators[cell.code].denominator is None
        for expression in formulas.people(cell.code, rests=rule.complements):
            quantity = Quantity(each.release.period, expression, cell.area, cell.age_band)
            if not _is_at_hand(known, quantity):
                continue
            where = known.layout.index[cell.area, cell.age_band]
            count = int(total_of(expression, values, known.layout)[where])
            if rule.is_small(count):
                least, greatest = rule.kept_possible(count)
                known.protect(quantity, Need(least - count, greatest - count))
            elif is_count and each.release.period == known.period:
                known.protect(quantity, ANYWHERE)
