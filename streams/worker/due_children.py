"""Children whose alerts change by the clock, taken up as their deadlines come."""

import asyncio

from streams.clock import midnight
from streams.state.integrity import Incomplete
from streams.state.store import Refused
from streams.worker.given import Given
from streams.worker.held import Held, log
from streams.worker.memory import Memory
from streams.worker.service_errors import TROUBLE
from streams.worker.stops import Stops

# How often the deadlines of alerts are looked up, besides when a day begins; and how many children
# are judged at a time.
LOOK_SECONDS = 0.5
JUDGED_AT_ONCE = 1_000
# How often it is noted that nothing is left to judge: until when alerts are right.
JUDGED_SECONDS = 10.0
# How long before they fall due children are read into memory, and how often it is asked who they
# are. At a midnight very many fall due, and to read them takes as long as to judge them.
AHEAD_SECONDS, ASK_AHEAD_SECONDS = 900.0, 60.0
# So many of them at a time, not sooner than so long after the last: a shard of 50,000 takes half a
# minute, and what comes meanwhile hardly waits.
AHEAD_AT_ONCE, READ_SECONDS = 100, 0.05


class DueChildren:
    """Has the next commit judge children whose deadlines are over.

    Who they are is asked for in the background: a Redis that does not answer holds up nothing that
    can do without it.
    """

    def __init__(self, given: Given, memory: Memory, stops: Stops) -> None:
        self._given, self._memory, self._stops = given, memory, stops

    async def look(self, held: Held) -> None:
        """Ask who is due, or take up those of the answer, some at a time."""
        lookups = held.lookups
        if lookups.task is None:
            self._begin(held)
        elif lookups.task.done():
            due, lookups.task = lookups.task.result(), None
            if due:
                if await self._read(held, due):
                    held.state.look_at(due)
                return
        if lookups.coming and not held.is_judging:
            await self._read_ahead(held)

    async def _read_ahead(self, held: Held) -> None:
        """Read some of those into memory who are due before long."""
        now, lookups = asyncio.get_running_loop().time(), held.lookups
        if now >= lookups.read_at:
            lookups.read_at = now + READ_SECONDS
            some = lookups.coming[-AHEAD_AT_ONCE:]
            del lookups.coming[-AHEAD_AT_ONCE:]
            await self._read(held, some)

    async def _read(self, held: Held, children: list[str]) -> bool:
        """Have the records of children in memory; whether they could be read."""
        await self._memory.make_room(held)
        try:
            await self._memory.admit(held, children)
        except (Incomplete, Refused, *TROUBLE) as error:
            await self._stops.unreadable(held, error)
            return False
        return True

    def _begin(self, held: Held) -> None:
        now = asyncio.get_running_loop().time()
        if now < held.lookups.due or held.is_judging:
            return
        clock = self._given.clock
        until_tomorrow = midnight(clock.day() + 1) - clock.seconds()
        held.lookups.due = now + min(LOOK_SECONDS, max(0.0, until_tomorrow))
        held.lookups.are_more = False
        if not held.calm.is_replaying(now):
            held.lookups.task = asyncio.create_task(self._due(held))

    async def _due(self, held: Held) -> list[str]:
        """Children to be judged by now; none while Redis does not answer."""
        lookups, clock = held.lookups, self._given.clock
        try:
            at = clock.seconds()
            due = await held.store.due(held.head, at, JUDGED_AT_ONCE)
            is_another_day = lookups.judged_at < midnight(clock.day()) <= at
            if not due and (is_another_day or at >= lookups.judged_at + JUDGED_SECONDS):
                await held.store.judged(at)
                lookups.judged_at = at
            until = at + AHEAD_SECONDS
            if not due and until >= lookups.ahead + ASK_AHEAD_SECONDS:
                # Half of what memory holds, so that they do not put one another out.
                most, since = self._memory.least(held.shard) // 2, max(at, lookups.ahead)
                coming = await held.store.due(held.head, until, most, since)
                lookups.coming[:0] = reversed(coming)
                lookups.ahead = until
        except TROUBLE as error:
            log.warning("deadlines cannot be read: %s", error, extra=held.where)
            return []
        lookups.are_more = len(due) == JUDGED_AT_ONCE
        if lookups.are_more:
            lookups.due = 0.0
        return due
