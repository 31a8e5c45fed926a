"""A second opinion: every figure of part A by brute force, straight from the events.

Written from the definitions alone (Events; Indicators, part A) and importing nothing of the
product, so that a test comparing the two compares two independent readings. It goes through
every case for every figure and keeps no running state; clarity comes before speed.
"""

import json
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

Event = dict[str, Any]
Areas = Mapping[str, Mapping[str, tuple[str, ...]]]
Cell = tuple[str, str, str]
Figures = dict[Cell, tuple[int, int]]

LONDON = ZoneInfo("Europe/London")

KENT: Areas = {
    "Kent": {
        "North": ("Dartford", "Gravesham", "Sevenoaks"),
        "East": ("Canterbury", "Swale", "Thanet"),
        "South": ("Ashford", "Dover", "Shepway"),
        "West": ("Maidstone", "Tonbridge and Malling", "Tunbridge Wells"),
    }
}

# By type: the data fields with their kind; a field whose name ends in "?" is optional.
TYPES: dict[str, dict[str, str]] = {
    "notification.received": {
        "notification_type": "text",
        "date_of_birth?": "day",
        "district?": "text",
        "primary_reason?": "text",
    },
    "case.allocated": {"service": "service", "provider?": "text", "team?": "text"},
    "worker.assigned": {"worker?": "text"},
    "referrer.contacted": {},
    "contact.made": {},
    "plan.completed": {},
    "case.closed": {"outcome": "text", "troubled_families_evidence?": "flag"},
    "case.reopened": {},
    "case.stepped-up": {},
    "destination.started": {"kind": "destination"},
    "destination.sustained": {"kind": "destination"},
    "event.retracted": {"retracts": "name"},
    "population.published": {"area": "text", "age_band": "text", "year": "int", "count": "count"},
}

SERVICES = ("unit", "family-support", "young-carers", "neet-support", "other")
DESTINATIONS = ("education", "employment", "training")
NOT_A_NEW_CASE = ("Existing TAF", "SCS", "CDT")
NOT_AN_OUTCOME = ("re-opened", "Closure - Open to Early Help", "Moved Out of Kent")

COUNTS = ("EH01", "EH03", "EH04", "EH05", "EH06", "EH07", "EH13", "EH15", "EH17")
AVERAGES = ("EH10", "EH11", "EH12")

RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)


# --- one message -----------------------------------------------------------------------------


def parse(line: bytes) -> Event | None:
    """The event in one message, or None for a message that is not a valid one.

    Only what the definitions know is kept: unknown attributes and data fields are left out, a
    null optional one counts as absent. `time` becomes the instant, in UTC, to the microsecond;
    `day` its civil date in London; `revision` is always there.
    """
    try:
        raw = json.loads(line.decode("utf-8"), parse_constant=_not_json)
        return _event(raw)
    except (ValueError, OverflowError, RecursionError):
        return None


def _not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _event(raw: object) -> Event:
    if not isinstance(raw, dict) or raw.get("specversion") != "1.0":
        raise ValueError("not an event")
    event: Event = {
        name: _value("name", raw.get(name))
        for name in ("id", "source", "type", "subject", "partitionkey")
    }
    if event["type"] not in TYPES or not isinstance(raw.get("data"), dict):
        raise ValueError("unknown type, or no data")
    event["time"] = _instant(raw.get("time"))
    event["day"] = event["time"].astimezone(LONDON).date()
    revision = raw.get("revision")
    event["revision"] = 0 if revision is None else _value("count", revision)
    event["data"] = _data(TYPES[event["type"]], raw["data"])
    return event


def _data(fields: dict[str, str], raw: dict[str, object]) -> dict[str, object]:
    data = {}
    for field, kind in fields.items():
        name = field.rstrip("?")
        if raw.get(name) is not None:
            data[name] = _value(kind, raw[name])
        elif name == field:
            raise ValueError("a required data field is missing")
    return data


def _value(kind: str, value: object) -> object:
    """The value if it is of the kind; ValueError otherwise."""
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate is not text: UnicodeEncodeError, a ValueError
    fits = {
        "text": isinstance(value, str),
        "name": isinstance(value, str) and value != "",
        "flag": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "count": isinstance(value, int) and not isinstance(value, bool) and value >= 0,
        "service": isinstance(value, str) and value in SERVICES,
        "destination": isinstance(value, str) and value in DESTINATIONS,
        "day": isinstance(value, str)
        and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is not None
        and date.fromisoformat(value) is not None,
    }
    if not fits[kind]:
        raise ValueError(f"not a {kind}")
    return value


def _instant(value: object) -> datetime:
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("not a time with an offset")
    return datetime.fromisoformat(value.upper()).astimezone(UTC)


