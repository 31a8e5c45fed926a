"""The quality of records as pages and the API show it, held by date and kept up with the state."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus

from redis.asyncio import Redis

from processors.record.found_quality import HeldQuality, QualityAsOf, QualityFound
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.kept_records import AGAIN_SECONDS, KeptRecords, parts
from streams.serving.live_figures import ANSWER_SECONDS
from streams.serving.problems import Problem

# Records that are judged before whoever else is served has a turn.
JUDGED_AT_ONCE = 50
# Dates that are held, some 180 bytes a child each. Of one that is asked for in place of another
# every record is read, so no more are being read at a time either.
KEPT_DATES = 3
# How often one that waits for a place looks for it.
LOOK_SECONDS = 0.05


class LiveQuality:
    """What is odd or lacking in the records of a deployment."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules) -> None:
        self._redis, self._settings, self._rules = redis, settings, rules
        self.wait_seconds = ANSWER_SECONDS
        self._kept: OrderedDict[date, KeptRecords[HeldQuality]] = OrderedDict()

    async def aclose(self) -> None:
        """Read nothing more."""
        await asyncio.gather(*(it.aclose() for it in self._kept.values()))

    async def found(self, day: date) -> QualityFound:
        """What is odd or lacking as of a date. Raises Problem, also where much is to be read."""
        if day not in self._kept:
            await self._make_room(day)
            self._kept.setdefault(day, self._of_date(day))
        self._kept.move_to_end(day)
        found = QualityFound()
        for held in await self._kept[day].now():
            found.add_held(held)
        return found

    async def _make_room(self, day: date) -> None:
        """Have a place for a date that is not there: that of the one not asked for longest.

        None is put out that somebody waits for: else those who ask for some dates again and again
        would have none of them read. Raises Problem where there is no place before long.
        """
        try:
            async with asyncio.timeout(self.wait_seconds):
                while day not in self._kept and len(self._kept) >= KEPT_DATES:
                    goes = next((it for it, of in self._kept.items() if not of.is_awaited), None)
                    if goes is None:
                        await asyncio.sleep(LOOK_SECONDS)
                    else:
                        del self._kept[goes]
        except TimeoutError as error:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"the quality of records is being read as of {KEPT_DATES} other dates. Ask again "
                "in a moment",
                headers={"Retry-After": str(AGAIN_SECONDS)},
            ) from error

    def _of_date(self, day: date) -> KeptRecords[HeldQuality]:
        judging = QualityAsOf(self._rules.areas, self._rules.calendar, day)

        async def put(held: HeldQuality, stored: Mapping[str, bytes]) -> None:
            for some in parts(stored, JUDGED_AT_ONCE):
                for name in some:
                    events = decode_record(stored[name], lambda _: b"").events
                    held.put(name, judging.of_child(events))
                await asyncio.sleep(0)

        return KeptRecords(
            *(self._redis, self._settings, self._rules),
            *(HeldQuality, put, f"the quality of records as of {day} is"),
        )
