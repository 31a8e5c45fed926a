"""What one more event costs of a child of whom much is known, without Kafka and Redis."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from gc import get_threshold, set_threshold
from time import process_time
from typing import Any

from bench.bed import Bed
from bench.figures import Figure, Section
from bench.progress import stage
from bench.sizes import Sizes
from examples.workload import OUTCOMES, START, TYPES
from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from streams.worker.garbage import GC_THRESHOLDS

CHILD = "P1"
BATCH = 10_000
TITLE = "One more event"
NOTES = (
    "One child in this process, nothing read or stored: processor time of decoding, folding and "
    "settling one event, no alerts judged, and bytes that would be stored of the record. The "
    "middle one of {more}. Many cases: a tenth of a day apart, of five events each. One case: a "
    "contact every hour. Corrected: one contact, ever anew."
)

# When, id, type, subject, data, revision.
Happened = tuple[timedelta, str, str, str, dict[str, Any], int]


def growth(_bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds and bytes for one more event, with a short and with a long history."""
    before = get_threshold()
    set_threshold(*GC_THRESHOLDS)
    figures: list[Figure] = []
    try:
        for name, shape in SHAPES.items():
            for known in sizes.growth_events:
                with stage(f"{name}, {known:,} events"):
                    seconds, written = _cost(rules, shape, known, sizes.growth_more)
                figures.append(Figure(f"{name}, {known:,} known", 1e3 * seconds, "ms"))
                figures.append(Figure(f"{name}, {known:,} known: stored", written, "bytes"))
    finally:
        set_threshold(*before)
    return Section(TITLE, NOTES.format(more=sizes.growth_more), tuple(figures))


def many_cases(number: int) -> Happened:
    """Cases one after another, of five events each."""
    case, step = divmod(number, 5)
    kind, data = (
        ("notification.received", {"notification_type": TYPES[case % len(TYPES)]}),
        ("case.allocated", {"service": ("unit", "unit", "other")[case % 3]}),
        ("contact.made", {}),
        ("plan.completed", {}),
        ("case.closed", {"outcome": OUTCOMES[case % len(OUTCOMES)]}),
    )[step]
    at = timedelta(days=case / 10 + (0, 0.5, 9, 30, 110)[step])
    return at, f"e{number}", kind, f"C{case}", data, 0


def one_case(number: int) -> Happened:
    """A case with a contact every hour."""
    if number < 2:
        return many_cases(number)
    return timedelta(hours=number), f"e{number}", "contact.made", "C0", {}, 0


def corrected(number: int) -> Happened:
    """A case whose one contact is corrected ever anew."""
    if number < 2:
        return many_cases(number)
    return timedelta(hours=number), "e2", "contact.made", "C0", {}, number


SHAPES = {"many cases": many_cases, "one case": one_case, "corrected": corrected}


def _cost(
    rules: Rules, shape: Callable[[int], Happened], known: int, more: int
) -> tuple[float, int]:
    """The middle processor time, and the bytes, of one more event."""
    state = Partition(rules)
    for start in range(0, known, BATCH):
        messages = list(_messages(shape, start, min(start + BATCH, known)))
        state.fold_unstored(decode(CASE_TOPIC, messages).events)
        state.settle()
    # The first of them lays out what is kept from then on.
    costs: list[tuple[float, int]] = []
    for message in _messages(shape, known, known + more + 1):
        began = process_time()
        state.fold(decode(CASE_TOPIC, [message]).events)
        settlement = state.settle()
        taken = process_time() - began
        costs.append((taken, len(settlement.records[CHILD].piece)))
    seconds, written = (sorted(column)[more // 2] for column in zip(*costs[1:], strict=True))
    return float(seconds), int(written)


def _messages(shape: Callable[[int], Happened], first: int, end: int) -> Iterator[Message]:
    for number in range(first, end):
        after, name, kind, subject, data, revision = shape(number)
        event = {
            "specversion": "1.0",
            "id": name,
            "source": "urn:bench",
            "type": kind,
            "subject": subject,
            "time": (START + after).isoformat(timespec="seconds"),
            "partitionkey": CHILD,
            "revision": revision,
            "data": data,
        }
        yield CHILD.encode(), json.dumps(event, separators=(",", ":")).encode(), ()
