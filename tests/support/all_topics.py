"""Histories of every topic: small sets of events near the days on which some rule's answer changes.

A history has an anchor. Most of what happens does so a rule's distance from it: 12 months, a
month's end, 1 April, a birthday, 84 or 180 days, a few working days before an allocation.
"""

import json
from datetime import date, timedelta

from hypothesis import strategies as st

from schemas.events.registry import (
    ACTIVITY_TOPIC,
    CASE_TOPIC,
    GROUPS,
    REFERENCE_TOPIC,
    RETRACTION,
    SCS_TOPIC,
    topics_of,
)
from schemas.places import Places, Site
from streams.kafka.eventfiles import EventLine
from tests.reference import back
from tests.reference.places import Place
from tests.support.strategies import (
    CLOCKS,
    DISTRICTS,
    NOTIFICATION_TYPES,
    OFFSETS,
    OUTCOMES,
    TURNING_POINTS,
    Fields,
    History,
)

CHILDREN = ["P1", "P1", "P1", "P2", "P3"]
CASES = ["C1", "C1", "C2", "C3"]
SERVICES = [*["unit", "family-support", "neet-support"] * 3, "young-carers", "other"]
PROVIDERS = ["x", "x", "é", "", None]
REASONS = ["Housing", "Housing", "Absence", "", None]
GONE = ["Outcomes achieved", "Disengaged", "No contact", "Consent withdrawn by parent"]
# Kind, district, provider. A place that is not among them is not known.
SITES: dict[str, Place] = {
    "Bay": {"kind": "centre", "district": "Dover", "provider": None},
    "Mill": {"kind": "centre", "district": "Swale", "provider": "x"},
    "Hub": {"kind": "hub", "district": "Dover", "provider": "é"},
    "Loft": {"kind": "hub", "district": "Ashford", "provider": None},
    "Hall": {"kind": "other", "district": "Ashford", "provider": "x"},
}
LEVELS = {"centre": "childrens-centre", "hub": "youth-hub"}
SITE_NAMES = ["Bay", "Bay", "Hub", "Hub", "Mill", "Loft", "Hall", "Atlantis"]
SESSION_KINDS = ["group", "open-access", "training", "other"]
CHARACTERISTICS = ["bme", "disabled", "sen", "sen", "lone-parent", "teenage-parent"]
# Completed years at which some measure begins or ends.
YEARS = [0, 1, 3, 4, 5, 5, 8, 11, 12, 16, 18, 19, 20, 20, 24, 25, 40]
AREA_NAMES = ["Kent", "South", "East", "Dover", "Ashford", "Swale"]
AGES = ["0-18", "0-18", "all", "0-4", "0-4", "0-2", "5-11", "5-10", "11-15", "16+", "11-19"]
AMOUNTS = [0, 1, 3, 7.25, 12.5, 0.1]
CODES = [
    "EH35",
    "EH36",
    "SISE58",
    "EH45",
    "CEH21",
    "EH01",
    "EH14",
    "SCS01",
    "CEH05",
    "EH26",
    "CEH28",
]
IDS = "abcdef"
REFERENCE_SOURCE = "urn:statistics"


def shipped_sites() -> Places:
    """The sites as a deployment has them."""
    return Places.model_validate(
        {
            "provider": ("x", "é"),
            "site": tuple(
                Site.model_validate(
                    {
                        "name": name,
                        "kind": LEVELS.get(it["kind"], it["kind"]),
                        "district": it["district"],
                        "provider": it["provider"],
                    }
                )
                for name, it in SITES.items()
            ),
        }
    )


