"""Messages about one child, good and bad, and what decoding makes of one."""

import json
from typing import Any

from processors.record.decoding import Event, Message, Rejection, decode
from schemas.events.registry import CASE_TOPIC
from tests.support.strategies import Fields

# In every text of the messages below, so that any text that a rejection repeats is found out.
SECRET = "Secret"
CHILD = f"{SECRET} child"
ABSENT = object()

NOTIFICATION: Fields = {
    "specversion": "1.0",
    "id": f"{SECRET} id",
    "source": f"urn:{SECRET}",
    "type": "notification.received",
    "subject": f"{SECRET} case",
    "time": "2015-06-30T23:30:00Z",
    "partitionkey": CHILD,
    "data": {
        "notification_type": f"{SECRET} type",
        "date_of_birth": "2010-06-01",
        "district": f"{SECRET} district",
    },
}
ESTIMATE: Fields = {
    **NOTIFICATION,
    "type": "population.published",
    "data": {"area": SECRET, "age_band": "all", "year": 2015, "count": 3},
}


def changed(event: Fields, **attributes: Any) -> Fields:
    """The event with other attributes; those that are ABSENT are left out."""
    return {name: it for name, it in {**event, **attributes}.items() if it is not ABSENT}


def with_data(event: Fields, **fields: Any) -> Fields:
    """The event with other fields in its data; those that are ABSENT are left out."""
    return {**event, "data": changed(event["data"], **fields)}


def of_type(event_type: str, **data: Any) -> Fields:
    """An event of a type with these data."""
    return {**NOTIFICATION, "type": event_type, "data": data}


def message(event: Fields) -> Message:
    """The event as a message in structured mode, with its key."""
    return CHILD.encode(), json.dumps(event).encode(), ()


def accepted(given: Message, topic: str = CASE_TOPIC) -> Event:
    """The event that a message is."""
    decoded = decode(topic, [given])
    assert decoded.rejected == []
    ((child, event),) = decoded.events
    assert child == CHILD
    return event


def rejection(given: Message, topic: str = CASE_TOPIC) -> Rejection:
    """Why a message is no event; nothing of the child's may be said of it."""
    decoded = decode(topic, [given])
    assert decoded.events == []
    ((position, found),) = decoded.rejected
    assert position == 0
    assert SECRET not in found.message
    assert found.message
    return found


def retraction_of_nothing(number: int, child: str) -> tuple[bytes, bytes]:
    """A retraction of an event that there is not; key and value."""
    event = {
        "specversion": "1.0",
        "id": f"r{number}",
        "source": "urn:test",
        "type": "event.retracted",
        "subject": "C1",
        "time": "2015-06-01T10:00:00Z",
        "partitionkey": child,
        "data": {"retracts": f"no{number}"},
    }
    return child.encode(), json.dumps(event).encode()
