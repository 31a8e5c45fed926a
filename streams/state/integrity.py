"""What a shard's keys must add up to, kept in its head and compared with what is there.

A key may be deleted, damaged or replaced behind a worker's back. The counts of the head are
compared with Redis's at every commit and every few seconds; the sums of the tables whenever they
are loaded; each record's seal when it is read. What does not add up stops the shard, because to
count on would be to count what is known as new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

from processors.fold import Settlement
from processors.ledger.tables import Tables
from processors.record.record import Written, seal
from streams.failures import Understood
from streams.state.encoding import CELL, NUMBER, NewCells
from streams.state.packing import AS_IS, NO_PACKING, NO_UNPACKING, Packing, Unpacking, unpack

KEPT = "kept:"
# Parts that only Redis can count in the step that changes them.
NOTED = "noted:"
NOTED_ALERTS = b"noted:alerts"
# What ends what lies in a record's place: its dictionary's number, its own, and its seal.
_END = Struct("<BII")
# The seal of each record by its number, once more, in one string; and a change of it.
SEAL_BYTES, SEAL_CHANGE = 4, Struct("<II")
# The number of no dictionary: what is known of a record that lies apart.
_IS_APART = 255
_APART = Struct("<QBII")

# How many alerts are open and the last id of the outbox, after the number of commits when it was
# so: a program that does not note it, in an upgrade, makes it say nothing. Entries of the outbox
# come and go, and its last id stays.
ALERTS = """
local function alerts(head, own)
  local open, outbox, last = own .. 'alerts:open', own .. 'alerts:outbox', ''
  local kind = redis.call('TYPE', outbox).ok
  if kind == 'stream' then
    local info = redis.call('XINFO', 'STREAM', outbox)
    for at = 1, #info, 2 do
      if info[at] == 'last-generated-id' then last = info[at + 1] end
    end
  elseif kind ~= 'none' then
    last = kind
  end
  local count = redis.call('TYPE', open).ok == 'hash' and redis.call('HLEN', open) or 0
  return (redis.call('HGET', head, 'commits') or '') .. ' ' .. count .. ' ' .. last
end
"""
# The head, the size of each part (-1 for another type), what of months is gone, parts of the first
# generation that are there without a head, and why topics are stopped: all at one moment. The keys
# share the slot of the first. With `all` every month's keys are looked for.
LOOK = (
    ALERTS
    + """
local function size(key, kind, command)
  local found = redis.call('TYPE', key).ok
  if found == 'none' then return 0 end
  if found ~= kind then return -1 end
  return redis.call(command, key)
end
local kind = redis.call('TYPE', KEYS[1]).ok
local own = string.sub(KEYS[1], 1, -5)
local stopped = {}
if redis.call('TYPE', own .. 'stopped').ok == 'hash' then
  stopped = redis.call('HGETALL', own .. 'stopped')
end
if kind ~= 'hash' then
  local first = own .. '0:'
  return {kind, {}, {}, {}, redis.call('EXISTS', first .. 'records', first .. 'cells',
    first .. 'localities', first .. 'months', first .. 'seals'), stopped, ''}
