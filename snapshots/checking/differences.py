"""What differs between two releases of a period, cell by cell, and which events are behind it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from processors.days.calendar import previous_month_end
from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import AGE_BANDS, ALL_AGES, Catalogue, Indicator, RagScheme
from schemas.release import Cause, Change, Position, ReleaseCell
from snapshots.checking.evidence import Evidence, known_of
from snapshots.recount.cells import goals_of, populations
from snapshots.recount.children import Place, Placed, before, news, offsets_of
from snapshots.recount.definitions import Share

# A cell's own figure; the rest of it says how it compares.
FIGURE = ("numerator", "denominator", "value", "status")
COMPARED = ("previous", "direction", "target", "rag")
# Events that a release names behind one change: enough to look into, few enough that a release in
# which everything changed is still one message. `snapshot diff` names all.
MOST_CAUSES = 20
# Which of the as-of date (0) and the month before's end (1) a field rests on; the first, if unsaid.
DATES_OF: Mapping[str, tuple[int, ...]] = {"previous": (1,), "direction": (0, 1)}
DATES_OF_RATINGS: Mapping[RagScheme, tuple[int, ...]] = {"target": (0,), "previous": (0, 1)}

# What reference events say, by (area, band) or (code, area).
Table = Mapping[tuple[str, str], object]


class Difference(NamedTuple):
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
) -> Iterator[Difference]:
    """The cells that differ, in the later ones' order, then those that are gone."""
    old = {_key(cell): cell for cell in earlier}
    for cell in later:
        was = old.pop(_key(cell), None)
        fields = _differing(was, cell) if was else (*FIGURE, *COMPARED)
        if fields:
            yield Difference(was, cell, fields)
    for cell in old.values():
        yield Difference(cell, None, (*FIGURE, *COMPARED))


def _key(cell: ReleaseCell) -> tuple[str, str, str]:
    return cell.code, cell.area, cell.age_band


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
    ) -> None:
        self._indicators = {indicator.code: indicator for indicator in catalogue.indicator}
        self._dates_of = {**DATES_OF, "rag": DATES_OF_RATINGS[catalogue.rag]}
        self._areas = areas
        self._dates = as_of, previous_month_end(as_of)
        assert evidence.moves is not None, "the evidence was not asked why"
        self._moves = evidence.moves
        of_reference = (it for placed in evidence.reference for it in placed)
        self._placed = {**evidence.moves.placed, **{it.place: it for it in of_reference}}
        reference = _Reference(evidence.reference, since)
        self._populations = [
            reference.behind(partial(populations, as_of=day)) for day in self._dates
        ]
        self._targets = reference.behind(lambda events: _targets(events, areas.top, as_of))

    def changes(self, found: Iterable[Difference]) -> tuple[Change, ...]:
        """The differing figures as a release keeps them; what they compare with is left out."""
        return tuple(self._change(it) for it in found if it.is_of_the_figure)

    def _change(self, difference: Difference) -> Change:
        causes = self._places(difference.cell, "value")
        return Change(
            code=difference.cell.code,
            area=difference.cell.area,
            age_band=difference.cell.age_band,
            before=difference.before.value if difference.before else None,
            after=difference.after.value if difference.after else None,
            causes=tuple(self._cause(place) for place in causes[:MOST_CAUSES]),
            more_causes=max(0, len(causes) - MOST_CAUSES),
        )

    def causes(self, cell: ReleaseCell, field: str) -> tuple[Cause, ...]:
        """The events behind a difference in a field of a cell, in the log's order.

        None where it is the definition that differs.
        """
        return tuple(self._cause(place) for place in self._places(cell, field))

    def _places(self, cell: ReleaseCell, field: str) -> list[Place]:
        found = set[Place]()
        if field != "target" and cell.code in self._indicators:
            for position in self._dates_of.get(field, (0,)):
                found |= self._behind(self._indicators[cell.code], cell, position)
        if field in {"target", "rag"}:
            found |= self._targets.get((cell.code, cell.area), set())
        return sorted(found)

    def _cause(self, place: Place) -> Cause:
        return self._placed[place].cause

    def _behind(self, indicator: Indicator, cell: ReleaseCell, position: int) -> set[Place]:
        found = self._moves.causes(position, self._shares(indicator, cell))
        if indicator.denominator == "population":
            found |= self._populations[position].get((cell.area, cell.age_band), set())
        return found

    def _shares(self, indicator: Indicator, cell: ReleaseCell) -> list[Share]:
        """The sums that a cell is made of."""
        terms = [*indicator.numerator]
        if isinstance(indicator.denominator, dict):
            terms += indicator.denominator
        leaves: list[str | None] = [*self._areas.leaves_under(cell.area)]
        if cell.area == self._areas.top:
            leaves.append(None)
        bands = AGE_BANDS if cell.age_band == ALL_AGES else (cell.age_band,)
        return [Share(term, leaf, band) for term in terms for leaf in leaves for band in bands]


def _targets(events: Iterable[Event], top: str, as_of: date) -> Table:
    goals = goals_of(events, top, as_of)
    return {key: (it.data["target"], it.data.get("amber")) for key, it in goals.items()}


class _Reference:
    """Reference events up to two cuts, and which of those between make a table read otherwise."""

    def __init__(self, reference: Sequence[Sequence[Placed]], since: Iterable[Position]) -> None:
        self._cut = offsets_of(since)
        self._now = [list(placed) for placed in reference]
        self._before = [before(placed, self._cut) for placed in reference]

    def behind(self, read: Callable[[Sequence[Event]], Table]) -> dict[tuple[str, str], set[Place]]:
        """By key of what is read of the events, those behind a difference; all where none alone."""
        was, now = read(known_of(self._before)), read(known_of(self._now))
        moved, candidates = _unlike(was, now), []
        found: dict[tuple[str, str], set[Place]] = defaultdict(set)
        for child, placed in enumerate(self._now):
            for candidate in news(placed, self._cut) if moved else ():
                others = [it for it in placed if it.event != candidate.event]
                without = read(known_of(_with(self._now, child, others)))
                and_it = [*self._before[child], candidate]
                alone = read(known_of(_with(self._before, child, and_it)))
                for key in moved & (_unlike(now, without) | _unlike(was, alone)):
                    found[key].add(candidate.place)
                candidates.append(candidate.place)
        return {key: found.get(key) or set(candidates) for key in moved}


def _with(reference: list[list[Placed]], child: int, placed: list[Placed]) -> list[list[Placed]]:
    return [*reference[:child], placed, *reference[child + 1 :]]


def _unlike(some: Table, others: Table) -> set[tuple[str, str]]:
    return {key for key in some.keys() | others.keys() if some.get(key) != others.get(key)}
