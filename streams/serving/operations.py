"""Whether it all runs: what `caseline doctor` finds, for operators."""

import asyncio
from collections import Counter

from processors.rules import Rules
from schemas.settings import Settings
from streams.jobs.doctor import Doctor
from streams.jobs.findings import Finding, Verdict
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json
from streams.serving.roles import HTML
from streams.serving.site import Call, LiveSite
from streams.state.redis_clients import connect_redis

# Findings take Kafka's and Redis's time, so they are looked for by one at a time.
_examining = asyncio.Lock()


async def operations(site: LiveSite, call: Call) -> Answer:
    """What is found, worst first; as a page or JSON."""
    taking = call.taking
    async with _examining:
        # Clients of Kafka for administration block, so a thread with a loop of its own waits.
        found = await asyncio.to_thread(_examined, site.settings, site.rules)
    order = list(Verdict)
    found.sort(key=lambda it: -order.index(it.verdict))
    if taking.media == HTML:
        counts = Counter(it.verdict for it in found)
        text = site.page("operations.html", call, call.identity, found=found, counts=counts)
    else:
        text = as_json({"findings": [_told(it) for it in found]})
    return unkept(text, taking)


def _examined(settings: Settings, rules: Rules) -> list[Finding]:
    async def examine() -> list[Finding]:
        async with connect_redis(settings) as redis:
            return [it async for it in Doctor(settings, rules, redis, None).findings()]

    return asyncio.run(examine())


def _told(it: Finding) -> dict[str, str]:
    return {"verdict": it.verdict, "what": it.what, "text": it.text}
