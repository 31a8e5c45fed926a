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
from schemas.places import Place
from snapshots.recount.children import Offsets, Placed, Spot, before, known, news
from snapshots.recount.definitions import Definitions, Share

# What one case, person or session adds, by the date's position and where it is added.
OneShare = tuple[str, int, Share]
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
    """The events behind each sum's difference, gathered child by child.

    Events are told by where they lie; `placed` has each that is behind any difference. What each
    case adds is kept where it `names_cases`.
    """

    def __init__(
        self,
        definitions: Definitions,
        dates: Sequence[int],
        since: Offsets,
        *,
        names_cases: bool = False,
    ) -> None:
        self._definitions, self._dates, self._since = definitions, dates, since
        self._behind: list[dict[PlaceSum, set[Spot]]] = [defaultdict(set) for _ in dates]
        self._shifts: list[dict[PlaceSum, list[Shift]]] | None = None
        if names_cases:
            self._shifts = [defaultdict(list) for _ in dates]
        self.placed: dict[Spot, Placed] = {}

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
            self.placed |= causes
            shift = Shift(child, subject, slot, was[share], now[share], tuple(sorted(causes)))
            for place in self._definitions.where.within(locality):
                for each in (ALL_AGES, band):
                    self._behind[date][slot, place, each].update(causes)
                    if self._shifts is not None:
                        self._shifts[date][slot, place, each].append(shift)

    def causes(self, date: int, slots: Iterable[str], place: Place, band: str) -> set[Spot]:
        """The events behind differences, as of one of the dates, in any of a place's sums."""
        behind = self._behind[date]
        return set[Spot]().union(*(behind.get((slot, place, band), ()) for slot in slots))

    def shifts(self, date: int, slots: Iterable[str], place: Place, band: str) -> list[Shift]:
        """What moved in a place's sums, case by case, as of one of the dates."""
        assert self._shifts is not None, "cases were not asked for"
        of_date = self._shifts[date]
        return [shift for slot in slots for shift in of_date.get((slot, place, band), ())]

    def _amounts(self, placed: Iterable[Placed]) -> Amounts:
        events: list[Event] = known(it.event for it in placed)
        amounts: Amounts = Counter()
        for position, day in enumerate(self._dates):
            for subject, share, amount in self._definitions.amounts(events, day):
                amounts[subject, position, share] += amount
        return amounts


def differing(some: Amounts, others: Amounts) -> set[OneShare]:
    """Where two sets of amounts differ."""
    return {share for share in some.keys() | others.keys() if some[share] != others[share]}