# --- the set of events -----------------------------------------------------------------------


def known(events: Iterable[Event]) -> list[Event]:
    """What is known: one event per identity, none that was retracted (Events, identity rules).

    An identity is (partitionkey, source, id). Equal (revision, time) with different contents is
    settled by the greatest canonical JSON of [type, subject, data], so that order cannot show.
    A retraction holds for good, also when it is itself corrected or retracted.
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
    contents = json.dumps([event["type"], event["subject"], event["data"]], sort_keys=True)
    return (event["revision"], event["time"], contents)


def _order(event: Event) -> tuple[datetime, str, str]:
    return (event["time"], event["source"], event["id"])


# --- dates -----------------------------------------------------------------------------------


def back(d: date, n: int) -> date:
    """The date `n` calendar months before `d`: month-end to month-end, else the same day or,
    where the month has none, its last."""
    year, month = d.year, d.month
    for _ in range(n):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    last = monthrange(year, month)[1]
    if d.day == monthrange(d.year, d.month)[1]:
        return date(year, month, last)
    return date(year, month, min(d.day, last))


@cache
def working_days(a: date, b: date) -> int:
    """Weekdays that are not bank holidays in England, after `a`, up to and including `b`."""
    count = 0
    while b > a:
        count += b.weekday() < 5 and b not in _bank_holidays(b.year)
        b -= timedelta(days=1)
    return count


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def age_band(born: str | None, on: date) -> str:
    """The band of the completed years on a day; `unknown` if not born, or no date of birth."""
    if born is None or date.fromisoformat(born) > on:
        return "unknown"
    birth = date.fromisoformat(born)
    years = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    if years <= 4:
        return "0-4"
    if years <= 10:
        return "5-10"
    return "11-15" if years <= 15 else "16+"


# --- a case ----------------------------------------------------------------------------------


class Case:
    """What the definitions say of one case on the as-of date, from its events up to then."""

    def __init__(self, events: list[Event], as_of: date) -> None:
        def of(*types: str) -> list[Event]:
            return sorted((e for e in events if e["type"] in types), key=_order)

        self.notifications = of("notification.received")
        first = self.notifications[0]
        self.received: date = first["day"]
        self.district: str | None = first["data"].get("district")
        self.born: str | None = first["data"].get("date_of_birth")
        self.band = age_band(self.born, self.received)

        def since_receipt(*types: str) -> list[Event]:
            return [e for e in of(*types) if e["day"] >= self.received]

        self.contact = _first_day(since_receipt("contact.made"))
        self.plan = _first_day(since_receipt("plan.completed"))

        ends = since_receipt("case.closed", "case.reopened")
        self.closure = ends[-1] if ends and ends[-1]["type"] == "case.closed" else None
        self.closed: date | None = self.closure["day"] if self.closure else None

        held = of("case.allocated")
        if self.closure:
            held = [e for e in held if e["time"] <= self.closure["time"]]
        self.is_unit = bool(held) and held[-1]["data"]["service"] == "unit"
        self.over_20_weeks = working_days(self.received, self.closed or as_of) > 100


def _first_day(events: list[Event]) -> date | None:
    return events[0]["day"] if events else None


def _cases(events: list[Event], as_of: date) -> list[Case]:
    by_case: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if event["day"] <= as_of and event["type"] != "population.published":
            by_case.setdefault((event["partitionkey"], event["subject"]), []).append(event)
    return [
        Case(of_case, as_of)
        for of_case in by_case.values()
        if any(event["type"] == "notification.received" for event in of_case)
    ]


# --- the figures -----------------------------------------------------------------------------


def evaluate(events: Iterable[Event], as_of: date, areas: Areas = KENT) -> Figures:
    """Numerator and denominator of EH01 to EH20 by (code, area, band), zero over zero left out.

    The events are parsed ones in any order, duplicates, corrections and retractions included. A
    count's denominator is its numerator; EH02's is the population, 0 where none is published.
    """
    facts = known(events)
    figures: Figures = {}

    def add(code: str, district: str | None, band: str, numerator: int, denominator: int) -> None:
        for area in _areas_of(district, areas):
            for each_band in ("all", band):
                n, d = figures.get((code, area, each_band), (0, 0))
                figures[code, area, each_band] = (n + numerator, d + denominator)

    for case in _cases(facts, as_of):
        for code, band, numerator, denominator in _entries(case, as_of):
            add(code, case.district, band, numerator, denominator)
    _add_rates(figures, facts, as_of, areas)
    return {cell: value for cell, value in figures.items() if value != (0, 0)}


def _entries(case: Case, as_of: date) -> list[tuple[str, str, int, int]]:
    """What one case adds: (code, band, numerator, denominator)."""
    found = _notification_entries(case, as_of)
    if case.closure is None:
        found += [(code, case.band, n, d) for code, n, d in _open_entries(case, as_of)]
    elif case.is_unit:
        found += [(code, case.band, n, d) for code, n, d in _closed_entries(case, as_of)]
    return found


def _notification_entries(case: Case, as_of: date) -> list[tuple[str, str, int, int]]:
    """Every notification counts, on its own day: the child's age is that day's, while the date of
    birth and the district are the case's, from its earliest notification."""
    month = as_of.replace(day=1)
    found = []
    for event in case.notifications:
        kind, day = event["data"]["notification_type"], event["day"]
        band = age_band(case.born, day)
        is_new = not any(word in kind for word in NOT_A_NEW_CASE)
        if day >= month and is_new:
            found.append(("EH01", band, 1, 1))
        if day >= month and "CDT" in kind:
            found.append(("EH03", band, 1, 1))
        if day >= month and kind == "SCS step-down":
            found.append(("EH04", band, 1, 1))
        if back(month, 3) <= day < month and is_new:
            found.append(("EH08", band, int(case.plan is not None), 1))
    return found


