"""Events that go on after those of a printed month, so that figures can be seen to move."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.events.registry import topics_of
from streams.kafka.eventfiles import EventLine

SOURCE = "urn:caseline:trickle"
# What happens to a case, and how many turns after its notification.
LIFE: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (1, "case.allocated", {"service": "unit"}),
    (2, "contact.made", {}),
    (4, "plan.completed", {}),
    (9, "case.closed", {"outcome": "Outcomes achieved"}),
)
BORN = ("2003-02-11", "2008-06-24", "2012-11-03", "2014-01-30")


def turn(number: int, districts: Sequence[str], now: datetime) -> list[EventLine]:
    """What happens at a turn, from 0 on: a family comes, and earlier ones go a step further."""
    place, child = districts[number % len(districts)], BORN[number % len(BORN)]
    data = {
        "notification_type": "EHN",
        "district": place,
        "date_of_birth": child,
        "primary_reason": "School attendance",
    }
    lines = [_line(number, 0, "notification.received", data, now)]
    for step, (after, kind, of_step) in enumerate(LIFE, start=1):
        if number >= after:
            lines.append(_line(number - after, step, kind, of_step, now))
    return lines


def _line(case: int, step: int, kind: str, data: dict[str, Any], now: datetime) -> EventLine:
    event = {
        "specversion": "1.0",
        "id": f"t{case:05}-{step}",
        "source": SOURCE,
        "type": kind,
        "subject": f"trickle-{case:05}",
        "time": now.isoformat(timespec="seconds"),
        "partitionkey": f"trickle-child-{case:05}",
        "data": data,
    }
    message = f"trickle-child-{case:05}".encode(), json.dumps(event).encode(), ()
    return EventLine(case, message, topics_of(kind))
