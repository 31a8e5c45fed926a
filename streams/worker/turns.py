"""Which shard has its turn, of those that are far behind and do not fit in memory together."""

from collections.abc import Mapping
from typing import NamedTuple

from streams.kafka.batches import TP

# Messages to be read from which on a shard is far behind, and down to which it then has its turn.
FAR, NEAR = 50_000, 5_000
# A turn is over after so long, whatever comes; and sooner where nothing is read meanwhile.
TURN_SECONDS, STILL_SECONDS = 120.0, 10.0


class Backlog(NamedTuple):
    """How many messages of a shard are to be read, and how many records were read before."""

    behind: int
    read: int


class Turns:
    """Who has the turn, in `chosen`; None where there are none. `now` is always the loop's time."""

    def __init__(self) -> None:
        self.chosen: TP | None = None
        self._ends = self._moved_at = 0.0
        self._read = 0

    def look(self, now: float, shards: Mapping[TP, Backlog], *, is_short: bool) -> set[TP]:
        """Who waits. `shards` are those that can be read on; memory is short or holds them all."""
        far = {shard for shard, it in shards.items() if it.behind > FAR}
        if not self._goes_on(now, shards):
            self._pass_on(now, shards, far if is_short else set())
        return far - {self.chosen} if self.chosen else set()

    def _goes_on(self, now: float, shards: Mapping[TP, Backlog]) -> bool:
        """Whether who has the turn still has it."""
        it = shards.get(self.chosen) if self.chosen else None
        if it is None or it.behind <= NEAR:
            return False
        if it.read != self._read:
            self._read, self._moved_at = it.read, now
        return now < min(self._ends, self._moved_at + STILL_SECONDS)

    def _pass_on(self, now: float, shards: Mapping[TP, Backlog], far: set[TP]) -> None:
        """Give the turn to the next of those far behind, in a circle."""
        before = self.chosen
        after = {it for it in far if before is not None and it > before}
        self.chosen = min(after or far, default=None)
        if self.chosen is not None:
            self._ends, self._moved_at = now + TURN_SECONDS, now
            self._read = shards[self.chosen].read
