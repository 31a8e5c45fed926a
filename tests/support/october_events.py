"""Events that are added to the October that ships."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from schemas.events.registry import topics_of
from streams.kafka.eventfiles import EventLine

OCTOBER_EVENTS = Path(str(files("streams.october") / "events.jsonl.gz"))


Fields = dict[str, Any]


def line_of(**fields: object) -> EventLine:
    event: Fields = {
        "specversion": "1.0",
        "source": "urn:late",
        "subject": "s",
        "time": "2015-10-20T12:00:00+01:00",
        "partitionkey": "p",
        **fields,
    }
    key = str(event["partitionkey"]).encode()
    return EventLine(0, (key, json.dumps(event).encode(), ()), topics_of(event["type"]))


def late_plan(events: list[Fields]) -> tuple[Fields, Fields]:
    """A case open to a unit without a plan, as its notification; and a late plan for it."""
    first = next(
        found[0]
        for found in by_case(events)
        if not {"case.closed", "plan.completed"} & {event["type"] for event in found}
        and found[0]["time"].startswith("2015-09")
        and found[0]["data"].get("district") == "Thanet"
        and found[0]["data"]["notification_type"] == "EHN"
    )
    of_case = {"subject": first["subject"], "partitionkey": first["partitionkey"]}
    return first, {**of_case, "id": "late-plan", "type": "plan.completed"}


def closures_achieved(events: list[Fields]) -> list[Fields]:
    """The closures of October with outcomes achieved."""
    return [
        event
        for found in by_case(events)
        for event in found
        if event["type"] == "case.closed"
        and event["time"].startswith("2015-10")
        and event["data"]["outcome"] == "Outcomes achieved"
    ]


def by_case(events: list[Fields]) -> list[list[Fields]]:
    """The events of each case that was notified once and held by a unit alone."""
    cases: dict[str, list[Fields]] = {}
    for event in events:
        if event["type"] != "population.published":
            cases.setdefault(event["subject"], []).append(event)
    return [found for found in cases.values() if is_plain(found)]


def is_plain(events: list[Fields]) -> bool:
    services = [it["data"]["service"] for it in events if it["type"] == "case.allocated"]
    types = [it["type"] for it in events]
    return (
        services == ["unit"]
        and types[0] == "notification.received"
        and types.count("notification.received") == 1
        and "case.reopened" not in types
    )
