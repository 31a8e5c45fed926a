"""The set of events that is known (docs/events.md, Identity rules)."""

import json
from collections.abc import Iterable
from datetime import datetime

from tests.reference.messages import Event


def known(events: Iterable[Event]) -> list[Event]:
    """What is known: one event per identity, none that was retracted.

    An identity is (partitionkey, source, id). Equal (revision, time) with different contents is
    settled by the greatest canonical JSON of [type, subject, data], so that order cannot show.
    A retraction holds for good, also when it is itself corrected or retracted; as a revision of
    another event it takes that event's place as well.
    """
    winners: dict[tuple[str, str, str], Event] = {}
    retracted = set()
    for event in events:
        key = (event["partitionkey"], event["source"], event["id"])
        if key not in winners or _rank(event) > _rank(winners[key]):
            winners[key] = event
        if event["type"] == "event.retracted":
            retracted.add((event["partitionkey"], event["source"], event["data"]["retracts"]))
    return [event for key, event in winners.items() if key not in retracted]


def _rank(event: Event) -> tuple[int, datetime, str]:
    contents = json.dumps(
        [event["type"], event["subject"], event["data"]], sort_keys=True, ensure_ascii=False
    )
    return (event["revision"], event["time"], contents)


def in_order(event: Event) -> tuple[datetime, str, str]:
    """The order in which a case's events are read."""
    return (event["time"], event["source"], event["id"])
