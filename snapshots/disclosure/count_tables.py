"""The slots' tables behind a release, worked out from its cells, and how each is laid out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from schemas.areas import Areas
from schemas.catalogue import Indicator, PersonMeasure
from schemas.places import PROVIDER, SITE_LEVELS, Place
from schemas.release import Release, ReleaseCell
from snapshots.disclosure.counts import Expression, Formulas, NotProtected
from snapshots.disclosure.layout import Layout, Shape, Spot, Table


class Layouts:
    """The layout of every slot that releases of one tree of areas and of the same bands tell of."""

    def __init__(self, areas: Areas, bands: Sequence[str], releases: Iterable[Release]) -> None:
        self._areas, self._bands = areas, tuple(bands)
        self._indicators: dict[str, list[Indicator]] = defaultdict(list)
        self._apart = set[str]()
        self._providers: dict[str, None] = {}
        self._sites: dict[Place, None] = {}
        for release in releases:
            self._take(release)
        self.of = cache(self._of)
        self._made = cache(self._make)

    def _take(self, release: Release) -> None:
        formulas = Formulas(release.indicators)
        for code, indicator in formulas.indicators.items():
            for expression in formulas.expressions(code):
                for slot, _ in expression:
                    self._indicators[slot].append(indicator)
        self._apart |= {
            slot for it in release.measures if _counts_once_at_each(it) for slot in it.slots
        }
        for cell in release.cells:
            if cell.level == PROVIDER:
                self._providers[cell.area] = None
            elif cell.level in SITE_LEVELS:
                self._sites[Place(cell.level, cell.area)] = None

    def _of(self, slot: str) -> Layout:
        """The layout of a slot's tables."""
        indicators = self._indicators[slot]
        levels = {level for it in indicators for level in it.levels}
        return self._made(
            Shape(
                is_banded=any(it.bands != "none" for it in indicators),
                has_areas=bool(levels.intersection(self._areas.levels)),
                has_providers=any(level.startswith(PROVIDER) for level in levels),
                sites=tuple(site for site in sorted(self._sites) if site.level in levels),
                is_apart=slot in self._apart,
            )
        )

    def has_smallest_places(self, slot: str) -> bool:
        """Whether what is told by area and by provider is told by both at once as well."""
        levels = {level for it in self._indicators[slot] for level in it.levels}
        by_provider = any(level.startswith(PROVIDER) for level in levels)
        is_crossed = by_provider and bool(levels.intersection(self._areas.levels))
        return not is_crossed or f"{PROVIDER}-{self._areas.levels[-1]}" in levels

    def _make(self, shape: Shape) -> Layout:
        return Layout(self._areas, self._bands, shape, sorted(self._providers))

    def lacks_places(self, slot: str) -> str:
        """What to do about a slot whose smallest places or bands no indicator shows."""
        codes = " and ".join(sorted({it.code for it in self._indicators[slot]}))
        lowest = self._areas.levels[-1]
        return (
            f"{slot}: not shown for every place and band that it is made up of, so that nothing "
            f"says what its small counts are. In the catalogue, give {codes} the level {lowest} "
            f"and, where any is shown by {PROVIDER}, the level {PROVIDER}-{lowest}, and show all "
            "or none of them by age band; or say released = false"
        )

    def common(self, expression: Expression) -> list[Spot]:
        """The places and bands that all slots of a sum have, whether published or not."""
        first, *others = [self.of(slot) for slot, _ in expression]
        return [spot for spot in first.index if all(spot in it.index for it in others)]

    def total(self, expression: Expression, values: Mapping[str, Table], spot: Spot) -> int:
        """A sum of slots in a place and band."""
        return sum(
            times * int(values[slot].ravel()[self.of(slot).leaf_cells[spot]].sum())
            for slot, times in expression
        )


def _counts_once_at_each(measure: object) -> bool:
    if isinstance(measure, PersonMeasure):
        return measure.once == "session"
    return False


def counted_cells(release: Release) -> list[ReleaseCell]:
    """The cells that something is counted for."""
    codes = {it.code for it in release.indicators if it.source == "events"}
    return [it for it in release.cells if it.code in codes and it.status != "not-at-this-level"]


def tables(release: Release, formulas: Formulas, layouts: Layouts) -> dict[str, Table]:
    """Every slot's table by leaf and age band; what has no district or provider is the difference.

    Raises NotProtected where the release's cells do not add up, since the protection of one
    cell is worked out from the others.
    """
    told: dict[str, dict[Spot, int]] = defaultdict(dict)
    where: dict[str, set[Place]] = defaultdict(set)
    for cell in release.cells:
        if cell.code not in formulas.indicators:
            continue
        place = Place(cell.level, cell.area)
        for expression, count in _counts(cell, formulas):
            (slot, times), *more = expression
            if times == 1 and not more:
                told[slot][place, cell.age_band] = count
                where[slot].add(place)
    found: dict[str, Table] = {}
    for slot, counts in told.items():
        layout = layouts.of(slot)
        table = layout.leaf_table(counts, sorted(where[slot]))
        if table is None or not (layout.is_apart or layouts.has_smallest_places(slot)):
            raise NotProtected(layouts.lacks_places(slot))
        found[slot] = table
    _check_sums(release, formulas, layouts, found)
    return found


def _counts(cell: ReleaseCell, formulas: Formulas) -> list[tuple[Expression, int]]:
    numerator, denominator = cell.counted
    found = [(formulas.numerator[cell.code], numerator)]
    if cell.code in formulas.denominator:
        found.append((formulas.denominator[cell.code], denominator))
    return found


def _check_sums(
    release: Release, formulas: Formulas, layouts: Layouts, found: dict[str, Table]
) -> None:
    totals = {slot: layouts.of(slot).totals(table) for slot, table in found.items()}
    for cell in counted_cells(release):
        spot = Place(cell.level, cell.area), cell.age_band
        for expression, count in _counts(cell, formulas):
            if any(spot not in layouts.of(slot).index for slot, _ in expression):
                (slot, _), *_ = expression
                raise NotProtected(f"{cell.area}, {cell.age_band}: {layouts.lacks_places(slot)}")
            expected = sum(
                times * int(totals[slot][layouts.of(slot).index[spot]])
                for slot, times in expression
            )
            if expected != count:
                raise NotProtected(
                    f"{cell.code} of {cell.area}, {cell.age_band}: does not add up over places "
                    "and bands"
                )
    for slot, table in found.items():
        if (table < 0).any():
            raise NotProtected(f"{slot}: a place has more than the places it lies in")
