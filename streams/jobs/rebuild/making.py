"""A shard's new state, folded from its logs into a generation that nobody reads yet."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple

from processors.fold import Partition
from processors.record.decoding import Rejection
from processors.rules import Rules
from streams.jobs.rebuild.rebuild_plan import ShardPlan
from streams.jobs.rebuild.rebuild_refusals import MessageFails
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import DeadLetters
from streams.kafka.logreading import LogReader
from streams.state import admission
from streams.state.integrity import Kept
from streams.state.sources import Mark, name_of
from streams.state.store import NO_HEAD, Head


class Progress(NamedTuple):
    """How far the rebuild of a partition has got, in log offsets."""

    tp: TP
    offset: int
    target: int


class Made(NamedTuple):
    """A shard whose new state is whole and waits to take over from other generations."""

    plan: ShardPlan
    to: Head
    olds: frozenset[int]


@dataclass(frozen=True)
class Making:
    """Folds logs into new states, with so many records in memory, and bytes of them, at once."""

    rules: Rules
    reader: LogReader
    dead_letters: DeadLetters | None
    records_in_memory: int
    bytes_in_memory: int

    async def make(
        self, plan: ShardPlan, skipped: set[tuple[TP, int]], partitions: int, made: list[Made]
    ) -> AsyncIterator[Progress]:
        """Fold the log of each of the shard's topics, in any order, which makes no difference.

        Messages at the offsets in `skipped` are passed over. What is made is added to `made` at
        the end. Raises MessageFails.
        """
        store, head = plan.store, plan.head
        others = set(await store.generations())
        generation = max({head.generation, *others}) + 1
        # A rebuild that died may have left its generation half made, to be dropped and used again.
        if head.generation >= 0:
            generation = head.generation + 1
            await store.drop(generation)
        of = _Fold(self, plan, generation, skipped)
        for topic, (first, target) in sorted(plan.stretches.items()):
            tp = TP(topic, plan.shard.partition)
            yield Progress(tp, first, target)
            async for offset, records in self.reader.read(tp, first, target):
                await of.take_in(tp, records)
                yield Progress(tp, offset, target)
        to = of.head(partitions)
        olds = frozenset({head.generation, *others} - {generation, NO_HEAD})
        made.append(Made(plan, to, olds))


class _Fold:
    """The new state of one shard, so far."""

    def __init__(
        self, making: Making, plan: ShardPlan, generation: int, skipped: set[tuple[TP, int]]
    ) -> None:
        self._making, self._plan = making, plan
        self._generation, self._skipped = generation, skipped
        self._state = Partition(making.rules)
        self._sources = dict(plan.sources)
        self._tallies, self._latest, self._kept = Counter[str](), 0, Kept()

    async def take_in(self, tp: TP, records: list[KafkaRecord]) -> None:
        """Fold and store records of a log, those that are passed over apart."""
        taken = [it for it in records if (tp, it.offset) not in self._skipped]
        state, store = self._state, self._plan.store
        try:
            decoded = admission.read(tp.topic, taken, self._making.rules.erased)
            await admission.admit(state, (child for child, _ in decoded.events), self._stored)
            known = state.fold(decoded.events)
            settlement = state.settle()
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise _failing(self._making.rules, tp, taken) from error
        self._latest = max([self._latest, *(event.instant for _, event in decoded.events)])
        passed_over = len(records) - len(taken)
        self._tallies += admission.tallied(decoded, len(records), passed_over, known)
        self._tallies["unmatched"] += settlement.grown.unmatched
        await self._write_letters(tp, [(taken[position], it) for position, it in decoded.rejected])
        if records:
            source = self._sources[tp.topic]
            self._sources[tp.topic] = source._replace(mark=Mark.of(records[-1]))
        self._kept = await store.write(self._generation, settlement, state.tables, self._kept)
        state.forget(self._making.records_in_memory, self._making.bytes_in_memory)

    async def _stored(self, children: list[str]) -> admission.Stored:
        """The records of children in the new generation, of whom no alerts are told yet."""
        store, head = self._plan.store, Head(self._generation)
        return await store.children(head, children, are_told=False)

    async def _write_letters(self, tp: TP, rejected: list[tuple[KafkaRecord, Rejection]]) -> None:
        """Write dead letters of another log than before; the others were written already."""
        letters = self._making.dead_letters
        if letters is None or tp.topic not in self._plan.others:
            return
        source = self._sources[tp.topic]
        written = await letters.write(tp, rejected, 0, source.letters)
        self._sources[tp.topic] = source._replace(letters=written)

    def head(self, partitions: int) -> Head:
        """The head of the new state, once all is read."""
        return Head(
            self._generation,
            {topic: target for topic, (_, target) in self._plan.stretches.items()},
            self._latest,
            tallies=+self._tallies,
            sources=self._sources,
            partitions=partitions,
            kept=self._kept,
            gaps=self._plan.gaps,
        )


def _failing(rules: Rules, tp: TP, records: list[KafkaRecord]) -> MessageFails:
    """Which of the messages it is, by taking in each on its own."""
    for record in records:
        alone = Partition(rules)
        try:
            alone.fold_unstored(admission.read(tp.topic, [record]).events)
            alone.settle()
        except Exception as error:
            return MessageFails(
                f"{name_of(tp)}: the message at offset {record.offset} cannot be taken in "
                f"({type(error).__name__}); nothing took over. To pass it over for good: "
                f"`caseline dead-letters quarantine {tp.topic}:{tp.partition}:{record.offset} "
                '--reason "..."`'
            )
    return MessageFails(
        f"{name_of(tp)}: one of the messages from offset {records[0].offset} to "
        f"{records[-1].offset} cannot be taken in after those before it; nothing took over"
    )
