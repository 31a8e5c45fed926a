"""Which shard has its turn, of those that are far behind and do not fit in memory together."""

from collections.abc import Mapping
from typing import NamedTuple

from streams.kafka.batches import TP

# Messages to be read from which on a shard is far behind, and down to which it then has its turn.
FAR, NEAR = 50_000, 5_000
# Shards that are far behind all the while have each had a turn within so long. With each turn
# nearly all records in memory give way to others, so that fewer and longer turns are quicker. Where
# nothing is read, a turn is over sooner.
CIRCLE_SECONDS, STILL_SECONDS = 600.0, 10.0


class Backlog(NamedTuple):
    """How many messages of a shard are to be read, and how many records were read before."""

    behind: int
    read: int


class Turns:
    """Who has the turn, in `chosen`; None where there are none. `now` is always the loop's time.

    `stood_still` is who ended a turn in which nothing was read for STILL_SECONDS, though there was
    much to be. `still` is all whose last turn ended so and of whom nothing was read since: of them
    it is not known that they go on. It may be that nothing of all was to be had for a while, so
    each has one more turn as soon as something is read in another's.
    """

    def __init__(self) -> None:
        self.chosen: TP | None = None
        self.stood_still: TP | None = None
        # How many records were read of each then; and those who have one more turn.
        self._still: dict[TP, int] = {}
        self._again: set[TP] = set()
        self._is_again = False
        self._begun = self._moved_at = 0.0
        self._read = self._read_before = 0

    @property
    def still(self) -> set[TP]:
        """Those of whom it is not known that they go on."""
        return set(self._still)

    def forget(self) -> None:
        """Nobody has the turn any more; who stood still is still to be watched."""
        self.chosen = self.stood_still = None
        self._again = set()

    def look(self, now: float, shards: Mapping[TP, Backlog], *, is_short: bool) -> set[TP]:
        """Who waits. `shards` are those that can be read on; memory is short or holds them all."""
        far = {shard for shard, it in shards.items() if it.behind > FAR}
        self.stood_still = None
        self._still = {
            shard: read
            for shard, read in self._still.items()
            if shard in shards and shards[shard].read == read
        }
        self._again &= far & self._still.keys()
        if not self._goes_on(now, shards, len(far)):
            self._pass_on(now, shards, far if is_short else set())
        return far - {self.chosen} if self.chosen else set()

    def _goes_on(self, now: float, shards: Mapping[TP, Backlog], far: int) -> bool:
        """Whether who has the turn still has it, beside others who make so many far behind."""
        chosen = self.chosen
        it = shards.get(chosen) if chosen else None
        if chosen is None or it is None or it.behind <= NEAR:
            return False
        if it.read != self._read:
            self._read, self._moved_at = it.read, now
        if now >= self._moved_at + STILL_SECONDS:
            if not self._has_read:
                self.stood_still = chosen
                self._still[chosen] = it.read
                if not self._is_again:
                    self._again.add(chosen)
            return False
        is_short = self._has_read and self._again
        return now < self._begun + (STILL_SECONDS if is_short else CIRCLE_SECONDS / max(far, 1))

    @property
    def _has_read(self) -> bool:
        """Whether something was read in this turn."""
        return self._read != self._read_before

    def _pass_on(self, now: float, shards: Mapping[TP, Backlog], far: set[TP]) -> None:
        """Give the turn to who has one more, else to the next of those far behind, in a circle."""
        before = self.chosen
        again = self._again & far if self._has_read else set[TP]()
        after = {it for it in far if before is not None and it > before}
        self.chosen = min(again or after or far, default=None)
        self._is_again = bool(again)
        if self.chosen is not None:
            self._again.discard(self.chosen)
            self._begun = self._moved_at = now
            self._read = self._read_before = shards[self.chosen].read
