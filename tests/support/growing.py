"""Histories of a child for laws about what grows: a long one, then a few events at a time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import strategies as st

from processors.alerts import judging, toldalerts
from processors.facts import crowds
from processors.record import record
from processors.record.decoding import Event, decode
from schemas.events.registry import CASE_TOPIC, SCS_TOPIC

Fields = dict[str, Any]
START = datetime(2015, 1, 1, tzinfo=UTC)


@contextmanager
def much_is_little() -> Iterator[None]:
    """What is done for very many is done for a few."""
    with (
        patch.object(crowds, "CROWD", 2),
        patch.object(judging, "CROWD", 2),
        patch.object(toldalerts, "MANY", 2),
        patch.object(crowds, "MOST_CHANGED", 1),
        patch.object(record, "LONG", 2),
        patch.object(record, "LARGE", 100),
        patch.object(record, "TEXTS", 2),
    ):
        yield


KINDS: dict[str, st.SearchStrategy[Fields]] = {
    "notification.received": st.fixed_dictionaries(
        {
            "notification_type": st.sampled_from(["EHN", "SCS", "CDT"]),
            "district": st.sampled_from(["Dover", "Swale"]),
            "primary_reason": st.sampled_from(["one", "two"]),
        }
    ),
    "case.allocated": st.fixed_dictionaries(
        {"service": st.sampled_from(["unit", "unit", "family-support", "neet-support"])}
    ),
    "case.closed": st.fixed_dictionaries({"outcome": st.sampled_from(["Outcomes achieved", "x"])}),
    "destination.started": st.just({"kind": "training"}),
    "destination.sustained": st.just({"kind": "training"}),
    "worker.assigned": st.just({"worker": "W1"}),
} | dict.fromkeys(
    ["contact.made", "contact.made", "plan.completed", "case.reopened", "referrer.contacted"],
    st.just({}),
)
# Close together, and about as far apart as relations look.
DAYS = st.builds(int.__add__, st.sampled_from([20, 20, 111, 290, 385]), st.integers(-12, 12))


@st.composite
def happenings(draw: st.DrawFn) -> tuple[str, Fields]:
    """An event of the child, new or a revision, or a retraction, and its topic."""
    name = draw(st.integers(0, 60))
    made: Fields = {
        "specversion": "1.0",
        "source": draw(st.sampled_from(["urn:a", "urn:b"])),
        "id": f"e{name}",
        "subject": f"C{draw(st.integers(0, 5))}",
        "partitionkey": "P1",
        "revision": draw(st.integers(0, 2)),
        "time": (START + timedelta(days=draw(DAYS), hours=draw(st.integers(0, 23)))).isoformat(),
    }
    topic, kind = CASE_TOPIC, draw(st.sampled_from([*KINDS] * 2 + ["retraction", "opening"]))
    if kind == "retraction":
        made |= {"type": "event.retracted", "id": f"r{name}", "data": {"retracts": f"e{name}"}}
    elif kind == "opening":
        topic = SCS_TOPIC
        made |= {"type": "scs.opened", "data": {"origin": "referral"}}
    else:
        made |= {"type": kind, "data": draw(KINDS[kind])}
    return topic, made


def decoded(topic: str, made: Fields) -> tuple[str, Event]:
    (event,) = decode(topic, [(b"P1", json.dumps(made).encode(), ())]).events
    return event


class Batch(NamedTuple):
    """What comes at once, so many days later; how it is judged, and whether memory forgets then."""

    happened: list[tuple[str, Fields]]
    days: int
    judged: str
    is_forgotten: bool


@st.composite
def batches_of_a_child(draw: st.DrawFn) -> list[Batch]:
    """A long history, then at most a few events at a time."""
    begun = draw(st.lists(happenings(), min_size=15, max_size=40))
    few = st.lists(happenings(), max_size=2)
    rarely = st.sampled_from([False] * 5 + [True])
    days = st.sampled_from([0, 0, 1, 10, 50, -1])
    judged = st.sampled_from(["judged", "judged", "withheld", "unjudged"])
    rest = st.lists(st.builds(Batch, few, days, judged, rarely), min_size=4, max_size=12)
    return [Batch(begun, draw(DAYS), "judged", draw(rarely)), *draw(rest)]
