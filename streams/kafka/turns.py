"""Which shard has its turn, of those that are far behind and do not fit in memory together."""

from collections.abc import Mapping
from typing import NamedTuple

from streams.kafka.batches import TP

# Messages to be read from which on a shard is far behind, and down to which it then has its turn.
FAR, NEAR = 50_000, 5_000
# Each far shard has had its turn after so long, whatever comes. With each turn nearly all records
# in memory give way to others, so that fewer and longer turns are quicker. Where nothing is read, a
# turn is over sooner.
CIRCLE_SECONDS, STILL_SECONDS = 600.0, 10.0


class Backlog(NamedTuple):
    """How many messages of a shard are to be read, and how many records were read before."""

    behind: int
    read: int


class Turns:
    """Who has the turn, in `chosen`; None where there are none. `now` is always the loop's time.

    `stood_still` is who ended a turn in which nothing was read for STILL_SECONDS, though there was
    much to be. `still` is all whose last turn ended so: of them it is not known that they go on.
    """

    def __init__(self) -> None:
        self.chosen: TP | None = None
        self.stood_still: TP | None = None
        self.still: set[TP] = set()
        self._ends = self._moved_at = 0.0
        self._read = self._read_before = 0

    def look(self, now: float, shards: Mapping[TP, Backlog], *, is_short: bool) -> set[TP]:
        """Who waits. `shards` are those that can be read on; memory is short or holds them all."""
        far = {shard for shard, it in shards.items() if it.behind > FAR}
        self.stood_still = None
        if not self._goes_on(now, shards):
            self._pass_on(now, shards, far if is_short else set())
        return far - {self.chosen} if self.chosen else set()

    def _goes_on(self, now: float, shards: Mapping[TP, Backlog]) -> bool:
        """Whether who has the turn still has it."""
        chosen = self.chosen
        it = shards.get(chosen) if chosen else None
        if chosen is None or it is None or it.behind <= NEAR:
            return False
        if it.read != self._read:
            self._read, self._moved_at = it.read, now
            self.still.discard(chosen)
        is_still = now >= self._moved_at + STILL_SECONDS
        if is_still and self._read == self._read_before:
            self.stood_still = chosen
            self.still.add(chosen)
        return not is_still and now < self._ends

    def _pass_on(self, now: float, shards: Mapping[TP, Backlog], far: set[TP]) -> None:
        """Give the turn to the next of those far behind, in a circle."""
        before = self.chosen
        after = {it for it in far if before is not None and it > before}
        self.chosen = min(after or far, default=None)
        if self.chosen is not None:
            self._ends, self._moved_at = now + CIRCLE_SECONDS / len(far), now
            self._read = self._read_before = shards[self.chosen].read
