"""Which partitions are ours, should be read, and are not: against standing still in silence.

Faust drops what it holds of an assignment that is over, on signals of its own, and so may drop what
is of the next; and an error between an assignment and the first fetch is not always said. Whatever
the cause, a partition that stands still beside messages is placed again, and the log says so.
"""

from collections.abc import Mapping

from streams.kafka.batches import TP

# Longer than any partition waits for its turn, or for a broker that comes back, in good order.
STALLED_SECONDS = 30.0


class Stalls:
    """Remembers since when each partition stands where it does, with more to read."""

    def __init__(self) -> None:
        self._since: dict[TP, tuple[int | None, float]] = {}

    def look(
        self, now: float, positions: Mapping[TP, int | None], ends: Mapping[TP, int | None]
    ) -> set[TP]:
        """The partitions that stand still, each once in STALLED_SECONDS.

        `positions` has those that should be read, None where one is placed nowhere; `ends` where
        their logs end, as far as that is known.
        """
        waiting = {tp: at for tp, at in positions.items() if _has_more(at, ends.get(tp))}
        before, self._since = self._since, {}
        stalled = set()
        for tp, position in waiting.items():
            was_at, since = before.get(tp, (position, now))
            if was_at != position:
                since = now
            elif now - since >= STALLED_SECONDS:
                stalled.add(tp)
                since = now
            self._since[tp] = position, since
        return stalled


def _has_more(position: int | None, end: int | None) -> bool:
    return position is None or (end is not None and position < end)
