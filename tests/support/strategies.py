"""Small sets of events, as messy as events come."""

import json
from datetime import date, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from schemas.events.registry import topics_of
from streams.kafka.eventfiles import EventLine

Fields = dict[str, Any]

CASES = [("P1", "C1"), ("P1", "C2"), ("P2", "C1"), ("P3", "C3")]
# Days about which something changes: clocks, months, years, leap days, bank holidays.
TURNING_POINTS = [
    date(2015, 3, 29),
    date(2015, 10, 25),
    date(2015, 10, 31),
    date(2015, 12, 31),
    date(2016, 2, 29),
    date(2013, 2, 28),
    date(2014, 8, 25),
    date(2016, 4, 1),
]
# Days between events at which some rule's answer changes: 28 days, 3, 6 and 12 months.
SPANS = [0, 0, 1, 27, 28, 29, 30, 31, 90, 91, 92, 93, 181, 182, 183, 184, 365, 366]
CLOCKS = ["00:00:00", "00:30:00", "12:00:00", "13:00:00", "23:00:00", "23:30:00", "23:59:59.999999"]
OFFSETS = ["Z", "+00:00", "+01:00", "+01:00", "-01:00", "-11:00", "+05:30", "+14:00"]
NOTIFICATION_TYPES = ["EHN", "EHN", "SCS step-down", "SCS", "CDT", "Existing TAF", "CDT - SCS", ""]
OUTCOMES = [
    "Outcomes achieved",
    "Closed: Outcomes achieved",
    "Escalation to SCS",
    "Escalation to SCS",
    "re-opened",
    "Moved Out of Kent",
    "Closure - Open to Early Help",
    "Disengaged",
]
SERVICES = [*["unit"] * 8, "family-support", "young-carers", "neet-support", "other"]
# A tree smaller than the one that ships, because every area costs time.
SOUTH_EAST = {"Kent": {"South": ("Dover", "Ashford"), "East": ("Swale",)}}
DISTRICTS = ["Dover", "Dover", "Ashford", "Swale", "Kent", "South", "Thanet", "dover", "", None]
ESTIMATED = ["Kent", "South", "East", "Dover", "Swale", "Atlantis"]
TYPES = [
    *["notification.received"] * 4,
    *["case.allocated"] * 4,
    *["case.closed"] * 3,
    *["contact.made", "plan.completed"] * 2,
    *["case.reopened"] * 2,
    *["worker.assigned", "case.stepped-up", "destination.started", "event.retracted"],
]
# The usual course of a case, which holds all that part A's indicators need, and what may follow.
USUAL = ["notification.received", "case.allocated", "contact.made", "plan.completed", "case.closed"]
MORE = ["notification.received", "case.allocated", "case.reopened", "case.closed"]
IDS = "abcdefghij"


class History(NamedTuple):
    """A set of events, as lines of an event file, and dates as of which to look at them."""

    lines: list[EventLine]
    dates: list[date]


def distances() -> st.SearchStrategy[timedelta]:
    """From one day to a later one: often just where an answer changes, 20 weeks too."""
    days = st.integers(0, 20) | st.sampled_from(SPANS) | st.integers(136, 152)
    return days.map(lambda count: timedelta(days=count))


def odd_distances() -> st.SearchStrategy[timedelta]:
    """From one day to any other, earlier ones too."""
    return distances() | st.integers(-400, 800).map(lambda count: timedelta(days=count))


def turning_points() -> st.SearchStrategy[date]:
    """The day about which a history happens."""
    return st.sampled_from(TURNING_POINTS) | st.dates(date(1995, 1, 1), date(2040, 12, 31))


@st.composite
def times(draw: st.DrawFn, days: st.SearchStrategy[date]) -> str:
    """An RFC 3339 time, often at a midnight of London, of UTC or of its own offset."""
    clock, offset = draw(st.sampled_from(CLOCKS)), draw(st.sampled_from(OFFSETS))
    return f"{draw(days)}T{clock}{offset}"


def days_about(day: date) -> st.SearchStrategy[date]:
    """Any day from about a year before to two years after."""
    return odd_distances().map(lambda distance: day + distance)


def days_since(day: date) -> st.SearchStrategy[date]:
    """The day itself, one of the next few, or one of the months after it."""
    soon = st.sampled_from([0, 0, 0, 1, 5]).map(lambda count: day + timedelta(days=count))
    return soon | distances().map(lambda distance: day + distance)


