"""The event types of every topic (docs/events.md)."""

from tests.reference.messages import TYPES, Event, parse

CASES, SCS, ACTIVITY, REFERENCE = "case-events", "scs-events", "activity-events", "reference-events"

# By topic and type: the data fields with their kind; "?" as in messages.TYPES.
TOPICS: dict[str, dict[str, dict[str, str]]] = {
    CASES: {
        name: TYPES[name]
        for name in (
            "notification.received",
            "case.allocated",
            "worker.assigned",
            "referrer.contacted",
            "contact.made",
            "plan.completed",
            "case.closed",
            "case.reopened",
            "case.stepped-up",
            "destination.started",
            "destination.sustained",
        )
    },
    SCS: {
        "scs.opened": {
            "origin": "origin",
            "status?": "status",
            "date_of_birth?": "day",
            "district?": "text",
        },
        "scs.status": {"status": "status"},
        "scs.closed": {"reason": "text"},
    },
    ACTIVITY: {
        "registration.recorded": {
            "place": "name",
            "kind": "registered",
            "date_of_birth?": "day",
            "district?": "text",
            "deprived_area?": "flag",
            "characteristics?": "characteristics",
            "active": "flag",
            "consent": "flag",
        },
        "registration.ended": {},
        "session.held": {
            "place": "name",
            "provider?": "text",
            "kind": "name",
            "participants?": "count",
            "feedback_good?": "count",
            "feedback_total?": "count",
        },
        "session.attended": {
            "place": "name",
            "kind": "name",
            "provider?": "text",
            "date_of_birth?": "day",
            "district?": "text",
        },
        "outcome.recorded": {"accredited": "flag"},
    },
    REFERENCE: {
        "population.published": {
            "area": "name",
            "age_band": "ages",
            "year": "year",
            "count": "count",
            "group?": "group",
        },
        "workforce.reported": {
            "provider": "name",
            "area?": "name",
            "service?": "service",
            "fte": "amount",
        },
        "target.set": TYPES["target.set"],
        "commentary.written": TYPES["commentary.written"],
        "measure.supplied": {
            "code": "name",
            "family?": "name",
            "area": "name",
            "age_band": "ages",
            "period": "period",
            "value?": "number",
            "numerator?": "number",
            "denominator?": "amount",
            "status": "supply",
            "provenance": "name",
        },
    },
}

EVERY: dict[str, dict[str, str]] = {
    "event.retracted": TYPES["event.retracted"],
    **{name: fields for types in TOPICS.values() for name, fields in types.items()},
}


def parse_any(line: bytes) -> Event | None:
    """The event of any topic in one message, or None for a message that is not a valid one.

    A supplied measure is given as a value or as numerator and denominator, never as half a pair;
    nothing is asked of one that is not supplied.
    """
    event = parse(line, EVERY)
    if event is not None and event["type"] == "measure.supplied":
        given = event["data"].keys() & {"value", "numerator", "denominator"}
        if given not in ({"value"}, {"numerator", "denominator"}) and (
            given or event["data"]["status"] == "supplied"
        ):
            return None
    return event


def of_topic(events: list[Event], topic: str) -> list[Event]:
    """The events of one topic."""
    return [event for event in events if event["type"] in TOPICS[topic]]
