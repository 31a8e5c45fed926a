"""Why a figure moved between two cuts of the log: the events behind each difference.

A child without an event between the cuts cannot have moved anything, so only the others are looked
at. An event is behind a difference if the later cut without it, or the earlier cut with nothing
but it added, gives another amount; where events only tell together, all of them are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from processors.record.decoding import Event
from schemas.catalogue import ALL_AGES
from schemas.places import Locality, Place
from snapshots.recount.children import Offsets, Placed, Spot, before, known, news
from snapshots.recount.definitions import Definitions

# What one case, person or session adds, by the date's position and where it is added: to a slot of
# the catalogue, in a locality and an age band.
OneShare = tuple[str, int, tuple[str, Locality, str]]
Amounts = Counter[OneShare]
# A slot's sum in a place and band.
PlaceSum = tuple[str, Place, str]


class Shift(NamedTuple):
    """What one case, person or session adds to a slot by the earlier cut and by the later one.

    `spots` are the events behind that.
    """

    child: str
    subject: str
    slot: str
    before: int
    after: int
    spots: tuple[Spot, ...]


class Moves:
    """The events behind each sum's difference on some dates.

    Events are told by where they lie; `placed` has each that is behind any difference. What each
    case adds is kept where it `names_cases`.
    """

    def __init__(self, dates: int, *, names_cases: bool = False) -> None:
        self._behind: list[dict[PlaceSum, set[Spot]]] = [defaultdict(set) for _ in range(dates)]
        self._shifts: list[dict[PlaceSum, list[Shift]]] | None = None
        if names_cases:
            self._shifts = [defaultdict(list) for _ in range(dates)]
        self.placed: dict[Spot, Placed] = {}

    def note(self, date: int, at: PlaceSum, causes: Iterable[Spot], shift: Shift) -> None:
        """Have events behind a difference as of one of the dates, by its position."""
        self._behind[date][at].update(causes)
        if self._shifts is not None:
            self._shifts[date][at].append(shift)

    def add(self, other: "Moves") -> None:
        """Take in what moved of other children."""
        self.placed |= other.placed
        for behind, more in zip(self._behind, other._behind, strict=True):
            for at, spots in more.items():
                behind[at] |= spots
        for shifts, others in zip(self._shifts or (), other._shifts or (), strict=True):
            for at, found in others.items():
                shifts[at] += found

    def causes(self, date: int, slots: Iterable[str], place: Place, band: str) -> set[Spot]:
        """The events behind differences, as of one of the dates, in any of a place's sums."""
        behind = self._behind[date]
        return set[Spot]().union(*(behind.get((slot, place, band), ()) for slot in slots))

    def shifts(self, date: int, slots: Iterable[str], place: Place, band: str) -> list[Shift]:
        """What moved in a place's sums, case by case, as of one of the dates."""
        assert self._shifts is not None, "cases were not asked for"
        of_date = self._shifts[date]
        return [shift for slot in slots for shift in of_date.get((slot, place, band), ())]


class MoveSearch:
    """Finds the events behind each sum's difference, child by child."""

    def __init__(
        self,
        definitions: Definitions,
        dates: Sequence[int],
        since: Offsets,
        *,
        names_cases: bool = False,
    ) -> None:
        self._definitions, self._dates, self._since = definitions, dates, since
        self._names_cases = names_cases
        self._moves = Moves(len(dates), names_cases=names_cases)

    def take(self) -> Moves:
        """What was found since this was called last."""
        found, self._moves = self._moves, Moves(len(self._dates), names_cases=self._names_cases)
        return found

    def add(self, placed: Sequence[Placed], child: str = "") -> None:
        """Take in one child's events, up to the later cut."""
        earlier = before(placed, self._since)
        candidates = news(placed, self._since) if len(earlier) < len(placed) else []
        if not candidates:
            return
        was, now = self._amounts(earlier), self._amounts(placed)
        moved = differing(was, now)
        behind: dict[OneShare, list[Placed]] = defaultdict(list)
        for candidate in candidates:
            without = self._amounts(it for it in placed if it.event != candidate.event)
            alone = self._amounts([*earlier, candidate])
            for share in moved & (differing(now, without) | differing(was, alone)):
                behind[share].append(candidate)
        for share in moved:
            subject, date, (slot, locality, band) = share
            causes = {it.spot: it for it in behind.get(share, candidates)}
            self._moves.placed |= causes
            shift = Shift(child, subject, slot, was[share], now[share], tuple(sorted(causes)))
            for place in self._definitions.where.within(locality):
                for each in (ALL_AGES, band):
                    self._moves.note(date, (slot, place, each), causes, shift)

    def _amounts(self, placed: Iterable[Placed]) -> Amounts:
        events: list[Event] = known(it.event for it in placed)
        amounts: Amounts = Counter()
        for position, of_day in enumerate(self._definitions.amounts_on(events, self._dates)):
            for subject, locality, band, of_slots in of_day:
                for slot, amount in of_slots:
                    amounts[subject, position, (slot, locality, band)] += amount
        return amounts


def differing(some: Amounts, others: Amounts) -> set[OneShare]:
    """Where two sets of amounts differ."""
    return {share for share in some.keys() | others.keys() if some[share] != others[share]}
