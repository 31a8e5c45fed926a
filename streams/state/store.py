"""A shard's state in Redis: records, tables and the next offsets, changed in one atomic step.

A shard is the partitions of one number of all topics of a group. All of its keys share a hash tag,
so that they lie in one slot of a Redis Cluster:

    caseline:{<deployment>:<group>:<number>}:head         generation, offsets, layout, tallies,
                                                          and which logs (streams.state.sources)
    ...:quarantine                                        messages to be passed over, and why
    ...:<generation>:records                              partition key -> record, or of a large
                                                          one how long it is; its number and seal
    ...:<generation>:record:<partition key>               a large record, which grows at its end
    ...:<generation>:dictionaries                         number -> what small records are packed by
    ...:<generation>:seals                                packed: the seal of each record by number
    ...:<generation>:cells                                packed: slot, locality, band, by number
    ...:<generation>:localities                           localities, by their numbers in the cells
    ...:<generation>:months                               month numbers that have entries
    ...:<generation>:checkpoint:<month>                   packed: stocks when it begins, by cell
    ...:<generation>:entries:<month>                      packed: entries by cell and day
    ...:<generation>:added:<month>                        packed: those that came since
    ...:<generation>:added                                month -> how many those are
    ...:<generation>:names                                partition keys, by the records' numbers
    ...:<generation>:deadlines                            packed: when to look at the alerts of each
                                                          next, by the record's number
    ...:stopped                                           topic -> why a worker stopped reading it
    ...:alerts:told                                       child -> alerts as they were told last, or
                                                          of many how many there are
    ...:alerts:told:<partition key>                       each of many alerts, by what it is about
    ...:alerts:open                                       alert id -> its change, while active
    ...:alerts:counts                                     "<standard> <state>" -> active alerts
    ...:alerts:outbox                                     stream of changes, until they are told
    ...:alerts:judged                                     `at`, by when no child was left to look at

What was told of alerts outlives a rebuild: it says what the world outside believes.

A commit is refused unless generation, offsets and the number of commits are still those that it
began at. So a worker that has lost the shard cannot write, whatever it believes
(docs/architecture.md, Exactly once).
"""

import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from processors.alerts.toldalerts import WrittenAlerts, is_apart, is_whole, joined, read_told
from processors.fold import Settlement
from processors.ledger.tables import Cells, Tables
from processors.rules import Rules
from schemas.events.registry import group_of, topics_in
from streams import keys
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.state.admission import StoredChild
from streams.state.alert_outbox import Outgoing, queue_changes
from streams.state.due_times import encode_due, first_due
from streams.state.encoding import (
    ADDED,
    CELL,
    NewCells,
    checkpoint_changes,
    decode_cells,
    decode_checkpoint,
    decode_month,
    encode_added,
    encode_cells,
    encode_checkpoint,
    encode_month,
)
from streams.state.fence import Overtaken, fenced
from streams.state.gaps import Gap, decode_gaps, encode_gaps
from streams.state.integrity import (
    NOTE,
    NOTHING_KEPT,
    Apart,
    Incomplete,
    Kept,
    Look,
    apart_in,
    dictionary_in,
    is_last,
    kept_in,
    look,
    number_in,
    opened,
    seal_change,
    sealed,
    wrong_in_tables,
)
from streams.state.numbered import (
    NO_NUMBERS,
    ChangedNumbers,
    Numbers,
    are_many,
    change_numbers,
    decode_numbers,
)
from streams.state.packing import AS_IS, NO_UNPACKING, Packing, Unpacking, unpacking
from streams.state.sources import Source, source_fields, sources_in
from streams.state.written_texts import WrittenTexts

# The generation of a head that is not there.
NO_HEAD = -1
# How state is written; another number makes a worker refuse state written otherwise.
FORMAT = 8
# Fields a command: long commands hold up Redis's other clients.
FIELDS_AT_ONCE = 2_000
# Names that are asked for at once: Redis goes along a list for each, and answers nobody meanwhile.
NAMES_AT_ONCE = 250
# What begins the names of the head's fields that there are several of.
OFFSET, TALLY = "offset:", "tally:"
# The version of no state.
NO_VERSION = b""
# Months that are read in one round when tables are taken over.
MONTHS_AT_ONCE = 24
# Times that a state is loaded again because it changed meanwhile.
LOAD_TRIES = 20
# Times that a large record is read again because it was written whole meanwhile.
LARGE_TRIES = 20
# Records that are opened together, of which the large ones are read in one request.
LARGE_AT_ONCE = 64
DAMAGED = "a record is not as it was stored"
NOT_LAST = "a record is one that was stored earlier"
# Entries of a month are written all together where those that were added since are one in so many,
# and so many at least: what is appended to takes up to twice its length in Redis, and to write a
# month takes longer than to add a few entries to each of many.
ADDED_SHARE, ADDED_LEAST = 8, 64
TOLD_DAMAGED = "alerts that were told of a child are gone"
# What decoding raises for bytes that are not what was stored.
DAMAGES = (ValueError, IndexError, KeyError, TypeError)
# Reads the head, the cells, how many months there are, the state's version, and, for each month
# asked for, the latest month with entries not after it, its checkpoint and its rows: all at one
# moment. The keys share the slot of its one argument. Where the version is the one that is named
# before the months, nothing: it is a hash of the head, which each commit changes, and which has the
# sums of all that is read here.
READ = """
local head = redis.call('HGETALL', KEYS[1])
local generation = redis.call('HGET', KEYS[1], 'generation')
if not generation then return {head} end
local version = redis.sha1hex(table.concat(head, ' '))
if version == ARGV[1] then return {} end
local base = string.sub(KEYS[1], 1, -5) .. generation
local cells = redis.call('GET', base .. ':cells')
local months = redis.call('ZCARD', base .. ':months')
local localities = redis.call('LRANGE', base .. ':localities', 0, -1)
local answer = {head, cells or '', localities, months, version}
for index = 2, #ARGV do
  local asked = ARGV[index]
  local found = redis.call('ZREVRANGEBYSCORE', base .. ':months', asked, '-inf', 'LIMIT', 0, 1)
  if found[1] then
    answer[index + 4] = {
      found[1],
      redis.call('GET', base .. ':checkpoint:' .. found[1]) or '',
      redis.call('GET', base .. ':entries:' .. found[1]) or '',
      redis.call('HGET', base .. ':added', found[1]) or '',
      redis.call('GET', base .. ':added:' .. found[1]) or '',
    }
  else
    answer[index + 4] = {}
  end
end
return answer
"""
# Gives where the state stands, fields of hashes, so many at once as Lua takes arguments, and what
# the last key has as the seal of each record, which the first of them are. All of one moment, and
# of one server; and, which a transaction does not, also where memory is full.
FIELDS = """
local places = tonumber(ARGV[1])
local answer = {redis.call('HMGET', KEYS[1], unpack(ARGV, 2, places + 1))}
for index = 2, #KEYS - 1 do
  local values = {}
  for first = places + 2, #ARGV, 1000 do
    local last = math.min(first + 999, #ARGV)
    local part = redis.call('HMGET', KEYS[index], unpack(ARGV, first, last))
    for at = 1, #part do values[#values + 1] = part[at] end
  end
  answer[index] = values
end
local seals = {}
for at, stored in ipairs(answer[2]) do
  seals[at] = ''
  if stored and #stored >= 8 then
    local first = 4 * struct.unpack('<I4', stored, #stored - 7)
    seals[at] = redis.call('GETRANGE', KEYS[#KEYS], first, first + 3)
  end
end
answer[#KEYS] = seals
return answer
"""

