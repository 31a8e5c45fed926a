"""Whether it all runs, as a page and as JSON."""

from collections import Counter

from streams.jobs.findings import Finding, Verdict
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json
from streams.serving.problems import wrong_parameter
from streams.serving.roles import HTML
from streams.serving.site import Call, LiveSite

# What a question shows that looks again.
NOW = "now"


async def operations(site: LiveSite, call: Call) -> Answer:
    """What was found of late or, where `show` says so, is found now, worst first, and rates.

    Raises Problem for another `show`.
    """
    taking, show = call.taking, call.asked.one("show")
    if show not in (None, NOW):
        raise wrong_parameter("show", f"{show}: there is {NOW}")
    running = await (site.examinations.now() if show else site.examinations.last())
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
            "looked_at": running.at.isoformat(timespec="seconds"),
            "findings": [_told(it) for it in found],
            "rates": [it._asdict() for it in running.rates],
            "rates_over_seconds": running.seconds,
        }
        text = as_json(told)
    return unkept(text, taking)


def _told(it: Finding) -> dict[str, str]:
    return {"verdict": it.verdict, "what": it.what, "text": it.text}
