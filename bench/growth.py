"""What one more event costs of a child of whom much is known, without Kafka and Redis."""

import json
from collections.abc import Callable
from datetime import timedelta
from gc import get_threshold, set_threshold
from itertools import groupby, product
from time import process_time
from typing import Any, NamedTuple

from bench.bed import Bed
from bench.figures import Figure, Section, at_most
from bench.progress import stage
from bench.sizes import Sizes
from examples.workload import OUTCOMES, START, TYPES
from processors.alerts.judging import Judgement
from processors.days.calendar import day_number
from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import topics_of
from streams.worker.garbage import GC_THRESHOLDS

CHILD, PLACE = "P1", "Riverside"
PERSON = {"date_of_birth": "2012-05-05", "district": "Canterbury"}
BATCH = 10_000
MOST_MILLISECONDS = 2
TITLE = "One more event"
NOTES = (
    "One child in this process, nothing read or stored: processor time of decoding, folding and "
    "settling one event, and bytes that would be stored of the record and of alerts told. The "
    "middle one of {more}. Judged: alerts are judged as of the last day. Many cases: a tenth "
    "of a day apart, of five events each. Registered: the same of a person who is registered at a "
    "centre. One case: a contact every hour. Corrected: one contact, ever anew. Attending: one "
    "person attends two sessions a day. Saying: each time with a birth date and another district. "
    "Registering: twice a day, each a registration of its own. In social care: an episode every "
    "two days, of three events. All of it: one person does one of these every three hours. "
    "Sessions: one place holds one an hour."
)

# When, id, type, subject, data, revision.
Happened = tuple[timedelta, str, str, str, dict[str, Any], int]


def growth(_bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds and bytes for one more event, with a short and with a long history."""
    before = get_threshold()
    set_threshold(*GC_THRESHOLDS)
    figures: list[Figure] = []
    try:
        with stage("warming up"):
            _cost(rules, many_cases, sizes.growth_events[0], sizes.growth_more, is_judged=True)
        for (name, shape), is_judged in product(SHAPES.items(), (False, True)):
            title = f"{name}, judged" if is_judged else name
            for known in sizes.growth_events:
                with stage(f"{title}, {known:,} events"):
                    cost = _cost(rules, shape, known, sizes.growth_more, is_judged=is_judged)
                taken = f"{title}, {known:,} known"
                figures.append(Figure(taken, 1e3 * cost.seconds, "ms", at_most(MOST_MILLISECONDS)))
                figures.append(Figure(f"{title}, {known:,} known: stored", cost.written, "bytes"))
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


def registered(number: int) -> Happened:
    """The same of a person who is registered at a centre."""
    if number:
        return many_cases(number - 1)
    data = {"place": PLACE, "kind": "child", "active": True, "consent": True, **PERSON}
    return timedelta(), "r", "registration.recorded", "R", data, 0


def attending(number: int) -> Happened:
    """A person who is registered, and attends two sessions every day."""
    if not number:
        return registered(0)
    data = {"place": PLACE, "kind": "group"}
    return timedelta(hours=12 * number), f"e{number}", "session.attended", f"S{number}", data, 0


def saying(number: int) -> Happened:
    """The same, who says each time when they were born, and that they live elsewhere."""
    at, name, kind, subject, data, revision = attending(number)
    district = ("Canterbury", "Dover", "Swale")[number % 3]
    return at, name, kind, subject, {**data, **PERSON, "district": district}, revision


def registering(number: int) -> Happened:
    """A person who is registered twice a day, each time anew."""
    _, _, kind, _, data, _ = registered(0)
    return timedelta(hours=12 * number), f"e{number}", kind, f"R{number}", data, 0


def in_social_care(number: int) -> Happened:
    """A person who is registered, and has one case in social care after another."""
    case, step = divmod(number, 3)
    if not number:
        return registered(0)
    kind, data = (
        ("scs.opened", {"origin": "referral", "status": "cin"}),
        ("scs.status", {"status": "cp"}),
        ("scs.closed", {"reason": "Stepped down"}),
    )[step]
    return timedelta(days=2 * case + step / 2), f"e{number}", kind, f"K{case}", data, 0


def all_of_it(number: int) -> Happened:
    """A person who attends, is registered, has cases in social care and of early help."""
    shape = (saying, registering, in_social_care, many_cases)[number % 4]
    _, name, kind, subject, data, revision = shape(number // 4 + 1)
    at = timedelta(hours=3 * number)
    return at, f"{shape.__name__} {name}", kind, subject, data, revision


def sessions(number: int) -> Happened:
    """Sessions at one place, one an hour."""
    data = {"place": PLACE, "kind": "group", "participants": 3}
    return timedelta(hours=number), f"e{number}", "session.held", f"S{number}", data, 0


Shape = Callable[[int], Happened]
SHAPES: dict[str, Shape] = {
    "many cases": many_cases,
    "registered": registered,
    "one case": one_case,
    "corrected": corrected,
    "attending": attending,
    "saying": saying,
    "registering": registering,
    "in social care": in_social_care,
    "all of it": all_of_it,
    "sessions": sessions,
}


class Cost(NamedTuple):
    """Processor time in seconds, and bytes, of one more event."""

    seconds: float
    written: int


def _cost(rules: Rules, shape: Shape, known: int, more: int, *, is_judged: bool) -> Cost:
    """The middle cost of one more event."""
    state = Partition(rules)
    for start in range(0, known, BATCH):
        known_by_then = map(shape, range(start, min(start + BATCH, known)))
        for (topic, *_), some in groupby(known_by_then, lambda it: topics_of(it[2])):
            state.fold_unstored(decode(topic, list(map(_message, some))).events)
        state.settle()
    last = max(shape(number)[0] for number in range(known + more + 1))
    judgement = Judgement(day_number((START + last).date())) if is_judged else None
    # The first of them lays out what is kept from then on.
    costs: list[Cost] = []
    for number in range(known, known + more + 1):
        happened = shape(number)
        topic, message = topics_of(happened[2])[0], _message(happened)
        began = process_time()
        state.fold(decode(topic, [message]).events)
        settlement = state.settle(judgement)
        taken = process_time() - began
        written = len(settlement.records[CHILD].piece)
        for told in settlement.telling.told.values():
            written += len(told.place) + sum(map(len, told.apart.values()))
        costs.append(Cost(taken, written))
    seconds, of_bytes = (sorted(column)[more // 2] for column in zip(*costs[1:], strict=True))
    return Cost(float(seconds), int(of_bytes))


def _message(happened: Happened) -> Message:
    after, name, kind, subject, data, revision = happened
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
    return CHILD.encode(), json.dumps(event, separators=(",", ":")).encode(), ()