def months_on(day: date, months: int) -> date:
    """A day some months later or earlier: the month's last where it has no such day."""
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def edges(anchor: date) -> list[date]:
    """Days that matter as seen from an anchor."""
    first = anchor.replace(day=1)
    april = date(anchor.year - (anchor.month < 4), 4, 1)
    near = [anchor, anchor, anchor, first, first, months_on(first, 1), april]
    near += [months_on(anchor, months) for months in (-12, -12, -6, -3, -1, 1, 3, 12)]
    near += [months_on(first, months) for months in (-12, -11, -3, -1, 12)]
    near += [back(anchor, months) for months in (3, 12, 12, 24)]
    near += [anchor - timedelta(days=days) for days in (28, 84, 140, 180)]
    return near


@st.composite
def days(draw: st.DrawFn, anchor: date) -> date:
    """A day that matters, the one before or after it, one soon before, or any other."""
    kind = draw(st.integers(0, 9))
    if kind < 5:
        return draw(st.sampled_from(edges(anchor))) + timedelta(days=draw(st.integers(-1, 1)))
    if kind < 9:
        return anchor - timedelta(days=draw(st.integers(0, 12)))
    return anchor + timedelta(days=draw(st.integers(-500, 300)))


@st.composite
def times(draw: st.DrawFn, day: date) -> str:
    """An RFC 3339 time on a day or about its midnights."""
    clock = draw(st.sampled_from(["12:00:00", "12:00:00", *CLOCKS]))
    offset = draw(st.sampled_from(["Z", "Z", "+01:00", *OFFSETS]))
    return f"{day}T{clock}{offset}"


@st.composite
def births(draw: st.DrawFn, anchor: date) -> str | None:
    """A date of birth about whose birthdays something happens; sometimes none."""
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return None
    years = draw(st.sampled_from(YEARS))
    if kind == 1:
        return f"{(anchor.year - years) // 4 * 4}-02-29"
    day = draw(st.sampled_from([anchor, *edges(anchor)]))
    return str(months_on(day, -12 * years) + timedelta(days=draw(st.integers(-1, 1))))


def some(draw: st.DrawFn, **fields: st.SearchStrategy[object]) -> Fields:
    """Data with those of the fields that chance leaves in, null ones among them."""
    return {name: draw(it) for name, it in fields.items() if draw(st.integers(0, 3))}


@st.composite
def data_of(draw: st.DrawFn, kind: str, anchor: date) -> Fields:
    """Data that a type of a group of children may have."""
    pick = st.sampled_from
    if kind == "notification.received":
        more = some(
            draw,
            date_of_birth=births(anchor),
            district=pick(DISTRICTS),
            primary_reason=pick(REASONS),
        )
        return {"notification_type": draw(pick(["EHN", "EHN", *NOTIFICATION_TYPES])), **more}
    if kind == "case.allocated":
        return {"service": draw(pick(SERVICES)), "provider": draw(pick(PROVIDERS))}
    if kind == "case.closed":
        return {
            "outcome": draw(pick([*GONE, *OUTCOMES])),
            **some(draw, troubled_families_evidence=pick([True, False, None])),
        }
    if kind in {"destination.started", "destination.sustained"}:
        return {"kind": "training"}
    if kind == "scs.opened":
        return {
            "origin": draw(pick(["referral", "early-help-step-up"])),
            **some(
                draw,
                status=pick(["cin", "cp", "lac", None]),
                date_of_birth=births(anchor),
                district=pick(DISTRICTS),
            ),
        }
    if kind == "scs.status":
        return {"status": draw(pick(["cin", "cp", "lac"]))}
    if kind == "scs.closed":
        return {"reason": draw(pick(["step-down", "step-down", "moved"]))}
    return draw(activity_data(kind, anchor))


