"""Whether it all runs, and how fast: what `caseline doctor` finds, and rates, for operators."""

import asyncio
import logging
import time
from collections import Counter
from typing import NamedTuple

from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.rules import Rules
from schemas.settings import Settings
from streams.failures import Understood, described
from streams.jobs.doctor import Doctor
from streams.jobs.findings import Finding, Verdict
from streams.jobs.message_rates import Reached, TopicRate, rates, reached
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json
from streams.serving.roles import HTML
from streams.serving.site import Call, LiveSite
from streams.state.redis_clients import connect_redis

log = logging.getLogger(__name__)

# Rates are of a second at least; a look takes about as long anyway.
LEAST_SECONDS = 1.0
# Findings take Kafka's and Redis's time, so they are looked for by one at a time.
_examining = asyncio.Lock()


class Running(NamedTuple):
    """What is found, and how fast events came and were taken in meanwhile, for so many seconds.

    There are no rates where Kafka or Redis does not answer.
    """

    found: list[Finding]
    rates: list[TopicRate]
    seconds: float | None


async def operations(site: LiveSite, call: Call) -> Answer:
    """What is found, worst first, and rates; as a page or JSON."""
    taking = call.taking
    async with _examining:
        # Clients of Kafka for administration block, so a thread with a loop of its own waits.
        running = await asyncio.to_thread(_examined, site.settings, site.rules)
    order = list(Verdict)
    found = sorted(running.found, key=lambda it: -order.index(it.verdict))
    if taking.media == HTML:
        counts = Counter(it.verdict for it in found)
        text = site.page(
            "operations.html",
            call,
            call.identity,
            fresh=await site.freshness_if_known(call.asked),
            found=found,
            counts=counts,
            running=running,
        )
    else:
        told = {
            "findings": [_told(it) for it in found],
            "rates": [it._asdict() for it in running.rates],
            "rates_over_seconds": running.seconds,
        }
        text = as_json(told)
    return unkept(text, taking)


def _examined(settings: Settings, rules: Rules) -> Running:
    async def examine() -> Running:
        async with connect_redis(settings) as redis:
            before = await _reached(settings, rules, redis)
            found = [it async for it in Doctor(settings, rules, redis, None).findings()]
            if before is None:
                return Running(found, [], None)
            await asyncio.sleep(before.at + LEAST_SECONDS - time.monotonic())
            after = await _reached(settings, rules, redis)
            if after is None:
                return Running(found, [], None)
            return Running(found, rates(before, after), round(after.at - before.at, 1))

    return asyncio.run(examine())


async def _reached(settings: Settings, rules: Rules, redis: Redis) -> Reached | None:
    try:
        return await reached(settings, rules, redis)
    except (KafkaError, RedisError, OSError, Understood) as error:
        log.warning("rates cannot be worked out", extra={"error": described(error)})
        return None


def _told(it: Finding) -> dict[str, str]:
    return {"verdict": it.verdict, "what": it.what, "text": it.text}
