"""What each stage of the fold costs the processor, without Kafka and Redis."""

from collections import defaultdict
from gc import get_threshold, set_threshold, unfreeze
from time import process_time

from bench.bed import Bed
from bench.figures import Figure, Section
from bench.progress import stage
from bench.sizes import Sizes
from examples.workload import case_events
from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from streams.worker.garbage import Garbage

BATCH, SMALL = 10_000, 5
SMALL_BATCHES = 400
STAGES = ("decode", "admit", "fold", "settle")
TITLE = "Stages of the fold"
NOTES = (
    "One shard in this process, nothing read or stored: processor time, which other processes "
    "disturb less than they do the clock. In batches of {batch:,}: each batch's least of {rounds} "
    "rounds, all added up. In batches of {small}, on the state of all before: the middle one."
)

# Seconds of each batch, by stage.
Costs = dict[str, list[float]]


def stages(_bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Microseconds an event in large batches, and milliseconds a batch in small ones."""
    total = sizes.stage_events
    sent: list[Message] = [(key, value, ()) for key, value in case_events(total)]
    many = sent[: len(sent) - SMALL * SMALL_BATCHES]
    few = sent[len(many) :]
    before = get_threshold()
    garbage = Garbage()
    try:
        with stage(f"folding {len(many):,} events {sizes.stage_rounds} times"):
            rounds = [
                _costs(Partition(rules), many, BATCH, garbage) for _ in range(sizes.stage_rounds)
            ]
        with stage(f"folding {len(few):,} more, {SMALL} at a time"):
            state = Partition(rules)
            _costs(state, many, BATCH, garbage)
            small = _costs(state, few, SMALL, garbage)
    finally:
        set_threshold(*before)
        unfreeze()
    least = {name: _least([costs[name] for costs in rounds]) for name in STAGES}
    figures = [Figure(name, 1e6 * least[name] / len(many), "µs an event") for name in STAGES]
    figures.append(Figure("all", 1e6 * sum(least.values()) / len(many), "µs an event"))
    middle = [1e3 * sorted(small[name])[SMALL_BATCHES // 2] for name in STAGES]
    figures.append(Figure(f"settle, {SMALL} events", middle[-1], "ms"))
    figures.append(Figure(f"all, {SMALL} events", sum(middle), "ms"))
    notes = NOTES.format(batch=BATCH, rounds=sizes.stage_rounds, small=SMALL)
    return Section(TITLE, f"{len(many):,} events. {notes}", tuple(figures))


def _least(rounds: list[list[float]]) -> float:
    """The sum over batches of the least that each took in any round."""
    return sum((min(of_batch) for of_batch in zip(*rounds, strict=True)), 0.0)


def _costs(state: Partition, sent: list[Message], size: int, garbage: Garbage) -> Costs:
    """Fold messages into a state, so many at a time."""
    costs: Costs = defaultdict(list)
    for start in range(0, len(sent), size):
        moments = [process_time()]
        events = decode(CASE_TOPIC, sent[start : start + size]).events
        moments.append(process_time())
        for child in state.missing(child for child, _ in events):
            state.admit(child, None)
        moments.append(process_time())
        state.fold(events)
        moments.append(process_time())
        state.settle()
        garbage.spare()
        moments.append(process_time())
        for name, begun, done in zip(STAGES, moments, moments[1:], strict=False):
            costs[name].append(done - begun)
    return costs
