"""The quality of records as pages and the API show it, held by date and kept up with the state."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import date

from redis.asyncio import Redis

from processors.record.found_quality import HeldQuality, QualityAsOf, QualityFound
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.kept_records import KeptRecords, parts

# Records that are judged before whoever else is served has a turn.
JUDGED_AT_ONCE = 50
# Dates that are held, some hundred bytes a child each; of others that are asked for it is read
# anew. So no more are read at a time either.
KEPT_DATES = 3


class _QualityOfShard:
    """The quality of the children of a shard."""

    def __init__(self, judging: QualityAsOf, quality: HeldQuality) -> None:
        self._judging, self.quality = judging, quality

    @property
    def children(self) -> int:
        return self.quality.children

    def copy(self) -> "_QualityOfShard":
        return _QualityOfShard(self._judging, self.quality.copy())

    def forget(self, names: Iterable[str]) -> None:
        self.quality.forget(names)

    async def put(self, stored: Mapping[str, bytes]) -> None:
        for some in parts(stored, JUDGED_AT_ONCE):
            for name in some:
                events = decode_record(stored[name], lambda _: b"").events
                self.quality.put(name, self._judging.of_child(events))
            await asyncio.sleep(0)


class LiveQuality:
    """What is odd or lacking in the records of a deployment."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules) -> None:
        self._redis, self._settings, self._rules = redis, settings, rules
        self._kept: OrderedDict[date, KeptRecords[_QualityOfShard]] = OrderedDict()

    async def aclose(self) -> None:
        """Read nothing more."""
        await asyncio.gather(*(it.aclose() for it in self._kept.values()))

    async def found(self, day: date) -> QualityFound:
        """What is odd or lacking as of a date. Raises Problem, also where much is to be read."""
        held = await self.kept(day).now()
        found = QualityFound()
        for it in held:
            found.add_held(it.quality)
        return found

    def kept(self, day: date) -> KeptRecords[_QualityOfShard]:
        """What is held of a date, in place of what was not asked for longest."""
        if day not in self._kept:
            while len(self._kept) >= KEPT_DATES:
                _, longest = self._kept.popitem(last=False)
                longest.give_up()
            self._kept[day] = self._of_date(day)
        self._kept.move_to_end(day)
        return self._kept[day]

    def _of_date(self, day: date) -> KeptRecords[_QualityOfShard]:
        judging = QualityAsOf(self._rules.areas, self._rules.calendar, day)
        return KeptRecords(
            *(self._redis, self._settings, self._rules),
            lambda: _QualityOfShard(judging, HeldQuality()),
            f"the quality of records as of {day} is",
        )
