"""What differs between two releases of a period, cell by cell, and which events are behind it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from processors.days.calendar import previous_month_end
from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import Catalogue, Indicator
from schemas.places import NO_PLACES, Place, Places
from schemas.release import Cause, Change, Position, ReleaseCell
from schemas.schemes import RagScheme
from snapshots.checking.causes import Shift
from snapshots.checking.evidence import Evidence, known_of
from snapshots.recount.children import Placed, Spot, before, news, offsets_of
from snapshots.recount.places import Whereabouts
from snapshots.recount.supplies import Key, figure_keys, goals_of, keys_of, said

# A cell's own figure; the rest of it says how it compares.
FIGURE = ("numerator", "denominator", "value", "status")
COMPARED = ("previous", "direction", "target", "rag")
# Events that a release names behind one change: enough to look into, few enough that a release in
# which everything changed is still one message. `snapshot diff` names all.
MOST_CAUSES = 10
# Which of the as-of date (0) and the month before's end (1) a field rests on; the first, if unsaid.
DATES_OF: Mapping[str, tuple[int, ...]] = {"previous": (1,), "direction": (0, 1)}
DATES_OF_RATINGS: Mapping[RagScheme, tuple[int, ...]] = {"target": (0,), "previous": (0, 1)}

# What reference events say, by what it is said of.
Table = Mapping[Key, object]


class FigureDifference(NamedTuple):
    """A cell that differs, and in which of its fields; a missing cell was not there then."""

    before: ReleaseCell | None
    after: ReleaseCell | None
    fields: tuple[str, ...]

    @property
    def cell(self) -> ReleaseCell:
        """The cell, as it is now if it still is."""
        cell = self.after or self.before
        assert cell is not None
        return cell

    @property
    def is_of_the_figure(self) -> bool:
        """Whether the figure itself differs, and not only what it is compared with."""
        return any(field in FIGURE for field in self.fields)


def differences(
    earlier: Sequence[ReleaseCell], later: Sequence[ReleaseCell]
) -> Iterator[FigureDifference]:
    """The cells that differ, in the later ones' order, then those that are gone."""
    old = {cell.key: cell for cell in earlier}
    for cell in later:
        was = old.pop(cell.key, None)
        fields = _differing(was, cell) if was else (*FIGURE, *COMPARED)
        if fields:
            yield FigureDifference(was, cell, fields)
    for cell in old.values():
        yield FigureDifference(cell, None, (*FIGURE, *COMPARED))


def _differing(was: ReleaseCell, now: ReleaseCell) -> tuple[str, ...]:
    fields = (*FIGURE, *COMPARED)
    return tuple(field for field in fields if getattr(was, field) != getattr(now, field))


