"""Cases with open alerts, as lines of an event file and in Kafka."""

import json
from datetime import datetime

from schemas.events.registry import CASE_TOPIC, topics_of
from streams.kafka.eventfiles import EventLine
from tests.support.feeder import feeding
from tests.support.servers import Server


def line(child: str, case: str, kind: str, time: datetime, **data: object) -> EventLine:
    """The line of an event file that an event makes."""
    event = {
        "specversion": "1.0",
        "id": f"{case} {kind} {time:%m%dT%H%M}",
        "source": "urn:test",
        "type": kind,
        "subject": case,
        "time": time.isoformat(),
        "partitionkey": child,
        "data": data,
    }
    return EventLine(0, (child.encode(), json.dumps(event).encode(), ()), topics_of(kind))


def open_case(number: int, received: datetime) -> list[EventLine]:
    """A case that a unit has had since it was received."""
    child, case = f"child-{number}", f"case-{number}"
    return [
        line(child, case, "notification.received", received, notification_type="EHN"),
        line(child, case, "case.allocated", received, service="unit", team="Dover 1"),
    ]


def pushed(kafka: Server, lines: list[EventLine]) -> None:
    """Put lines on their topic."""
    messages = [(it.message[0] or b"", it.message[1] or b"") for it in lines]
    with feeding(kafka.address, CASE_TOPIC, messages) as feeder:
        feeder.burst().result()