@st.composite
def activity_data(draw: st.DrawFn, kind: str, anchor: date) -> Fields:
    """Data that a type of the activity topic may have; none for the other types."""
    pick = st.sampled_from
    if kind == "registration.recorded":
        more = some(
            draw,
            date_of_birth=births(anchor),
            district=pick(DISTRICTS),
            deprived_area=pick([True, True, False, None]),
            characteristics=st.none() | st.lists(pick(CHARACTERISTICS), max_size=2),
        )
        return {
            "place": draw(pick(SITE_NAMES)),
            "kind": draw(pick(["child", "carer", "young-person"])),
            "active": draw(st.integers(0, 5)) > 0,
            "consent": draw(st.integers(0, 5)) > 0,
            **more,
        }
    if kind == "session.held":
        counts = pick([0, 1, 3, 12, None])
        return {
            "place": draw(pick(SITE_NAMES)),
            "kind": draw(pick(SESSION_KINDS)),
            **some(
                draw,
                provider=pick(PROVIDERS),
                participants=counts,
                feedback_good=counts,
                feedback_total=counts,
            ),
        }
    if kind == "session.attended":
        more = some(
            draw, provider=pick(PROVIDERS), date_of_birth=births(anchor), district=pick(DISTRICTS)
        )
        return {
            "place": draw(pick(SITE_NAMES)),
            "kind": draw(pick(SESSION_KINDS)),
            **{name: it for name, it in more.items() if draw(st.booleans())},
        }
    return {"accredited": draw(st.booleans())} if kind == "outcome.recorded" else {}


LIVES = {
    "case": [
        "notification.received",
        "case.allocated",
        "case.allocated",
        "worker.assigned",
        "referrer.contacted",
        "contact.made",
        "plan.completed",
        "case.stepped-up",
        "destination.started",
        "destination.sustained",
        "case.closed",
        "case.reopened",
        "case.closed",
        "notification.received",
    ],
    "scs": ["scs.opened", "scs.status", "scs.closed", "scs.opened", "scs.closed"],
    "registration": [
        "registration.recorded",
        "outcome.recorded",
        "registration.recorded",
        "registration.ended",
        "registration.recorded",
    ],
}
# How often, of ten, each of these happens; the others mostly do.
RARE = {"case.reopened": 3, "registration.ended": 3, "scs.closed": 5, "case.stepped-up": 5}
SUBJECTS = {"case": CASES, "scs": ["S1", "S1", "S2"], "registration": ["R1", "R1", "R2"]}
TYPES = sorted({kind for life in LIVES.values() for kind in life} | {"session.attended"})
TOPIC_OF = {kind: topics_of(kind)[0] for kind in [*TYPES, "session.held"]}


def event(child: str, subject: str, kind: str, time: str, name: str, data: Fields) -> Fields:
    """An event of a child, or of a place's sessions."""
    return {
        "specversion": "1.0",
        "id": name,
        "source": "urn:a",
        "subject": subject,
        "partitionkey": child,
        "revision": 0,
        "type": kind,
        "time": time,
        "data": data,
    }


@st.composite
def lives(draw: st.DrawFn, anchor: date, about: str) -> list[Fields]:
    """What happens to a case, a case in social care, or a registration, in no particular order."""
    child, subject = draw(st.sampled_from(CHILDREN)), draw(st.sampled_from(SUBJECTS[about]))
    found: list[Fields] = []
    first = draw(days(anchor))
    for position, kind in enumerate(LIVES[about]):
        if position and draw(st.integers(0, 9)) >= RARE.get(kind, 8) - 2 * (position > 10):
            continue
        if found and draw(st.integers(0, 5)) == 0:
            time = draw(st.sampled_from([it["time"] for it in found]))
        else:
            soon = first + timedelta(days=draw(st.integers(-8, 30)))
            day = draw(st.just(first) | st.just(soon) | days(anchor)) if position else first
            time = draw(times(day))
        name = f"{subject} {position}{draw(st.sampled_from(IDS))}"
        found.append(event(child, subject, kind, time, name, draw(data_of(kind, anchor))))
    return found


