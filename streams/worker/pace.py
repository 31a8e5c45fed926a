"""How long commits wait for one another, so that a worker has time for all that it does."""

# The least time from one settlement to the next, whatever came: in light traffic this decides how
# busy a worker is.
LEAST_SECONDS = 0.02
# What it takes of a worker's time to store what was settled of a shard, beside settling it; and
# which share of its time both may take. Where more comes than can be settled so often, it is
# settled less often, and nobody waits for a processor; never later than a reader would notice.
STORE_SECONDS, SHARE, LONGEST_SECONDS = 0.002, 0.5, 0.1
# A settlement that takes long for few messages is one of a very large record, which is worked out
# whole: so many times as long is waited until the next, within what a reader can wait, so that what
# it costs is bounded by time, and not by how many messages come. It is the processor's time that
# counts, since a machine that is busy with other things makes any settlement last.
LARGE_BYTES, SLOW_SECONDS, LARGE_TIMES, LONGEST_OF_LARGE = 1_000_000, 0.02, 4, 2.0
# Messages, or children who are judged, from which on a settlement is not one of few.
FEW = 1_000


def pause_after(shards: int, much: int, seconds: float, *, are_many_due: bool = False) -> float:
    """Seconds to wait after so many shards were settled, in so many seconds of the processor.

    `much` is of how many messages it was, or children who were judged. After many the next waits
    for the least time; while many more are to be judged in any of the worker's shards, whatever
    else is settled leaves them room.
    """
    if much >= FEW:
        return LEAST_SECONDS
    if are_many_due:
        return LONGEST_SECONDS
    # What was settled is stored while the next waits.
    pause = (seconds + shards * STORE_SECONDS) / SHARE - seconds
    return min(LONGEST_SECONDS, max(LEAST_SECONDS, pause))


def is_large(largest: int) -> bool:
    """Whether a record that takes about so many bytes may take long to settle."""
    return largest > LARGE_BYTES


def pause_of_large(much: int, seconds: float) -> float:
    """Seconds to wait after a shard with a large record was settled, of so many messages."""
    if much >= FEW or seconds <= SLOW_SECONDS:
        return 0.0
    return min(LONGEST_OF_LARGE, LARGE_TIMES * seconds)