# The same of a record that is stored apart: what says where it lies, and so many of its bytes.
APART = """
local at = redis.call('HMGET', KEYS[1], unpack(ARGV, 3))
local place = redis.call('HGET', KEYS[2], ARGV[1])
return {at, place, redis.call('GETRANGE', KEYS[3], 0, ARGV[2])}
"""

# And of alerts that are stored each on its own: how many there are, and all of them.
TOLD_APART = """
local at = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
return {at, redis.call('HGET', KEYS[2], ARGV[1]), redis.call('HVALS', KEYS[3])}
"""

# The elements of a list at places; an answer each takes a client as long as all else about them.
NAMES = """
local found = {}
for index, number in ipairs(ARGV) do
  found[index] = redis.call('LINDEX', KEYS[1], number)
end
return found
"""

# Sets cells of checkpoints, and seals, packed as streams.state.encoding.CHANGE, a text for each
# key. There are hundreds in a commit of a few events, since each changes the stock of many later
# months; a command for each would take longer to send than all else, and, from within, three times
# the room in Redis's log. BITFIELD writes a number's highest byte first, so the four of a cell are
# read so: they end up as they came. Lua passes on at most some 8,000 arguments.
SET_CELLS = """
for index, key in ipairs(KEYS) do
  local changes, sets, count = ARGV[index], {}, 0
  for at = 1, #changes, 8 do
    sets[count + 1], sets[count + 2] = 'SET', 'u32'
    sets[count + 3] = '#' .. struct.unpack('<I4', changes, at)
    sets[count + 4] = struct.unpack('>I4', changes, at + 4)
    count = count + 4
    if count == 4000 or at + 8 > #changes then
      redis.call('BITFIELD', key, unpack(sets, 1, count))
      count = 0
    end
  end
end
"""


# Generation, offsets by topic, number of commits.
Place = tuple[int, tuple[tuple[str, int], ...], int]


class Refused(Understood):
    """The stored state is not the one the commit began at; nothing was written."""


class OtherLayout(Understood):
    """The stored tables were made with other measures, areas or format: a rebuild is due."""


@dataclass(frozen=True)
class Head:
    """Where a shard's state stands: all records of a topic before its offset are in it, none after.

    `offsets` has the topics of which anything was read. `latest` is the latest event time folded,
    in microseconds from 1970, 0 before any; `commits` how many commits there were; `old_share` how
    much of what came lately was of long ago. `sources` says which logs these are, and `partitions`
    how many the topics had, 0 where that is not known. `kept` is what the keys add up to; `gaps`
    what the log no longer had when the state was made from what was there.
    """

    generation: int = 0
    offsets: Mapping[str, int] = field(default_factory=dict)
    latest: int = 0
    commits: int = 0
    old_share: float = 0.0
    tallies: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    partitions: int = 0
    kept: Kept = NOTHING_KEPT
    gaps: tuple[Gap, ...] = ()

    def offset(self, topic: str) -> int:
        """The next offset of a topic."""
        return self.offsets.get(topic, 0)

    @property
    def place(self) -> Place:
        """What another state of the shard differs in: generation, offsets, number of commits."""
        return self.generation, tuple(sorted(self.offsets.items())), self.commits


class Months(NamedTuple):
    """A shard's head, tables of months, and the version of the state that they are of."""

    head: Head | None
    tables: list[Tables]
    version: bytes


@dataclass(frozen=True)
class Advance:
    """What a commit adds to the head: the next offsets, the latest event time, counts.

    `again` is when to look again at children of whom something must not be told yet, in seconds
    from 1970 UTC.
    """

    offsets: Mapping[str, int]
    latest: int
    tallies: Mapping[str, int]
    old_share: float = 0.0
    again: float = 0.0
    sources: Mapping[str, Source] = field(default_factory=dict)
    partitions: int = 0


@dataclass(frozen=True)
class _Form:
    """How a generation is written: what packs its records, and how many entries lie beside a month.

    A month that is not named has none beside it.
    """

    packing: Packing
    added: dict[int, int]


def shard_of(tp: TP) -> TP:
    """The shard that a partition belongs to, named by its group's first topic."""
    return TP(group_of(tp.topic), tp.partition)