@st.composite
def attendances(draw: st.DrawFn, anchor: date) -> list[Fields]:
    """One person's attendances at a place: often just as many sessions as make it regular."""
    child, place = draw(st.sampled_from(CHILDREN)), draw(st.sampled_from(SITE_NAMES))
    kind = draw(st.sampled_from(SESSION_KINDS))
    count = draw(st.sampled_from([1, 1, 2, 7, 8, 8, 9]))
    about = draw(days(anchor))
    found = []
    for number in range(count):
        day = draw(days(anchor)) if draw(st.integers(0, 4)) == 0 else about
        data = {**draw(activity_data("session.attended", anchor)), "place": place, "kind": kind}
        name = f"{place} {number}{draw(st.sampled_from(IDS))}"
        time = draw(times(day))
        found.append(event(child, f"T{number}", "session.attended", time, name, data))
    return found


@st.composite
def sessions(draw: st.DrawFn, anchor: date) -> list[Fields]:
    """A session held at a place, which is its key; now and then the key is a child's."""
    data = draw(activity_data("session.held", anchor))
    key = draw(st.sampled_from([*[data["place"]] * 5, "P1"]))
    time = draw(times(draw(days(anchor))))
    name = f"held {draw(st.sampled_from(IDS))}"
    return [event(key, draw(st.sampled_from(["T0", "T1"])), "session.held", time, name, data)]


@st.composite
def strays(draw: st.DrawFn, anchor: date) -> list[Fields]:
    """An event of any type at any time; ids are few, so that some are used again."""
    kind = draw(st.sampled_from(TYPES))
    subject = draw(st.sampled_from(["C1", "C2", "S1", "R1", "T1"]))
    time = draw(times(draw(days(anchor))))
    name, data = draw(st.sampled_from(IDS)), draw(data_of(kind, anchor))
    found = event(draw(st.sampled_from(CHILDREN)), subject, kind, time, name, data)
    return [{**found, "revision": draw(st.sampled_from([0, 0, None, 1]))}]


@st.composite
def echoes(draw: st.DrawFn, of: Fields, anchor: date) -> Fields:
    """An event that has to do with another: it corrects, rivals, removes or coincides with it."""
    kind = draw(st.sampled_from(["correction", "rival", "later", "retraction", "coincidence"]))
    if kind == "retraction":
        data = {"retracts": of["id"]}
        return {**of, "id": f"no {of['id']}", "type": RETRACTION, "data": data}
    same = of["type"]
    other = draw(st.sampled_from(TYPES)) if same in TYPES and draw(st.booleans()) else same
    said = {"type": other, "data": draw(data_of(other, anchor))}
    time = draw(times(draw(days(anchor))))
    if kind == "correction":
        return {**of, **said, "time": time, "revision": (of["revision"] or 0) + 1}
    if kind == "rival":
        return {**of, **said}
    if kind == "later":
        return {**of, "time": time}
    name, source = draw(st.sampled_from(IDS)), draw(st.sampled_from(["urn:a", "urn:b"]))
    return {**of, **said, "id": name, "source": source}


@st.composite
def supplied(draw: st.DrawFn, anchor: date) -> Fields:
    """A population, a workforce, or a figure that others worked out."""
    pick = st.sampled_from
    kind = draw(pick(["population.published", "workforce.reported", "measure.supplied"]))
    if kind == "population.published":
        data: Fields = {
            "area": draw(pick([*AREA_NAMES, "Bay", "Hub", "Atlantis"])),
            "age_band": draw(pick(AGES)),
            "year": anchor.year + draw(st.integers(-2, 1)),
            "count": draw(pick([0, 1, 7, 3000])),
            **some(draw, group=pick(["all", "deprived", "bme", "disabled-sen", None])),
        }
    elif kind == "workforce.reported":
        data = {
            "provider": draw(pick(["x", "x", "é"])),
            "fte": draw(pick(AMOUNTS)),
            **some(
                draw,
                area=pick([*AREA_NAMES, None]),
                service=pick(["family-support", "neet-support", None]),
            ),
        }
    else:
        data = draw(measures(anchor))
    time = draw(times(draw(days(anchor))))
    name, key = draw(st.sampled_from(IDS)), draw(pick(["A", "B"]))
    found = event(key, "figure", kind, time, name, data)
    return {**found, "source": REFERENCE_SOURCE, "revision": draw(pick([0, 0, 1]))}