end
local head = redis.call('HGETALL', KEYS[1])
local base = own .. (redis.call('HGET', KEYS[1], 'generation') or '') .. ':'
local sizes = {
  size(base .. 'records', 'hash', 'HLEN'),
  size(base .. 'cells', 'string', 'STRLEN'),
  size(base .. 'localities', 'list', 'LLEN'),
  size(base .. 'months', 'zset', 'ZCARD'),
  size(base .. 'seals', 'string', 'STRLEN'),
  size(base .. 'dictionaries', 'hash', 'HLEN'),
  size(base .. 'added', 'hash', 'HLEN'),
  size(base .. 'names', 'list', 'LLEN'),
  size(base .. 'deadlines', 'string', 'STRLEN'),
  size(own .. 'alerts:told', 'hash', 'HLEN'),
}
local gone = {}
if ARGV[1] == 'all' and sizes[4] > 0 then
  local call, names = redis.call, {'entries:', 'checkpoint:'}
  for _, month in ipairs(call('ZRANGE', base .. 'months', 0, -1)) do
    for _, name in ipairs(names) do
      local part = name .. month
      if call('TYPE', base .. part).ok ~= 'string' then gone[#gone + 1] = part end
    end
  end
end
return {kind, head, sizes, gone, 0, stopped, alerts(KEYS[1], own)}
"""
)
# Notes in the head what only Redis can count; within the transaction that changed it. A Cluster
# that is moving the slot refuses it, since its keys are named.
NOTE = (
    ALERTS
    + """
local own = string.sub(KEYS[1], 1, -5)
return redis.call('HSET', KEYS[1],
  'noted:alerts', alerts(KEYS[1], own), 'noted:told', redis.call('HLEN', KEYS[2]))
"""
)
TOLD = "alerts:told"
# Parts that have as many as another has.
COUNTED_AS = {"seals": "records", "names": "records", "deadlines": "records", "added": "months"}
PARTS = (
    *("records", "cells", "localities", "months", "seals", "dictionaries", "added"),
    *("names", "deadlines", "told"),
)


class Incomplete(Understood):
    """Part of the stored state is missing or damaged: a rebuild is due."""

    def __init__(self, shard: str, what: str) -> None:
        self.what = what
        super().__init__(
            f"{shard}: part of the state is missing or damaged ({what}); nothing more is counted "
            "until `caseline rebuild` has made it anew from the log"
        )


@dataclass(frozen=True)
class Kept:
    """What the keys of a generation add up to.

    How many records, cells, localities, months and dictionaries there are, and sums: of the
    records' seals, of the entries, and of the bytes of cells and of localities.
    """

    records: int = 0
    cells: int = 0
    localities: int = 0
    months: int = 0
    dictionaries: int = 0
    record_sum: int = 0
    entry_sum: int = 0
    cell_sum: int = 0
    locality_sum: int = 0

    def after(
        self, settlement: Settlement, tables: Tables, new: NewCells, packing: Packing = NO_PACKING
    ) -> "Kept":
        """What they add up to once a settlement is stored."""
        return Kept(
            self.records + settlement.grown.records,
            len(tables.cells),
            self.localities + len(new.localities),
            len(tables.months),
            packing.number,
            (self.record_sum + settlement.grown.seals) % 2**64,
            tables.sum,
            crc32(new.cells, self.cell_sum),
            crc32(b"".join(new.localities), self.locality_sum),
        )

    def fields(self) -> dict[str, int]:
        """The head's fields."""
        return {f"{KEPT}{name}": value for name, value in vars(self).items()}


NOTHING_KEPT = Kept()
NAMES = tuple(it.name for it in fields(Kept))


class Look(NamedTuple):
    """What was found of a shard at one moment.

    `sizes` are how large the parts are, in order of PARTS, -1 for what is of another type; `gone`
    the months' keys that are not there; `stray` how many keys are there without a head; `stopped`
    why topics are stopped; `alerts` what there is of alerts on their way, as the head notes it.
    """

    kind: str
    head: Mapping[bytes, bytes]
    sizes: Sequence[int]
    gone: Sequence[str]
    stray: int
    stopped: Mapping[str, str]
    alerts: bytes = b""

    def trouble(self) -> str | None:
        """What does not add up; None where everything does that was looked at."""
        if self.kind not in {"hash", "none"}:
            return f"the head has the type {self.kind}"
        if self.stray:
            return "the head is gone, and other keys are there"
        if not self.head:
            return None
        found = dict(zip(PARTS, self.sizes, strict=True))
        for name, size in found.items():
            if size < 0:
                return f"{name} has another type"
        found["cells"] //= CELL.itemsize
        found["seals"] //= SEAL_BYTES
        found["deadlines"] //= NUMBER.itemsize
        for name, size in found.items():
            counted = self._counted(name)
            if counted is None:
                return "the head does not say what there must be"
            if counted != size:
                return f"{size:,} {name}, {counted:,} counted"
        if self.gone:
            return f"{', '.join(sorted(self.gone))} is gone"
        return "alerts that are on, or wait to be told, are gone" if self.lacks_alerts else None

    @property
    def has_another_outbox(self) -> bool:
        """Whether what is in the place of the outbox is no stream."""
        return self.alerts.rpartition(b" ")[2].isalpha()

    @property
    def lacks_alerts(self) -> bool:
        """Whether alerts that are on, or wait to be told, are others than the head says."""
        noted = self.head.get(NOTED_ALERTS, b"").split(b" ")
        found = self.alerts.split(b" ")
        return noted[0] == found[0] and noted != found

    def _counted(self, name: str) -> int | None:
        noted = name == "told"
        of = COUNTED_AS.get(name, name)
        text = self.head.get(f"{NOTED if noted else KEPT}{of}".encode())
        return int(text) if text is not None else None


async def look(client: Any, head_key: str, *, every_month: bool = False) -> Look:
    """Look at a shard, on a client or on a pipeline that watches. Raises redis.RedisError.

    That is also what a Cluster answers that is moving the slot of keys that do not add up: some
    may be where they were, and some where they go.
    """
    asked = "all" if every_month else ""
    found = await _looked(client, asked, head_key)
    if not found.trouble():
        return found
    generation = found.head.get(b"generation", b"0").decode()
    own = head_key.removesuffix("head")
    return await _looked(
        client, asked, head_key, *(f"{own}{generation}:{it}" for it in PARTS[:-1]), f"{own}{TOLD}"
    )


async def _looked(client: Any, asked: str, *keys: str) -> Look:
    # In full each time: a Cluster's pipelines take no scripts by their hash.
    answer = await client.eval(LOOK, len(keys), *keys, asked)
    kind, head, sizes, gone, stray, stopped, alerts = answer
    pairs = dict(zip(stopped[::2], stopped[1::2], strict=True))
    return Look(
        kind.decode(),
        dict(zip(head[::2], head[1::2], strict=True)),
        sizes,
        [it.decode() for it in gone],
        stray,
        {topic.decode(): reason.decode("utf-8", "replace") for topic, reason in pairs.items()},
        alerts,
    )


def kept_in(stored: Mapping[bytes, bytes]) -> Kept:
    """What the fields of a head say; nothing of what they do not."""
    return Kept(**{name: int(stored.get(f"{KEPT}{name}".encode(), 0)) for name in NAMES})


def wrong_in_tables(kept: Kept, tables: Tables, cells: bytes, localities: Sequence[bytes]) -> str:
    """What of loaded tables does not add up; empty where all does."""
    if crc32(cells) != kept.cell_sum:
        return "cells are not those that were counted"
    if crc32(b"".join(localities)) != kept.locality_sum:
        return "localities are not those that were counted"
    if tables.counted_sum() != kept.entry_sum:
        return "entries do not add up"
    month = tables.broken_month()
    return (
        "" if month is None else f"checkpoint:{month} is not what the entries before it add up to"
    )


def sealed(written: Sequence[Written], packing: Packing = NO_PACKING) -> list[bytes]:
    """Small records as they are stored."""
    packed = packing.pack([it.piece for it in written])
    return [
        place + _END.pack(dictionary, it.number, it.seal)
        for it, (dictionary, place) in zip(written, packed, strict=True)
    ]


def number_in(stored: bytes) -> int:
    """The number of the record in whose place this lies."""
    number: int = _END.unpack(stored[-_END.size :])[1]
    return number


def seal_change(written: Written) -> bytes:
    """What a record that is written changes of the seals of all."""
    return SEAL_CHANGE.pack(written.number, written.seal)


def is_last(stored: bytes, sealed: bytes) -> bool:
    """Whether what lies in a record's place is what was written last, by the seals of all.

    A record that somebody put back as it was earlier has a seal of its own that is right.
    """
    return stored[-SEAL_BYTES:] == sealed


def dictionary_in(stored: bytes) -> int:
    """The number of the dictionary by which what lies in a record's place is packed."""
    return stored[-_END.size] if len(stored) >= _END.size else AS_IS


def opened(name: str, stored: bytes, by: Unpacking = NO_UNPACKING) -> bytes | None:
    """The record that `sealed` was given; None for what is not what was stored.

    Nor for what was packed by a dictionary that is not among those.
    """
    record = unpack(stored[: -_END.size], dictionary_in(stored), by)
    if record is None:
        return None
    is_whole = seal(name, record).to_bytes(SEAL_BYTES, "little") == stored[-SEAL_BYTES:]
    return record if is_whole else None


class Apart(NamedTuple):
    """What lies in the place of a record that is stored apart: its length, number and seal.

    It grows at its end alone, so its first `length` bytes are what they were until it is written
    whole again.
    """

    length: int
    number: int
    seal: int

    def packed(self) -> bytes:
        """It as it is stored."""
        return _APART.pack(self.length, _IS_APART, self.number, self.seal)

    def opened(self, name: str, stored: bytes) -> bytes | None:
        """The record of which these are the first bytes; None where it is not the one meant."""
        record = stored[: self.length]
        is_whole = len(record) == self.length and seal(name, record) == self.seal
        return record if is_whole else None


def apart_in(stored: bytes | None) -> Apart | None:
    """What lies in the place of a record that is stored apart; None for a record itself."""
    if stored is None or len(stored) != _APART.size or dictionary_in(stored) != _IS_APART:
        return None
    length, _, number, is_sealed = _APART.unpack(stored)
    return Apart(length, number, is_sealed)
