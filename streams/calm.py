"""Calm: whether what is known of a partition's cases is whole enough to raise alerts on.

While last year's events are read again, a case looks open until its closure is read, and an alert
on it would be false. So nothing is raised on children whose events are of long ago until such
events have stopped for a while, nor on anyone while most of what comes is of long ago or much of
the log is still to be read. What is over by then is never raised at all.
"""

from collections.abc import Iterable

from processors.decoding import Event

# An event older than this when it comes is of long ago.
OLD_SECONDS = 86_400.0
# How many events it takes for the share of old ones to follow what comes.
MEMORY = 200
# Records still to be read with which a partition is not up to date.
MOST_BEHIND = 1_000


class Calm:
    """What comes of one partition. `now` is always the event loop's time, in seconds."""

    def __init__(self, seconds: float, old_share: float, now: float) -> None:
        self._seconds = seconds
        self.old_share = old_share
        self._came_at = now
        self._is_behind = False
        self._old: set[str] = set()

    def take_in(
        self, events: Iterable[tuple[str, Event]], behind: int, wall: float, now: float
    ) -> None:
        """Note a batch of (child, event) pairs, read at `wall` seconds from 1970 UTC."""
        self._is_behind = behind > MOST_BEHIND
        limit = (wall - OLD_SECONDS) * 1_000_000
        total, old = 0, 0
        for child, event in events:
            total += 1
            if event.instant < limit:
                old += 1
                if self._seconds:
                    self._old.add(child)
        if total:
            kept = (1 - 1 / MEMORY) ** total
            self.old_share = self.old_share * kept + (old / total) * (1 - kept)
            self._came_at = now

    def is_replaying(self, now: float) -> bool:
        """Whether to raise nothing at all for now."""
        is_old = self.old_share > 0.5 and now < self._came_at + self._seconds
        return is_old or self._is_behind

    def old(self) -> set[str]:
        """Children of whom events of long ago came since the last call."""
        old, self._old = self._old, set()
        return old
