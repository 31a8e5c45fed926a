"""Why a figure moved between two cuts of the log: the events behind each difference.

A child without an event between the cuts cannot have moved anything, so only the others are looked
at. An event is behind a difference if the later cut without it, or the earlier cut with nothing
but it added, gives another amount; where events only tell together, all of them are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

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


class Moves:
    """The events behind each sum's difference, gathered child by child.

    Events are told by where they lie; `placed` has each that is behind any difference.
    """

    def __init__(self, definitions: Definitions, dates: Sequence[int], since: Offsets) -> None:
        self._definitions, self._dates, self._since = definitions, dates, since
        self._behind: list[dict[PlaceSum, set[Spot]]] = [defaultdict(set) for _ in dates]
        self.placed: dict[Spot, Placed] = {}

    def add(self, placed: Sequence[Placed]) -> None:
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
            _, date, (slot, locality, band) = share
            causes = {it.spot: it for it in behind.get(share, candidates)}
            self.placed |= causes
            for place in self._definitions.where.within(locality):
                for each in (ALL_AGES, band):
                    self._behind[date][slot, place, each].update(causes)

    def causes(self, date: int, slots: Iterable[str], place: Place, band: str) -> set[Spot]:
        """The events behind differences, as of one of the dates, in any of a place's sums."""
        behind = self._behind[date]
        return set[Spot]().union(*(behind.get((slot, place, band), ()) for slot in slots))

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