@st.composite
def measures(draw: st.DrawFn, anchor: date) -> Fields:
    """Data of `measure.supplied`."""
    pick = st.sampled_from
    month = draw(pick([anchor, months_on(anchor, -1), months_on(anchor, 1)]))
    year = str(anchor.year - draw(st.integers(0, 1)))
    amounts = [
        {"value": draw(pick([*AMOUNTS, -1.5]))},
        {"numerator": draw(pick([0, 3, 7.25])), "denominator": draw(pick([0, 8, 12.5]))},
        {},
    ]
    status = draw(pick(["supplied", "supplied", "to-be-supplied", "not-available"]))
    given = draw(pick(amounts[:2] if status == "supplied" else amounts))
    return {
        "code": draw(pick(CODES)),
        "area": draw(pick([*AREA_NAMES, "Bay", "Hub", "x", "Atlantis"])),
        "age_band": draw(pick(["all", "all", "all", "0-4", "0-18"])),
        "period": draw(pick([f"{month:%Y-%m}", f"{month:%Y-%m}", year, f"{year}-T1"])),
        "status": status,
        "provenance": "made up",
        **given,
    }


@st.composite
def line_of(draw: st.DrawFn, said: Fields) -> EventLine:
    """The line that an event makes; a retraction goes on any topics of the event's group."""
    if said["type"] != RETRACTION:
        topics = topics_of(said["type"])
    elif said["source"] == REFERENCE_SOURCE:
        topics = draw(st.sampled_from([GROUPS, (REFERENCE_TOPIC,)]))
    else:
        chosen = [GROUPS, (CASE_TOPIC,), (SCS_TOPIC,), (ACTIVITY_TOPIC, REFERENCE_TOPIC)]
        topics = draw(st.sampled_from(chosen))
    return EventLine(0, (said["partitionkey"].encode(), json.dumps(said).encode(), ()), topics)


@st.composite
def histories_of_all_topics(draw: st.DrawFn, richness: int = 1) -> History:
    """Events of every topic about one anchor, and dates from which to look at them."""
    anchor = draw(
        st.sampled_from([*TURNING_POINTS, date(2017, 6, 30), date(2016, 4, 1), date(2017, 3, 31)])
        | st.dates(date(1995, 1, 1), date(2040, 12, 31))
    )
    parts: list[list[Fields]] = []
    for strategy, most in (
        (lives(anchor, "case"), 4),
        (lives(anchor, "scs"), 2),
        (lives(anchor, "registration"), 3),
        (attendances(anchor), 3),
        (sessions(anchor), 3),
        (strays(anchor), 3),
    ):
        count = draw(st.integers(0, richness * most))
        parts += [draw(strategy) for _ in range(count)]
    found = [it for part in parts for it in part]
    found += [draw(supplied(anchor)) for _ in range(draw(st.integers(0, richness * 5)))]
    if found:
        for of in draw(st.lists(st.sampled_from(found), max_size=5)):
            if of["source"] == REFERENCE_SOURCE:
                found.append({**of, "id": f"no {of['id']}", "type": RETRACTION})
                found[-1]["data"] = {"retracts": of["id"]}
            else:
                found.append(draw(echoes(of, anchor)))
    said = [date.fromisoformat(it["time"][:10]) for it in found] or [anchor]
    month_end = months_on(anchor.replace(day=1), 1) - timedelta(days=1)
    near = days(anchor) | st.sampled_from(said) | st.just(month_end)
    dates = [anchor, draw(near), draw(near)]
    return History([draw(line_of(it)) for it in found], dates)