@st.composite
def days_months_on(draw: st.DrawFn, day: date) -> date:
    """The same day some months on, or the end of that month, or a day away from these."""
    month = day.month - 1 + draw(st.sampled_from([0, 1, 3, 6, 12]))
    first = date(day.year + month // 12, month % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    same = min(last, first + timedelta(days=day.day - 1))
    return draw(st.sampled_from([same, last])) + timedelta(days=draw(st.integers(-1, 1)))


@st.composite
def births(draw: st.DrawFn, about: date) -> str | None:
    """A date of birth: at the edge of an age band, on a leap day, yet to come, or not known."""
    if draw(st.integers(0, 5)) == 0:
        return None
    years = draw(st.sampled_from([-1, 0, 0, 4, 5, 5, 10, 11, 11, 15, 16, 16, 17, 90]))
    if draw(st.integers(0, 5)) == 0:
        return f"{(about.year - years) // 4 * 4}-02-29"
    day = about + draw(distances())
    return str(date(day.year - years, day.month, min(day.day, 28)))


@st.composite
def data_of(draw: st.DrawFn, kind: str, about: date) -> Fields:
    """Data that a type may have, unread and null fields among them."""
    if kind == "notification.received":
        return {
            "notification_type": draw(st.sampled_from(NOTIFICATION_TYPES)),
            "date_of_birth": draw(births(about)),
            "district": draw(st.sampled_from(DISTRICTS)),
        }
    if kind == "case.allocated":
        names = st.sampled_from(["é", "~", "x", None])
        return {
            "service": draw(st.sampled_from(SERVICES)),
            "team": draw(names),
            "provider": draw(names),
        }
    if kind == "case.closed":
        return {"outcome": draw(st.sampled_from(OUTCOMES)), "unread": [None]}
    if kind == "event.retracted":
        return {"retracts": draw(st.sampled_from(IDS))}
    return {"kind": "training"} if kind == "destination.started" else {}


@st.composite
def lives(draw: st.DrawFn, about: date) -> list[Fields]:
    """The events of one case in their usual order, or near it; some may be missing."""
    child, case = draw(st.sampled_from(CASES))
    received = draw(days_since(about))
    usual = [kind for kind in USUAL if draw(st.integers(0, 5))]
    more = [kind for kind in MORE if not draw(st.integers(0, 3))]
    events: list[Fields] = []
    for position, kind in enumerate(usual + more):
        day = days_since(received) if position else st.just(received)
        coincident = [event["time"] for event in events[-2:] if position >= len(usual)]
        time = st.sampled_from(coincident) | times(day) if coincident else times(day)
        events.append(
            {
                "specversion": "1.0",
                "id": f"{case} {draw(st.sampled_from(IDS))} {position}",
                "source": "urn:a",
                "subject": case,
                "partitionkey": child,
                "revision": 0,
                "type": kind,
                "time": draw(time),
                "data": draw(data_of(kind, received)),
            }
        )
    return events


@st.composite
def anything(draw: st.DrawFn, about: date) -> Fields:
    """What any event may say, and when."""
    kind = draw(st.sampled_from(TYPES))
    return {
        "type": kind,
        "time": draw(times(days_about(about))),
        "data": draw(data_of(kind, about)),
    }


@st.composite
def strays(draw: st.DrawFn, about: date) -> Fields:
    """An event of any type at any time; ids are few, so that some are used again."""
    child, case = draw(st.sampled_from(CASES))
    return {
        "specversion": "1.0",
        "id": draw(st.sampled_from(IDS)),
        "source": draw(st.sampled_from(["urn:a", "urn:a", "urn:b"])),
        "subject": case,
        "partitionkey": child,
        "revision": draw(st.sampled_from([0, 0, 0, None, 1])),
        **draw(anything(about)),
    }


@st.composite
def echoes(draw: st.DrawFn, event: Fields, about: date) -> Fields:
    """An event that has to do with another: it corrects, rivals, removes or coincides with it."""
    kind = draw(st.sampled_from(["correction", "rival", "later", "retraction", "coincidence"]))
    said = draw(anything(about))
    if kind == "correction":
        return {**event, **said, "revision": (event["revision"] or 0) + 1}
    if kind == "rival":
        return {**event, **said, "time": event["time"]}
    if kind == "later":
        return {**event, "time": said["time"]}
    if kind == "retraction":
        data = {"retracts": event["id"]}
        return {**event, "id": "r", "type": "event.retracted", "data": data}
    return {**event, **said, "id": draw(st.sampled_from(IDS)), "time": event["time"]}


@st.composite
def estimates(draw: st.DrawFn, about: date) -> Fields:
    """A population estimate, or the retraction of one."""
    event = {
        "specversion": "1.0",
        "id": draw(st.sampled_from("pq")),
        "source": "urn:statistics",
        "type": "population.published",
        "subject": "estimate",
        "time": draw(times(days_about(about))),
        "partitionkey": draw(st.sampled_from(["A", "B"])),
        "revision": draw(st.sampled_from([0, 1])),
        "data": {
            "area": draw(st.sampled_from(ESTIMATED)),
            "age_band": draw(st.sampled_from(["all", "all", "0-4", "11-15"])),
            "year": about.year + draw(st.integers(-2, 1)),
            "count": draw(st.sampled_from([0, 1, 7, 3000])),
        },
    }
    if draw(st.integers(0, 7)) == 0:
        event |= {"id": "r", "type": "event.retracted", "data": {"retracts": event["id"]}}
    return event


def line_of(event: Fields) -> EventLine:
    """The line of an event file that an event makes."""
    is_estimate = event["source"] == "urn:statistics"
    topics = topics_of("population.published" if is_estimate else event["type"])
    return EventLine(0, (event["partitionkey"].encode(), json.dumps(event).encode(), ()), topics)


def retraction_of(line: EventLine) -> EventLine:
    """The line that removes a line's event."""
    event = json.loads(line.message[1] or b"")
    retraction = {**event, "id": f"no {event['id']}", "type": "event.retracted", "revision": 0}
    return line_of({**retraction, "data": {"retracts": event["id"]}})


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Events about one day, and dates near theirs to look from, or any dates at all."""
    about = draw(turning_points())
    events = [
        event for life in draw(st.lists(lives(about), min_size=1, max_size=4)) for event in life
    ]
    events += draw(st.lists(strays(about), max_size=6))
    if events:
        chosen = draw(st.lists(st.sampled_from(events), max_size=6))
        events += [draw(echoes(event, about)) for event in chosen]
    days = sorted({date.fromisoformat(event["time"][:10]) for event in events}) or [about]
    near = st.sampled_from(days).flatmap(lambda day: days_since(day) | days_months_on(day))
    anywhere = st.dates(date(1901, 1, 1), date(2198, 12, 31))
    events += draw(st.lists(estimates(about), max_size=3))
    return History(
        [line_of(event) for event in events],
        [*(draw(near) for _ in range(5)), draw(days_about(about) | anywhere)],
    )