def _open_entries(case: Case, as_of: date) -> list[tuple[str, int, int]]:
    if not case.is_unit:
        return [("EH06", 1, 1)]
    r, contact, plan = case.received, case.contact, case.plan
    found = [("EH05", 1, 1)]
    if plan:
        found.append(("EH07", 1, 1))
    if (as_of - r).days >= 28:
        found.append(("EH09", int(plan is not None and (plan - r).days <= 28), 1))
    if r > back(as_of, 3) and contact:
        found.append(("EH10", (contact - r).days, 1))
    if r > back(as_of, 3) and plan:
        found.append(("EH11", (plan - r).days, 1))
    if case.over_20_weeks:
        found.append(("EH13", 1, 1))
    found.append(("EH14", int(not case.over_20_weeks), 1))
    return found


def _closed_entries(case: Case, as_of: date) -> list[tuple[str, int, int]]:
    assert case.closure is not None
    assert case.closed is not None
    outcome = case.closure["data"]["outcome"]
    escalated = int(outcome == "Escalation to SCS")
    found = []
    if case.received > back(as_of, 6):
        found.append(("EH12", (case.closed - case.received).days, 1))
    if case.closed < as_of.replace(day=1):
        return found
    if outcome not in NOT_AN_OUTCOME:
        found.append(("EH15", 1, 1))
        found.append(("EH16", int("Outcomes achieved" in outcome), 1))
        found.append(("EH18", escalated, 1))
    if escalated:
        found.append(("EH17", 1, 1))
    found.append(("EH20" if case.over_20_weeks else "EH19", escalated, 1))
    return found


def _add_rates(figures: Figures, facts: list[Event], as_of: date, areas: Areas) -> None:
    """EH02: EH01 over the population of the latest year not after the as-of date's.

    Of several figures for one area, band and year the latest published counts, in order of
    (time, source, id).
    """
    population: dict[tuple[str, str], int] = {}
    published = [
        e
        for e in facts
        if e["type"] == "population.published"
        and e["day"] <= as_of
        and e["data"]["year"] <= as_of.year
    ]
    for event in sorted(published, key=lambda e: (e["data"]["year"], _order(e))):
        population[event["data"]["area"], event["data"]["age_band"]] = event["data"]["count"]
    for area in _names(areas):
        for band in ("all", "0-4", "5-10", "11-15", "16+", "unknown"):
            new = figures.get(("EH01", area, band), (0, 0))[0]
            figures["EH02", area, band] = (new, population.get((area, band), 0))


def _areas_of(district: str | None, areas: Areas) -> list[str]:
    """The areas a district's figures count in: the top one alone where it is not known."""
    found = list(areas)
    for subtree in areas.values():
        for area, districts in subtree.items():
            if district in districts:
                found += [area, str(district)]
    return found


def _names(areas: Areas) -> list[str]:
    found = list(areas)
    for subtree in areas.values():
        for area, districts in subtree.items():
            found += [area, *districts]
    return found


def printed(code: str, numerator: int, denominator: int) -> str:
    """A value as the example files print it: a count whole, any other to one decimal, half up.

    Empty where the denominator of a share, rate or average is 0.
    """
    if code in COUNTS:
        return str(numerator)
    if denominator == 0:
        return ""
    scale = 1 if code in AVERAGES else 10_000 if code == "EH02" else 100
    with localcontext(prec=60):
        exact = Decimal(scale * numerator) / denominator
        return str(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))