class Explanation:
    """The events behind differences, from the log up to the later of two cuts."""

    def __init__(
        self,
        catalogue: Catalogue,
        areas: Areas,
        as_of: date,
        evidence: Evidence,
        since: Iterable[Position],
        places: Places = NO_PLACES,
    ) -> None:
        self._indicators = {indicator.code: indicator for indicator in catalogue.indicator}
        self._catalogue = catalogue
        self._levels = {area.name: area.level for area in areas.area}
        self._where = Whereabouts(areas, places)
        self._dates = as_of, previous_month_end(as_of)
        assert evidence.moves is not None, "the evidence was not asked why"
        self._moves = evidence.moves
        of_reference = (it for placed in evidence.reference for it in placed)
        self._placed = {**evidence.moves.placed, **{it.spot: it for it in of_reference}}
        reference = _Reference(evidence.reference, since)
        self._supplies = [reference.behind(partial(said, as_of=day)) for day in self._dates]
        self._targets = reference.behind(lambda events: _targets(events, areas.top, as_of))

    def changes(self, found: Iterable[FigureDifference]) -> tuple[Change, ...]:
        """The differing figures as a release keeps them; what they compare with is left out."""
        return tuple(self._change(it) for it in found if it.is_of_the_figure)

    def _change(self, difference: FigureDifference) -> Change:
        causes = self._spots(difference.cell, "value")
        return Change(
            code=difference.cell.code,
            area=difference.cell.area,
            level=difference.cell.level,
            age_band=difference.cell.age_band,
            before=difference.before.value if difference.before else None,
            after=difference.after.value if difference.after else None,
            causes=tuple(self._cause(spot) for spot in causes[:MOST_CAUSES]),
            more_causes=max(0, len(causes) - MOST_CAUSES),
        )

    def causes(self, cell: ReleaseCell, field: str) -> tuple[Cause, ...]:
        """The events behind a difference in a field of a cell, in the log's order.

        None where it is the definition that differs.
        """
        return tuple(self._cause(spot) for spot in self._spots(cell, field))

    def shifts(self, cell: ReleaseCell) -> tuple[list[Shift], list[Shift]]:
        """What moved case by case in a cell's numerator, and in its denominator.

        Where the evidence names cases; a slot that counts several times is there once.
        """
        indicator = self._indicators[cell.code]
        place = Place(cell.level or self._levels.get(cell.area, ""), cell.area)
        elsewhere = self._where.district_of(place) if indicator.denominator_of else None
        below = indicator.denominator if isinstance(indicator.denominator, dict) else {}
        moves, band = self._moves, cell.age_band
        return (
            moves.shifts(0, indicator.numerator, place, band),
            moves.shifts(0, below, elsewhere or place, band),
        )

    def event(self, spot: Spot) -> Event:
        """An event behind a difference, by where it lies."""
        return self._placed[spot].event

    def _spots(self, cell: ReleaseCell, field: str) -> list[Spot]:
        found = set[Spot]()
        if field != "target" and cell.code in self._indicators:
            indicator = self._indicators[cell.code]
            for position in self._dates_of(indicator, field):
                found |= self._behind(indicator, cell, position)
        if field in {"target", "rag"}:
            found |= self._targets.get((cell.code, cell.area), set())
        return sorted(found)

    def _cause(self, spot: Spot) -> Cause:
        return self._placed[spot].cause

    def _dates_of(self, indicator: Indicator, field: str) -> tuple[int, ...]:
        if field == "rag":
            return DATES_OF_RATINGS[self._catalogue.scheme_of(indicator).rag]
        return DATES_OF.get(field, (0,))

    def _behind(self, indicator: Indicator, cell: ReleaseCell, position: int) -> set[Spot]:
        place = Place(cell.level or self._levels.get(cell.area, ""), cell.area)
        found = self._moves.causes(position, indicator.terms, place, cell.age_band)
        if indicator.denominator_of and (district := self._where.district_of(place)):
            found |= self._moves.causes(position, indicator.terms, district, cell.age_band)
        asked = indicator, place, cell.age_band, self._dates[position]
        for key in (*keys_of(*asked), *figure_keys(*asked)):
            found |= self._supplies[position].get(key, set())
        return found


def _targets(events: Iterable[Event], top: str, as_of: date) -> Table:
    goals = goals_of((), events, top, as_of)
    return {(code, area): goal for (code, area), goal in goals.items()}


class _Reference:
    """Reference events up to two cuts, and which of those between make a table read otherwise."""

    def __init__(self, reference: Sequence[Sequence[Placed]], since: Iterable[Position]) -> None:
        self._cut = offsets_of(since)
        self._now = [list(placed) for placed in reference]
        self._before = [before(placed, self._cut) for placed in reference]

    def behind(self, read: Callable[[Sequence[Event]], Table]) -> dict[Key, set[Spot]]:
        """By key of what is read of the events, those behind a difference; all where none alone."""
        was, now = read(known_of(self._before)), read(known_of(self._now))
        moved, candidates = _unlike(was, now), []
        found: dict[Key, set[Spot]] = defaultdict(set)
        for child, placed in enumerate(self._now):
            for candidate in news(placed, self._cut) if moved else ():
                others = [it for it in placed if it.event != candidate.event]
                without = read(known_of(_with(self._now, child, others)))
                and_it = [*self._before[child], candidate]
                alone = read(known_of(_with(self._before, child, and_it)))
                for key in moved & (_unlike(now, without) | _unlike(was, alone)):
                    found[key].add(candidate.spot)
                candidates.append(candidate.spot)
        return {key: found.get(key) or set(candidates) for key in moved}


def _with(reference: list[list[Placed]], child: int, placed: list[Placed]) -> list[list[Placed]]:
    return [*reference[:child], placed, *reference[child + 1 :]]


def _unlike(some: Table, others: Table) -> set[Key]:
    return {key for key in some.keys() | others.keys() if some.get(key) != others.get(key)}
