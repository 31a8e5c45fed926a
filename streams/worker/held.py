"""What a worker holds of each of its shards: what is stored, and what memory is ahead of it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from processors.fold import Partition
from streams.kafka.batches import TP
from streams.kafka.private import Described
from streams.metrics.workers import Meter
from streams.state.sources import Source, log_name
from streams.state.store import Head, Place, ShardStore, shard_of
from streams.worker.holdback import Calm

# The parts of the live fold log under one name, by which readers of logs select.
log = logging.getLogger("streams.worker.folding")

# A pause before a shard is taken anew, twice as long each time that it was of no use, so that
# lasting trouble, such as a Redis that is full, is not met in a tight loop.
RETAKE_SECONDS, LONGEST_RETAKE_SECONDS = 0.2, 5.0

# Of how many commits it is remembered where the state stood: an answer may be older than the last.
PLACES_KEPT = 64


@dataclass
class Read:
    """How far one topic of a shard has been read in memory, and what is counted of it until stored.

    `next` is the offset after the last record folded, `end` the end of the log as last heard of,
    `source` what there is to remember of the log. Offsets in `quarantined` are passed over.
    """

    meter: Meter
    next: int
    source: Source = field(default_factory=Source)
    end: int = 0
    tallies: Counter[str] = field(default_factory=Counter)
    quarantined: frozenset[int] = frozenset()


@dataclass
class Commits:
    """The commit under way or last made, the last that judges, and when the next may begin.

    Until `put_off` more of a log far from its end is expected, with which it is a larger step.
    `places` are where the state stood, by the number of commits, and where the one under way
    brings it.
    """

    task: asyncio.Task[None] | None = None
    judging: asyncio.Task[None] | None = None
    due: float = 0.0
    put_off: float = 0.0
    timer: asyncio.TimerHandle | None = None
    places: dict[int, Place] = field(default_factory=dict)


@dataclass
class Lookups:
    """Who is to be judged by now: the question under way, when to ask next, until when none was.

    `are_more` says that more are due than are judged at a time. `coming` are those who fall due by
    `ahead`, the first of them last, and are not read into memory yet; `read_at` is when to read
    some of them.
    """

    task: asyncio.Task[list[str]] | None = None
    due: float = 0.0
    judged_at: float = 0.0
    are_more: bool = False
    coming: list[str] = field(default_factory=list)
    ahead: float = 0.0
    read_at: float = 0.0


@dataclass
class Trouble:
    """What is wrong with the state in memory.

    A broken one is of no use, and taken anew; `is_unknown` says that the services did not answer,
    so that it is not known either where the shard is to be read on. `failure` is what settling or
    storing raised that no service is to blame for, of this shard or of one that was settled with
    it; `is_suspect` says that messages are folded in parts to find out at which it was,
    `is_doubted` that it may have been at children whose time had come, who were not judged since.
    `stopped` is why nothing more is counted in the shard until its state is made anew.
    """

    is_broken: bool = False
    is_unknown: bool = False
    failure: Exception | None = None
    is_suspect: bool = False
    is_doubted: bool = False
    stopped: str = ""


@dataclass
class Retakes:
    """How often a shard was taken anew in vain, and when to try again."""

    in_vain: int = 0
    due: float | None = None

    def begins(self, now: float) -> bool:
        """Whether it is time to take the shard anew; it counts as in vain until it was of use."""
        if self.due is None:
            self.due = now + min(RETAKE_SECONDS * 2**self.in_vain, LONGEST_RETAKE_SECONDS)
        if now < self.due:
            return False
        self.due = None
        self.in_vain = min(self.in_vain + 1, 10)
        return True


@dataclass
class Held:
    """A shard in this worker's hands; `head` is what is stored, `reads` by topic what is ahead.

    `latest` is the instant of the latest event folded, `partitions` how many its topics have.
    """

    shard: TP
    store: ShardStore
    head: Head
    state: Partition
    reads: dict[str, Read]
    calm: Calm
    latest: int
    partitions: int = 0
    commits: Commits = field(default_factory=Commits)
    lookups: Lookups = field(default_factory=Lookups)
    trouble: Trouble = field(default_factory=Trouble)
    retakes: Retakes = field(default_factory=Retakes)

    def __post_init__(self) -> None:
        self.commits.places[self.head.commits] = self.head.place

    def expect(self, offsets: Mapping[str, int]) -> None:
        """Know where a commit that moves offsets so brings the state."""
        places, commits = self.commits.places, self.head.commits + 1
        offsets = {**self.head.offsets, **offsets}
        places[commits] = replace(self.head, offsets=offsets, commits=commits).place
        places.pop(commits - PLACES_KEPT, None)

    def is_place(self, place: Place, since: int) -> bool:
        """Whether the state that is held stood there, not before a number of commits."""
        *_, commits = place
        return commits >= since and self.commits.places.get(commits) == place

    @property
    def unstored(self) -> int:
        """How many records memory is ahead of what is stored."""
        return sum(read.next - self.head.offset(topic) for topic, read in self.reads.items())

    @property
    def behind(self) -> int:
        """How many records are known to be still unread."""
        return sum(max(0, read.end - read.next) for read in self.reads.values())

    @property
    def is_dirty(self) -> bool:
        """Whether memory is ahead of what is stored, or children wait to be judged."""
        return self.unstored > 0 or self.state.is_due

    @property
    def is_judging(self) -> bool:
        """Whether children that were taken up are not yet stored as judged."""
        judging = self.commits.judging
        return self.state.is_due or (judging is not None and not judging.done())

    @property
    def is_committing(self) -> bool:
        """Whether a commit is under way."""
        return self.commits.task is not None and not self.commits.task.done()

    @property
    def where(self) -> dict[str, object]:
        """Which shard it is, and how far it is read, for a line of the log."""
        return where(self.shard) | {"offsets": {it: read.next for it, read in self.reads.items()}}

    def bind(self, described: Described) -> None:
        """Remember the logs that the shard is read from, where it knows none yet."""
        found = described.logs.get(self.shard.topic)
        self.partitions = self.head.partitions or (found.partitions if found else 0)
        for topic, read in self.reads.items():
            if not read.source.log:
                read.source = read.source._replace(log=log_name(described, topic))

    async def committed(self) -> None:
        """Wait until no commit is under way; where one ends another may have begun by then."""
        awaited = None
        while awaited is not self.commits.task:
            awaited = self.commits.task
            if awaited is not None:
                await awaited

    def let_go(self) -> None:
        """End what is under way and is of no more use."""
        if self.commits.timer is not None:
            self.commits.timer.cancel()
        if self.lookups.task is not None:
            self.lookups.task.cancel()


def by_shard(tps: Iterable[TP]) -> dict[TP, list[str]]:
    """The topics of each shard that partitions belong to, in order."""
    found: dict[TP, list[str]] = {}
    for tp in sorted(tps):
        found.setdefault(shard_of(tp), []).append(tp.topic)
    return found


def where(shard: TP) -> dict[str, object]:
    """Which shard it is, for a line of the log when nothing is read of it."""
    return {"topic": shard.topic, "partition": shard.partition, "offsets": {}}


def commit_of(head: Head) -> tuple[int, int]:
    """Which commit made a head: its state's generation, and its number there."""
    return head.generation, head.commits
