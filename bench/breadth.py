"""What the whole catalogue costs beside the indicators of its first family alone, in one run."""

import asyncio
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from time import perf_counter

from bench.bed import Bed
from bench.figures import Figure, Section, at_most, quantile
from bench.progress import stage
from bench.sizes import Sizes
from bench.snapshots import AS_OF, released
from bench.workers import running_worker
from examples.workload import EVENTS_A_CHILD, case_events
from processors.rules import Rules
from schemas.settings import Settings
from streams.state.reading import read_scorecard
from streams.state.redis_clients import connect_redis, load_rules

TITLE = "The whole catalogue beside its first family"
FAMILY = "Early Help units"
MOST_TIMES_SLOWER, MOST_TIMES_LONGER = 1.3, 2.0
WARMING = 5
# A value and its unit.
Measured = tuple[float, str]
BLOCKS = re.compile(r"^(?=\[\[\w+\]\]$)", re.MULTILINE)
NOTES = (
    "The same events under both, one after the other: a worker on the preloaded topic, the release "
    "of a month by `caseline snapshot freeze`, and reads of the county's rows, the middle one. "
    "Redis: all that is used, over the children."
)


def breadth(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Events a second, bytes a child, and seconds of a read and a release, under both."""
    narrow = bed.folder / "first-family.toml"
    narrow.write_text(_of_first_family(_shipped().read_text("utf-8")), "utf-8")
    first = _measure(bed, "first family", narrow, sizes)
    whole = _measure(bed, "whole", None, sizes)
    figures = [
        Figure(f"{name}: {what}", value, unit)
        for name, values in (("first family", first), ("whole", whole))
        for what, (value, unit) in values.items()
    ]
    slower = first["throughput"][0] / whole["throughput"][0]
    longer = whole["read of one place"][0] / first["read of one place"][0]
    figures += [
        Figure("throughput, times slower", slower, "times", at_most(MOST_TIMES_SLOWER)),
        Figure("read of one place, times longer", longer, "times", at_most(MOST_TIMES_LONGER)),
    ]
    counts = f"{len(load_rules(Settings(catalogue_file=narrow)).catalogue.indicator)} indicators"
    return Section(
        TITLE, f"{counts} beside {len(rules.catalogue.indicator)}. {NOTES}", tuple(figures)
    )


def _measure(bed: Bed, name: str, catalogue: Path | None, sizes: Sizes) -> dict[str, Measured]:
    """What it takes under a catalogue; None for the one that ships."""
    bed.clean()
    settings = bed.settings()
    if catalogue:
        settings = settings.model_copy(update={"catalogue_file": catalogue})
    rules = load_rules(settings)
    children = sizes.snapshot_children[1]
    about = int(children * EVENTS_A_CHILD)
    total = bed.preload(case_events(about), about)
    with running_worker(bed, settings, rules) as worker, stage(f"{name}: one folds them", total):
        worker.wait_until_taken()
        rate = total / (worker.wait_until_stored(total) - worker.taken)
    with stage(f"{name}: freezing"):
        seconds, memory = released(bed, settings)
    samples = asyncio.run(_reads(settings, rules, sizes.reads))
    with bed.redis() as redis:
        used = int(redis.info("memory")["used_memory"])
    return {
        "throughput": (rate, "events/s"),
        "Redis, a child": (used / children, "bytes"),
        "read of one place": (quantile(samples, 0.5), "ms"),
        "release": (seconds, "s"),
        "release: memory": (memory, "MB"),
    }


async def _reads(settings: Settings, rules: Rules, count: int) -> list[float]:
    """Milliseconds of each read of the county's rows."""
    redis = connect_redis(settings)
    try:
        samples = []
        for _ in range(WARMING + count):
            began = perf_counter()
            await read_scorecard(redis, settings.deployment, rules, AS_OF, ["county"])
            samples.append(1000 * (perf_counter() - began))
        return samples[WARMING:]
    finally:
        await redis.aclose()


def _shipped() -> Path:
    return Path(str(files("schemas") / "data" / "catalogue.toml"))


def _of_first_family(text: str) -> str:
    """The catalogue with one family's indicators and what they rest on."""
    head, *blocks = BLOCKS.split(text)
    parsed = [(block, next(iter(tomllib.loads(block).items()))) for block in blocks]
    kept = {
        block for block, (kind, (it,)) in parsed if kind == "indicator" and it["family"] == FAMILY
    }
    named = {
        it["name"]: block for block, (kind, (it,)) in parsed if kind in ("measure", "relation")
    }
    waiting = list(kept)
    while waiting:
        words = set(re.findall(r"[\w-]+", waiting.pop()))
        used = {named[name] for name in words & named.keys()} - kept
        kept |= used
        waiting += used
    schemes = [
        re.sub(r"(?m)^families = .*$", f'families = ["{FAMILY}"]', block)
        for block, (kind, (it,)) in parsed
        if kind == "scheme" and FAMILY in it["families"]
    ]
    return head + "".join(schemes) + "".join(block for block, _ in parsed if block in kept)
