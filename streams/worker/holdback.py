"""Calm: whether what is known of a partition's cases is whole enough to raise alerts on.

While last year's events are read again, a case looks open until its closure is read, and an alert
on it would be false. So nothing is raised on children whose events are of long ago until such
events have stopped for a while, nor on anyone while most of what comes is of long ago or much of
the log is still to be read. What is over by then is never raised at all.
"""

from collections.abc import Callable, Sequence

# An event older than this when it comes is of long ago.
OLD_SECONDS = 86_400.0
# How many events it takes for the share of old ones to follow what comes.
MEMORY = 200
# Records still to be read with which a partition is not up to date.
MOST_BEHIND = 1_000
# Children that are kept back at a time: so many more are a replay, in which nothing is raised.
MOST_KEPT_BACK = 100_000


class Calm:
    """What comes of one partition. `now` is always the event loop's time, in seconds."""

    def __init__(self, seconds: float, old_share: float, now: float) -> None:
        self._seconds = seconds
        self.old_share = old_share
        self._old_came_at = now
        self._is_behind = False
        # Children of whom old events came, and when the last did.
        self._old: dict[str, float] = {}
        self._forgotten_at = now

    def take_in(
        self,
        of: Sequence[str],
        instants: Sequence[int],
        behind: int,
        wall: float,
        now: float,
    ) -> None:
        """Note a batch, read at `wall` seconds from 1970 UTC: the child and instant of each event.

        Instants are in microseconds from 1970 UTC.
        """
        self._is_behind = behind > MOST_BEHIND
        limit = (wall - OLD_SECONDS) * 1_000_000
        if max(instants, default=limit) < limit:
            children = of
        else:
            children = [child for child, at in zip(of, instants, strict=True) if at < limit]
        if self._seconds:
            self._old.update(dict.fromkeys(children, now))
        if of:
            kept = (1 - 1 / MEMORY) ** len(of)
            self.old_share = self.old_share * kept + len(children) / len(of) * (1 - kept)
        if children:
            self._old_came_at = now
            self._forget(now)

    def is_replaying(self, now: float) -> bool:
        """Whether to raise nothing at all for now."""
        is_old = self.old_share > 0.5 and now < self._old_came_at + self._seconds
        return is_old or self._is_behind

    def kept_back(self, now: float) -> Callable[[str], bool]:
        """Whether nothing is to be raised of a child: old events of theirs came of late."""
        since = now - self._seconds
        return lambda child: self._old.get(child, since) > since

    def _forget(self, now: float) -> None:
        """Drop children who are kept back no more, now and then, and the oldest of too many."""
        if now < self._forgotten_at + self._seconds and len(self._old) <= 2 * MOST_KEPT_BACK:
            return
        self._forgotten_at = now
        since = now - self._seconds
        kept = [(child, at) for child, at in self._old.items() if at > since]
        kept.sort(key=lambda it: it[1])
        self._old = dict(kept[-MOST_KEPT_BACK:])