def stored_offsets(heads: Mapping[TP, Head]) -> dict[TP, int]:
    """Where the state stands in each partition, from the heads of shards."""
    return {
        TP(topic, shard.partition): offset
        for shard, head in heads.items()
        for topic, offset in head.offsets.items()
    }


def layout(rules: Rules) -> str:
    """A hash of all that the meaning of stored records and tables rests on."""
    return _layout(rules, FORMAT)


@lru_cache(maxsize=8)
def _layout(rules: Rules, stored_format: int) -> str:
    # Every store asks for it, and a read of a scorecard has one for each shard.
    catalogue = rules.catalogue
    parts = {
        "format": stored_format,
        "relations": [relation.model_dump(mode="json") for relation in catalogue.relation],
        "measures": [measure.model_dump(mode="json") for measure in catalogue.measure],
        "standards": [standard.model_dump(mode="json") for standard in rules.standards.standard],
        "leaves": rules.areas.leaves,
        "sites": [site.model_dump(mode="json") for site in rules.places.site],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class ShardStore:
    """The stored state of one shard of a deployment, in the generation its head names."""

    def __init__(self, redis: Redis, deployment: str, shard: TP, rules: Rules) -> None:
        # The client's types allow for decoded text, which it is never asked for here.
        self._redis: Any = redis
        self._rules = rules
        self._layout = layout(rules)
        self._shard = shard
        self._prefix = keys.of_shard(deployment, *shard)
        self.head_key = f"{self._prefix}:head"
        self._name = f"{shard.topic}[{shard.partition}]"
        self._read = redis.register_script(READ)
        # By generation: how it is written, and by what the records that were read are packed.
        self._forms: dict[int, _Form] = {}
        self._unpackings: dict[int, Unpacking] = {}
        # What was read of what is packed by number, and where the state stood then.
        self._numbered: dict[str, tuple[Place, Numbers]] = {}

    def key(self, generation: int, name: str) -> str:
        """The key of a part of a generation's state."""
        return f"{self._prefix}:{generation}:{name}"

    def alerts_key(self, name: str) -> str:
        """The key of a part of what is known of the shard's alerts."""
        return f"{self._prefix}:alerts:{name}"

    async def head(self, *, any_layout: bool = False) -> Head | None:
        """The head; None before the first commit.

        Raises OtherLayout unless any will do, and Incomplete where the key is no head.
        """
        try:
            stored = await self._redis.hgetall(self.head_key)
        except ResponseError as error:
            raise self._incomplete("the head has another type", error) from error
        return self._head(stored, any_layout=any_layout)

    async def look(self, *, every_month: bool = False) -> tuple[Look, Head | None]:
        """The head, and what is there of the keys, at one moment. Raises OtherLayout."""
        found = await look(self._redis, self.head_key, every_month=every_month)
        return found, self._head(dict(found.head))

    async def load(self) -> tuple[Head | None, Tables | None]:
        """The head and the whole of the tables, as a worker takes them over; None before any.

        What is there must add up to what the head says. Raises Incomplete or OtherLayout.
        """
        for tries_left in reversed(range(LOAD_TRIES)):
            found, head = await self.look(every_month=True)
            trouble, tables = found.trouble(), None
            if head and not trouble:
                try:
                    tables = await self.tables(head)
                except Incomplete as error:
                    trouble = error.what
            if not trouble:
                return head, tables
            # A worker that still held the shard may have written between one key and another.
            _, after = await self.look()
            if not tries_left or (after and after.place) == (head and head.place):
                raise self._incomplete(trouble)
        raise AssertionError

    def _incomplete(self, what: str, error: Exception | None = None) -> Incomplete | Exception:
        """Incomplete, unless Redis refused for another reason than a key's type."""
        is_other = isinstance(error, RedisError) and "WRONGTYPE" not in str(error)
        return error if is_other and error else Incomplete(self._name, what)

    async def tables(self, head: Head) -> Tables:
        """The whole of a generation's tables. Raises Incomplete where they do not add up."""
        try:
            return await self._tables(head)
        except (ResponseError, *DAMAGES) as error:
            raise self._incomplete("tables cannot be read", error) from error

    async def _tables(self, head: Head) -> Tables:
        redis, tables = self._redis, self._rules.empty_tables()
        stored = await redis.get(self.key(head.generation, "cells")) or b""
        named = await redis.lrange(self.key(head.generation, "localities"), 0, -1)
        tables.cells = decode_cells(stored, named, self._rules.localities)
        months = await redis.zrange(self.key(head.generation, "months"), 0, -1)
        tables.months = sorted(int(month) for month in months)
        for start in range(0, len(tables.months), MONTHS_AT_ONCE):
            some = tables.months[start : start + MONTHS_AT_ONCE]
            async with redis.pipeline(transaction=False) as pipe:
                for month in some:
                    for part in ("checkpoint", "entries", "added"):
                        pipe.get(self.key(head.generation, f"{part}:{month}"))
                    pipe.hget(self.key(head.generation, "added"), month)
                found = iter(await pipe.execute())
            for month, *stored_month in zip(some, found, found, found, found, strict=True):
                checkpoint, entries, added, number = (it or b"" for it in stored_month)
                if not _is_there(entries, number, added):
                    raise self._incomplete(f"some of month {month} is gone")
                tables.checkpoints[month] = decode_checkpoint(checkpoint)
                tables.entries[month] = decode_month(entries, added)
        wrong = wrong_in_tables(head.kept, tables, stored, named)
        if wrong:
            raise Incomplete(self._name, wrong)
        tables.sum = head.kept.entry_sum
        return tables

    async def first_month(self, head: Head) -> int | None:
        """The number of the first month in which anything is counted; None before any is."""
        found = await self._redis.zrange(self.key(head.generation, "months"), 0, 0)
        return int(found[0]) if found else None

    async def month_tables(self, months: Sequence[int]) -> tuple[Head | None, list[Tables]]:
        """The head and, for each month number, tables of what a stock in that month needs.

        Raises OtherLayout, and Incomplete where they cannot be read.
        """
        found = await self.months_since(months, NO_VERSION)
        assert found is not None  # of no version there is nothing that is known
        return found.head, found.tables

    async def months_since(self, months: Sequence[int], known: bytes) -> Months | None:
        """What `month_tables` reads, and of which version; None where that is the one known."""
        try:
            return await self._months_in(
                await self._read(keys=[self.head_key], args=[known, *months])
            )
        except (ResponseError, *DAMAGES) as error:
            raise self._incomplete("tables cannot be read", error) from error

    async def _months_in(self, answer: Any) -> Months | None:
        if not answer:
            return None
        stored, *parts = answer
        head = self._head(dict(zip(stored[::2], stored[1::2], strict=True)))
        if head is None:
            return Months(None, [], NO_VERSION)
        cells, named, number, version, *found = parts
        counted = head.kept.cells * CELL.itemsize, head.kept.localities, head.kept.months
        if (len(cells), len(named), number) != counted or not all(
            _is_there(*it[2:]) for it in found if it
        ):
            await self.look()  # a Cluster that is moving the slot says so
            raise self._incomplete("some of what is read is gone")
        known = decode_cells(cells, named, self._rules.localities)
        return Months(head, [_month_tables(known, *it) for it in found], version)

    async def records(self, head: Head, children: list[str]) -> list[bytes | None]:
        """The stored records of the children, None for those that have none."""
        if not children:
            return []
        stored: list[bytes | None] = await self._redis.hmget(
            self.key(head.generation, "records"), children
        )
        return await self._opened(head.generation, children, stored)

    async def children(
        self,
        head: Head,
        children: list[str],
        is_ours: Callable[[Place], bool] | None = None,
        *,
        are_told: bool = True,
    ) -> list[StoredChild]:
        """The stored records of the children and the alerts told of them, None for none.

        None for all alerts unless `are_told`, as where they are made anew.

        Raises Incomplete for a record that is not the last that was stored. Raises Refused unless
        where the state stood then, if that is asked about, is ours: of two servers that both take
        themselves for the master one may be behind, and not know it.
        """
        if not children:
            return []
        records, seals = (self.key(head.generation, name) for name in ("records", "seals"))
        keys = self.head_key, records, self.alerts_key("told"), seals
        places = self._place_fields
        at, records, told, seals = await self._redis.eval(
            FIELDS, len(keys), *keys, len(places), *places, *children
        )
        self._refuse_unless(is_ours, at)
        if not all(it is None or is_last(it, of) for it, of in zip(records, seals, strict=True)):
            raise Incomplete(self._name, NOT_LAST)
        opened = await self._opened(head.generation, children, records, is_ours)
        alerts = [
            await self._told_apart(child, is_ours) if is_apart(it) else it
            for child, it in zip(children, told if are_told else [None] * len(told), strict=True)
        ]
        numbers = [None if it is None else number_in(it) for it in records]
        return [StoredChild(*it) for it in zip(opened, alerts, numbers, strict=True)]

    @property
    def _place_fields(self) -> list[str]:
        topics = (f"{OFFSET}{topic}" for topic in topics_in(self._shard.topic))
        return ["generation", "commits", "offset", *topics]

    def _place_in(self, stored: Sequence[bytes | None]) -> Place:
        """The place of a head, from its `_place_fields`."""
        pairs = zip(self._place_fields, stored, strict=True)
        fields = {name: value for name, value in pairs if value is not None}
        offsets = self._offsets_in(fields)
        generation, commits = (int(fields.get(name, 0)) for name in ("generation", "commits"))
        return Head(generation, offsets, commits=commits).place

    async def _opened(
        self,
        generation: int,
        children: Sequence[str],
        stored: Sequence[bytes | None],
        is_ours: Callable[[Place], bool] | None = None,
    ) -> list[bytes | None]:
        """The records as they were before they were stored. Raises Incomplete."""
        pairs = [(child, it) for child, it in zip(children, stored, strict=True) if it is not None]
        apart = [pair for pair in pairs if apart_in(pair[1])]
        large = await self._large(generation, apart, is_ours) if apart else {}
        small = await self._small(generation, [pair for pair in pairs if pair[0] not in large])
        found = small | large
        return [found.get(child) for child in children]

    async def _small(self, generation: int, asked: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
        """The records that lie in their places. Raises Incomplete."""
        known = self._unpackings.get(generation, NO_UNPACKING)
        found = {child: opened(child, stored, known) for child, stored in asked}
        if None in found.values() and any(dictionary_in(stored) != AS_IS for _, stored in asked):
            # There may be one more than was read, or others since the state was replaced.
            known = unpacking(await self._read_dictionaries(generation))
            self._unpackings[generation] = known
            found = {child: opened(child, stored, known) for child, stored in asked}
        whole = {child: record for child, record in found.items() if record is not None}
        if len(whole) < len(found):
            raise Incomplete(self._name, DAMAGED)
        return whole

    async def _read_dictionaries(self, generation: int) -> dict[int, bytes]:
        """What small records of a generation are packed by. Raises Incomplete."""
        try:
            stored = await self._redis.hgetall(self.key(generation, "dictionaries"))
            return {int(number): dictionary for number, dictionary in stored.items()}
        except (ResponseError, ValueError) as error:
            raise self._incomplete("dictionaries cannot be read", error) from error

    async def _form(self, generation: int) -> "_Form":
        """How a generation is written: to be given back once something is, so that it still holds.

        Raises Incomplete.
        """
        known = self._forms.pop(generation, None)
        if known is not None:
            return known
        packing = Packing(await self._read_dictionaries(generation))
        try:
            added = await self._redis.hgetall(self.key(generation, "added"))
            return _Form(packing, {int(month): int(number) for month, number in added.items()})
        except (ResponseError, ValueError) as error:
            raise self._incomplete("entries cannot be read", error) from error

    async def _large(
        self,
        generation: int,
        asked: Sequence[tuple[str, bytes]],
        is_ours: Callable[[Place], bool] | None = None,
    ) -> dict[str, bytes]:
        """The records that are stored apart, as they were when that was read which says so.

        One that was written whole since then is as it is now. Raises Incomplete, and Refused as
        `children` does.
        """
        found: dict[str, bytes] = {}
        waiting = dict(asked)
        for _ in range(LARGE_TRIES):
            places = {child: apart_in(stored) for child, stored in waiting.items()}
            apart = {child: place for child, place in places.items() if place is not None}
            whole = {child: it for child, it in waiting.items() if child not in apart}
            found |= await self._small(generation, [*whole.items()])
            answers = await self._apart(generation, apart) if apart else []
            changed: dict[str, bytes] = {}
            for (child, place), (at, again, record) in zip(apart.items(), answers, strict=True):
                self._refuse_unless(is_ours, at)
                opened_record = place.opened(child, record)
                if opened_record is not None:
                    found[child] = opened_record
                elif again is None or again == waiting[child]:
                    raise Incomplete(self._name, DAMAGED)
                else:
                    changed[child] = again
            if not changed:
                return found
            waiting = changed
        raise Incomplete(self._name, DAMAGED)

    async def _apart(
        self, generation: int, places: Mapping[str, Apart]
    ) -> list[tuple[Sequence[bytes | None], bytes | None, bytes]]:
        """For each child, where the state stands, what says where the record lies, and its bytes.

        Each of one moment, and of one server; as many bytes as are said to count.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            for child, place in places.items():
                names = "records", f"record:{child}"
                keys = self.head_key, *(self.key(generation, it) for it in names)
                pipe.eval(APART, len(keys), *keys, child, place.length - 1, *self._place_fields)
            try:
                found: list[Any] = await pipe.execute()
            except ResponseError as error:
                raise self._incomplete(DAMAGED, error) from error
        return [(at, again, whole) for at, again, whole in found]

    async def _told_apart(
        self, child: str, is_ours: Callable[[Place], bool] | None = None
    ) -> bytes:
        """The alerts told of a child that are stored each on its own, as they are now.

        Raises Incomplete, and Refused as `children` does.
        """
        keys = self.head_key, self.alerts_key("told"), self.alerts_key(f"told:{child}")
        try:
            at, place, apart = await self._redis.eval(
                TOLD_APART, len(keys), *keys, child, *self._place_fields
            )
        except ResponseError as error:
            raise self._incomplete(TOLD_DAMAGED, error) from error
        self._refuse_unless(is_ours, at)
        found = joined(place or b"", apart)
        if found is None:
            raise Incomplete(self._name, TOLD_DAMAGED)
        return found

    def _refuse_unless(
        self, is_ours: Callable[[Place], bool] | None, at: Sequence[bytes | None]
    ) -> None:
        if is_ours and not is_ours(self._place_in(at)):
            raise Refused(f"{self.head_key}: the state stands elsewhere, at {self._place_in(at)}")

    async def some_children(self, head: Head, most: int) -> list[str]:
        """Children drawn at random, at most so many."""
        drawn: list[bytes] = await self._redis.hrandfield(
            self.key(head.generation, "records"), most
        )
        return [child.decode() for child in drawn or ()]

    async def at_one_moment(
        self, months: Sequence[int], children: Sequence[str]
    ) -> tuple[Head, list[Tables], list[bytes | None]]:
        """The head, as `month_tables` does, and records of children, all of one moment.

        Raises Incomplete where there is no head, or its generation is over.
        """
        generation = (await self.head() or Head()).generation
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.eval(READ, 1, self.head_key, NO_VERSION, *months)
            if children:
                pipe.hmget(self.key(generation, "records"), children)
            answer, *stored = await pipe.execute()
        found = await self._months_in(answer)
        head = found.head if found else None
        if found is None or head is None or head.generation != generation:
            raise Incomplete(self._name, "the head has changed meanwhile")
        records = stored[0] if stored else []
        return head, found.tables, await self._opened(generation, children, records)

    async def due(self, head: Head, seconds: float, most: int, since: float = 0.0) -> list[str]:
        """Children whose alerts are to be looked at by a time, the longest due first.

        Those who were due by `since` are left out.
        """
        numbers = first_due(await self._due_times(head), seconds, most, since)
        if not numbers:
            return []
        names, children = self.key(head.generation, "names"), list[bytes | None]()
        for start in range(0, len(numbers), NAMES_AT_ONCE):
            some = numbers[start : start + NAMES_AT_ONCE]
            children += await self._redis.eval(NAMES, 1, names, *some)
        # One whose name is not there is missed when the keys are looked at next.
        return [child.decode() for child in children if child is not None]

    async def _due_times(self, head: Head) -> Numbers:
        """When children are to be looked at: what is known of it, or what is stored by now."""
        name = "deadlines"
        if name in self._numbered and self._numbered[name][0] == head.place:
            return self._numbered[name][1]
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hmget(self.head_key, self._place_fields)
            pipe.get(self.key(head.generation, name))
            at, stored = await pipe.execute()
        numbers, place = decode_numbers(stored or b""), self._place_in(at)
        if place[0] == head.generation:
            self._numbered[name] = place, numbers
        return numbers

    async def _changed(
        self, pipe: Any, head: Head, settlement: Settlement, again: float
    ) -> ChangedNumbers:
        """What a settlement changes of what is packed by number, and all of it where it is much.

        The pipe watches the head, which is the one given.
        """
        changes, whole = _numbered_changes(settlement, again), dict[str, Numbers]()
        for name, changed in changes.items():
            if are_many(changed, head.kept.records + settlement.grown.records):
                place, numbers = self._numbered.get(name, (None, NO_NUMBERS))
                if place != head.place:
                    numbers = decode_numbers(await pipe.get(self.key(head.generation, name)) or b"")
                whole[name] = change_numbers(numbers.copy(), changed)
        return ChangedNumbers(changes, whole)

    def _follow(self, before: Place, after: Place, changed: ChangedNumbers) -> None:
        """Keep what is known of what is packed by number as it is after a commit."""
        known = self._numbered
        self._numbered = {name: (after, numbers) for name, numbers in changed.whole.items()}
        for name, (place, numbers) in known.items():
            if place == before and name not in changed.whole:
                changes = changed.changes.get(name, b"")
                self._numbered[name] = after, change_numbers(numbers, changes)

    async def told(self) -> int:
        """Of how many children alerts were told."""
        number: int = await self._redis.hlen(self.alerts_key("told"))
        return number

    async def judged(self, seconds: float) -> None:
        """Note that by a time no child was left whose alerts were to be looked at."""
        await self._redis.zadd(self.alerts_key("judged"), {"at": seconds}, gt=True)

    async def all_records(self, head: Head) -> AsyncIterator[tuple[str, bytes]]:
        """Every child's stored record; one changed meanwhile may come twice."""
        key, cursor, is_begun = self.key(head.generation, "records"), 0, False
        while cursor or not is_begun:
            is_begun = True
            cursor, page = await self._redis.hscan(key, cursor, count=1_000)
            pairs = [(name.decode(), stored) for name, stored in page.items()]
            for start in range(0, len(pairs), LARGE_AT_ONCE):
                some = pairs[start : start + LARGE_AT_ONCE]
                children, places = zip(*some, strict=True)
                records = await self._opened(head.generation, children, places)
                for child, record in zip(children, records, strict=True):
                    if record is not None:
                        yield child, record

    async def commit(
        self, head: Head, settlement: Settlement, tables: Tables, advance: Advance
    ) -> Head:
        """Write what a settlement changed together with the next offsets, or nothing.

        1. Watch the head, and refuse unless it is the one given, and its keys add up to it.
        2. Queue the records, the cells, the rows and the checkpoints that changed.
        3. Queue the new head.
        4. Execute all of it as one transaction, refused if the head changed since step 1.

        Raises Refused or Incomplete. After that, or any other error, whether the commit took place
        is for the stored head to say: the answer to step 4 may have been lost.
        """
        form = await self._form(head.generation)
        try:
            async with fenced(self._redis, self.head_key, reads_first=True) as pipe:
                found = await look(pipe, self.head_key)
                stored = self._head(dict(found.head)) or Head(head.generation)
                if stored.place != head.place:
                    raise Refused(
                        f"{self.head_key}: stored generation, offsets and commits {stored.place}, "
                        f"expected {head.place}"
                    )
                trouble = found.trouble()
                if trouble:
                    raise Incomplete(self._name, trouble)
                if settlement.grown.records and settlement.grown.since != stored.kept.records:
                    raise Refused(f"{self.head_key}: records are numbered from another state")
                changed = await self._changed(pipe, stored, settlement, advance.again)
                pipe.multi()
                new = self._queue_state(pipe, head.generation, settlement, tables, form, changed)
                kept = stored.kept.after(settlement, tables, new, form.packing)
                after = _advanced(replace(stored, kept=kept), advance)
                queue_changes(pipe, self.alerts_key, self._outgoing(settlement))
                self._queue_told(pipe, settlement.telling.told)
                self._queue_head(pipe, after, advance.tallies)
        except Overtaken as error:
            raise Refused(f"{self.head_key}: another worker wrote meanwhile") from error
        self._forms[head.generation] = form
        self._follow(head.place, after.place, changed)
        return after

    async def write(
        self, generation: int, settlement: Settlement, tables: Tables, kept: Kept
    ) -> Kept:
        """Write what a settlement changed to a generation that no head names yet.

        Given what was kept of it, tells what is kept since.
        """
        key, form = self.key(generation, "records"), await self._form(generation)
        try:
            async with fenced(self._redis, key) as pipe:  # else it may be sent twice
                pipe.multi()
                changed = ChangedNumbers(_numbered_changes(settlement, 0.0))
                new = self._queue_state(pipe, generation, settlement, tables, form, changed)
        except Overtaken as error:
            raise Refused(f"{key}: whether it was written is not known") from error
        self._forms[generation] = form
        return kept.after(settlement, tables, new, form.packing)

    async def switch(self, current: Head, to: Head) -> None:
        """Make another generation the state, in one step. Raises Refused if it changed.

        A head that is missing, or no head at all, is one of generation -1. Where alerts that were
        on, or waited to be told, are gone, each is told again as it was told last; of a child of
        whom some of what was told is gone, all is forgotten.
        """
        try:
            async with fenced(self._redis, self.head_key) as pipe:
                found = await look(pipe, self.head_key)
                stored = self._head(dict(found.head), any_layout=True) or Head(NO_HEAD)
                if stored.generation != current.generation:
                    raise Refused(
                        f"{self.head_key}: it is no longer generation {current.generation}"
                    )
                forgotten = await self._told_in_part()
                again = await self._told_again(forgotten) if found.lacks_alerts else []
                pipe.multi()
                for child in forgotten:
                    pipe.hdel(self.alerts_key("told"), child)
                    pipe.delete(self.alerts_key(f"told:{child}"))
                if again:
                    pipe.delete(self.alerts_key("open"), self.alerts_key("counts"))
                    if found.has_another_outbox:
                        pipe.delete(self.alerts_key("outbox"))
                    queue_changes(pipe, self.alerts_key, again)
                pipe.delete(self.head_key, f"{self._prefix}:stopped")
                self._queue_head(pipe, to, to.tallies)
        except Overtaken as error:
            raise Refused(f"{self.head_key}: a worker wrote meanwhile") from error

    async def generations(self) -> set[int]:
        """The numbers of the generations that any key is of, whatever the head says."""
        begins = len(self._prefix) + 1
        names = [key async for key in self._redis.scan_iter(match=f"{self._prefix}:*", count=1_000)]
        parts = {name.decode()[begins:].partition(":")[0] for name in names}
        return {int(part) for part in parts if part.isdigit()}

    async def note_stopped(self, topic: str, reason: str) -> None:
        """Keep with the state why nothing more is read of a topic."""
        at = datetime.fromtimestamp(time.time(), UTC)
        await self._redis.hset(
            f"{self._prefix}:stopped", topic, f"{at:%Y-%m-%d %H:%M} UTC: {reason}"
        )

    async def clear_stopped(self) -> None:
        """Forget why topics were stopped: they are read again."""
        await self._redis.delete(f"{self._prefix}:stopped")

    async def drop(self, generation: int) -> None:
        """Remove all that is stored of a generation that no head names."""
        self._forms.pop(generation, None)
        pattern = self.key(generation, "*")
        async for key in self._redis.scan_iter(match=pattern, count=1_000):
            await self._redis.unlink(key)

    async def remove(self) -> None:
        """Remove all that is stored of a shard that there is no more."""
        await self._redis.delete(self.head_key)
        async for key in self._redis.scan_iter(match=f"{self._prefix}:*", count=1_000):
            await self._redis.unlink(key)

    async def _told_in_part(self) -> set[str]:
        """The children of whom fewer alerts are stored apart than their place says."""
        found = set[str]()
        async for name, stored in self._redis.hscan_iter(self.alerts_key("told"), count=1_000):
            child = name.decode()
            if is_apart(stored):
                try:
                    apart = await self._redis.hlen(self.alerts_key(f"told:{child}"))
                except ResponseError as error:
                    if "WRONGTYPE" not in str(error):
                        raise
                    apart = 0
                if not is_whole(stored, apart):
                    found.add(child)
        return found

    async def _told_again(self, forgotten: Collection[str]) -> list[Outgoing]:
        """Every alert as it was told last, under the version that it has."""
        again: list[Outgoing] = []
        for name, stored in (await self._redis.hgetall(self.alerts_key("told"))).items():
            child = name.decode()
            if child in forgotten:
                continue
            told = read_told(await self._told_apart(child) if is_apart(stored) else stored)
            for alert in told.alerts.values():
                about, text = self._rules.wording.change(child, alert, alert.stand_at)
                again.append(Outgoing(about, alert.standard, None, alert.state, text))
        return again

    def _outgoing(self, settlement: Settlement) -> Iterator[Outgoing]:
        for child, alert, before in settlement.telling.changes:
            name, text = self._rules.wording.change(child, alert, settlement.telling.at)
            yield Outgoing(name, alert.standard, before, alert.state, text)

    def _queue_state(
        self,
        pipe: Any,
        generation: int,
        settlement: Settlement,
        tables: Tables,
        form: "_Form",
        changed: ChangedNumbers,
    ) -> NewCells:
        """Queue all but the head; the cells that are new."""
        self._queue_records(pipe, generation, settlement, form.packing)
        touched, texts = settlement.touched, WrittenTexts({}, {})
        new = encode_cells(tables.cells, touched.known, self._rules.localities)
        if new.cells:
            texts.more[self.key(generation, "cells")] = new.cells
        if new.localities:
            pipe.rpush(self.key(generation, "localities"), *new.localities)
        self._queue_entries(pipe, generation, settlement, tables, form.added, texts)
        self._queue_cells(pipe, generation, settlement, tables, changed, texts)
        texts.queue(pipe)
        begun = {str(month): month for month in touched.begun}
        if begun:
            pipe.zadd(self.key(generation, "months"), begun)
        return new

    def _queue_entries(
        self,
        pipe: Any,
        generation: int,
        settlement: Settlement,
        tables: Tables,
        numbers: dict[int, int],
        texts: WrittenTexts,
    ) -> None:
        """Queue entries: what was added, or, where there is much of that, all of the month."""
        changed: dict[int, int] = {}
        for month, (places, amounts) in settlement.touched.entries.items():
            before = numbers.get(month, 0)
            number, beside = before + len(places), self.key(generation, f"added:{month}")
            most = max(ADDED_LEAST, len(tables.entries[month].places) // ADDED_SHARE)
            if number < most and month not in settlement.touched.begun:
                texts.more[beside] = encode_added(places, amounts)
            else:
                whole = encode_month(tables.entries[month])
                texts.whole[self.key(generation, f"entries:{month}")] = whole
                if before:
                    pipe.delete(beside)
                number = 0
            changed[month] = number
        if changed:
            pipe.hset(self.key(generation, "added"), mapping=changed)
            numbers |= changed

    def _queue_cells(
        self,
        pipe: Any,
        generation: int,
        settlement: Settlement,
        tables: Tables,
        numbered: ChangedNumbers,
        texts: WrittenTexts,
    ) -> None:
        """Queue what is packed by number: seals and deadlines of records, and stocks of months."""
        changed: dict[str, bytes] = {}
        for name, of_name in numbered.changes.items():
            if name in numbered.whole:
                texts.whole[self.key(generation, name)] = numbered.whole[name].tobytes()
            else:
                changed[self.key(generation, name)] = of_name
        for month, cells in settlement.touched.checkpoints.items():
            key = self.key(generation, f"checkpoint:{month}")
            changes = checkpoint_changes(tables.checkpoints[month], cells)
            if changes is None:
                texts.whole[key] = encode_checkpoint(tables.checkpoints[month])
            else:
                changed[key] = changes
        if changed:
            pipe.eval(SET_CELLS, len(changed), *changed, *changed.values())

    def _queue_records(
        self, pipe: Any, generation: int, settlement: Settlement, packing: Packing
    ) -> None:
        """Queue what is to be stored of records; large ones lie apart, and grow at their ends."""
        known = settlement.grown.since + settlement.grown.records
        dictionary = packing.learn(settlement.records.values(), known)
        if dictionary is not None:
            pipe.hset(self.key(generation, "dictionaries"), packing.number, dictionary)
        small = {child: it for child, it in settlement.records.items() if not it.is_apart}
        places = dict(zip(small, sealed([*small.values()], packing), strict=True))
        for child, written in settlement.records.items():
            key = self.key(generation, f"record:{child}")
            if not written.is_apart:
                if written.was_apart:
                    pipe.delete(key)
                continue
            places[child] = Apart(written.length, written.number, written.seal).packed()
            if written.kept:
                pipe.append(key, written.piece)
            else:
                pipe.set(key, written.piece)
        _queue_fields(pipe, self.key(generation, "records"), places)
        since = settlement.grown.since
        new = {it.number: child for child, it in settlement.records.items() if it.number >= since}
        for start in range(since, since + len(new), FIELDS_AT_ONCE):
            some = range(start, min(start + FIELDS_AT_ONCE, since + len(new)))
            pipe.rpush(self.key(generation, "names"), *[new[number] for number in some])

    def _queue_told(self, pipe: Any, told: Mapping[str, WrittenAlerts]) -> None:
        """Queue what is to be stored of told alerts; many of a child's each on its own."""
        for child, written in told.items():
            key = self.alerts_key(f"told:{child}")
            if written.is_first:
                pipe.delete(key)
            _queue_fields(pipe, key, written.apart)
        places = {child: written.place for child, written in told.items()}
        _queue_fields(pipe, self.alerts_key("told"), places)

    def _queue_head(self, pipe: Any, head: Head, tallies: Mapping[str, int]) -> None:
        """Queue a head; the tallies are added to those that are stored."""
        pipe.hset(
            self.head_key,
            mapping={
                "generation": head.generation,
                "latest": head.latest,
                "commits": head.commits,
                "old_share": head.old_share,
                "layout": self._layout,
                "partitions": head.partitions,
                **source_fields(head.sources),
                "gaps": encode_gaps(head.gaps),
                **head.kept.fields(),
                **{f"{OFFSET}{topic}": offset for topic, offset in head.offsets.items()},
            },
        )
        pipe.eval(NOTE, 2, self.head_key, self.alerts_key("told"))
        for name, count in tallies.items():
            pipe.hincrby(self.head_key, f"{TALLY}{name}", count)

    def _head(self, stored: dict[bytes, bytes], *, any_layout: bool = False) -> Head | None:
        if not stored:
            return None
        if not any_layout and stored[b"layout"].decode() != self._layout:
            raise OtherLayout(
                f"{self._prefix}: the state was made with another catalogue, tree of areas, places "
                "or version of Caseline; `caseline rebuild` makes it anew from the log"
            )
        fields = {name.decode(): value for name, value in stored.items()}
        return Head(
            generation=int(fields["generation"]),
            offsets=self._offsets_in(fields),
            latest=int(fields["latest"]),
            commits=int(fields.get("commits", 0)),
            old_share=float(fields.get("old_share", 0)),
            tallies=_beginning_with(TALLY, fields),
            sources=sources_in(fields),
            partitions=int(fields.get("partitions", 0)),
            kept=kept_in(stored),
            gaps=decode_gaps(stored.get(b"gaps", b"")),
        )

    def _offsets_in(self, fields: Mapping[str, bytes]) -> dict[str, int]:
        offsets = _beginning_with(OFFSET, fields)
        if "offset" in fields:  # as it was before shards had several topics
            offsets.setdefault(self._shard.topic, int(fields["offset"]))
        return offsets


def _beginning_with(prefix: str, fields: Mapping[str, bytes]) -> dict[str, int]:
    return {
        name.removeprefix(prefix): int(value)
        for name, value in fields.items()
        if name.startswith(prefix)
    }


def _is_there(entries: bytes, number: bytes, added: bytes) -> bool:
    """Whether a month's entries, and as many as were added since, are all there."""
    return bool(entries and number) and int(number) * ADDED.itemsize == len(added)


def _month_tables(
    cells: Cells,
    month: bytes | None = None,
    checkpoint: bytes = b"",
    stored: bytes = b"",
    _: bytes = b"",
    added: bytes = b"",
) -> Tables:
    if month is None:
        return Tables(cells)
    number, entries = int(month), decode_month(stored, added)
    return Tables(cells, [number], {number: entries}, {number: decode_checkpoint(checkpoint)})


def _advanced(head: Head, advance: Advance) -> Head:
    """The head after a commit."""
    tallies = dict(head.tallies)
    for name, count in advance.tallies.items():
        tallies[name] = tallies.get(name, 0) + count
    return replace(
        head,
        offsets={**head.offsets, **advance.offsets},
        latest=advance.latest,
        commits=head.commits + 1,
        old_share=advance.old_share,
        tallies=tallies,
        sources={**head.sources, **advance.sources},
        partitions=advance.partitions or head.partitions,
    )


def _numbered_changes(settlement: Settlement, again: float) -> dict[str, bytes]:
    """What a settlement changes of what is packed by number, by name."""
    changes: dict[str, bytes] = {}
    if settlement.records:
        changes["seals"] = b"".join(map(seal_change, settlement.records.values()))
    if settlement.deadlines:
        changes["deadlines"] = encode_due(settlement.deadlines, again)
    return changes


def _queue_fields(pipe: Any, key: str, fields: Mapping[Any, bytes]) -> None:
    items = list(fields.items())
    for start in range(0, len(items), FIELDS_AT_ONCE):
        flat = [part for item in items[start : start + FIELDS_AT_ONCE] for part in item]
        pipe.execute_command("HSET", key, *flat)
