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
# Dates that are held, some 180 bytes a child each. Of one that is asked for in place of another
# every record is read, unless so many are being read.
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
        found = QualityFound()
        for it in await self.kept(day).now():
            found.add_held(it.quality)
        return found

    def kept(self, day: date) -> KeptRecords[_QualityOfShard]:
        """What is held of a date. Raises Problem where there is no place for it yet.

        It takes the place of what was not asked for longest, but of nothing of which much is being
        read: else those who ask for some dates, again and again, would have none of them read.
        """
        if day not in self._kept:
            if len(self._kept) >= KEPT_DATES:
                goes = next((it for it, kept in self._kept.items() if not kept.is_far_behind), None)
                if goes is None:
                    raise next(iter(self._kept.values())).not_ready()
                del self._kept[goes]
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
