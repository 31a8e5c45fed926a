"""One message: whether it is an event, and what it says (docs/events.md)."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

Event = dict[str, Any]
Types = Mapping[str, Mapping[str, str]]

LONDON = ZoneInfo("Europe/London")

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
    "population.published": {"area": "name", "age_band": "band", "year": "year", "count": "count"},
    "target.set": {
        "code": "name",
        "area?": "name",
        "year": "year",
        "target": "number",
        "amber?": "number",
    },
    "commentary.written": {
        "code?": "name",
        "area": "name",
        "period": "month",
        "author_role": "name",
        "text": "name",
    },
}

SERVICES = ("unit", "family-support", "young-carers", "neet-support", "other")
DESTINATIONS = ("education", "employment", "training")
ORIGINS = ("referral", "early-help-step-up")
STATUSES = ("cin", "cp", "lac")
REGISTERED = ("child", "carer", "young-person")
CHARACTERISTICS = ("bme", "disabled", "sen", "lone-parent", "teenage-parent")
GROUPS = ("all", "deprived", "bme", "disabled-sen")
SUPPLIES = ("supplied", "to-be-supplied", "not-available")
BANDS = ("all", "0-4", "5-10", "11-15", "16+")

# Instants from one day after the years 1900 to 2199 begin in UTC to a day before they end, so that
# no offset leads out of them.
EARLIEST, LATEST = datetime(1900, 1, 2, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)

RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)


def parse(line: bytes, types: Types = TYPES) -> Event | None:
    """The event in one message, or None for a message that is not a valid one of the types.

    Only what the definitions know is kept: unknown attributes and data fields are left out, a
    null one counts as absent, and so does `data` where no field is required. `time` becomes the
    instant, in UTC, to the microsecond; `day` its civil date in London; `revision` and `data` are
    always there.
    """
    try:
        raw = json.loads(line.decode("utf-8"), parse_constant=_not_json)
        # A lone surrogate is not text: UnicodeEncodeError, a ValueError.
        json.dumps(raw, ensure_ascii=False).encode("utf-8")
        return _event(raw, types)
    except (ValueError, OverflowError, RecursionError):
        return None


def _not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _event(raw: object, types: Types) -> Event:
    if not isinstance(raw, dict) or raw.get("specversion") != "1.0":
        raise ValueError("not an event")
    event: Event = {
        name: _value("name", raw.get(name))
        for name in ("id", "source", "type", "subject", "partitionkey")
    }
    data = {} if raw.get("data") is None else raw["data"]
    if event["type"] not in types or not isinstance(data, dict):
        raise ValueError("unknown type, or data that is not an object")
    event["time"] = _instant(raw.get("time"))
    event["day"] = event["time"].astimezone(LONDON).date()
    revision = raw.get("revision")
    event["revision"] = 0 if revision is None else _value("count", revision)
    event["data"] = _data(types[event["type"]], data)
    return event


def _data(fields: Mapping[str, str], raw: dict[str, object]) -> dict[str, object]:
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
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        "text": isinstance(value, str),
        "name": isinstance(value, str) and value != "",
        "flag": isinstance(value, bool),
        "number": _is_number(value),
        "amount": _is_number(value) and isinstance(value, int | float) and value >= 0,
        "month": isinstance(value, str)
        and re.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])", value) is not None,
        "year": is_whole and value in range(1900, 2200),
        "count": is_whole and value in range(2**53),
        "band": isinstance(value, str) and value in BANDS,
        "service": isinstance(value, str) and value in SERVICES,
        "destination": isinstance(value, str) and value in DESTINATIONS,
        "origin": isinstance(value, str) and value in ORIGINS,
        "status": isinstance(value, str) and value in STATUSES,
        "registered": isinstance(value, str) and value in REGISTERED,
        "characteristics": isinstance(value, list)
        and all(isinstance(word, str) and word in CHARACTERISTICS for word in value),
        "group": isinstance(value, str) and value in GROUPS,
        "supply": isinstance(value, str) and value in SUPPLIES,
        "ages": isinstance(value, str) and (value in BANDS or _is_range_of_years(value)),
        "period": isinstance(value, str)
        and re.fullmatch("[0-9]{4}(-(0[1-9]|1[0-2])|-T[1-9])?", value) is not None,
        "day": isinstance(value, str) and _is_day(value),
    }
    if not fits[kind]:
        raise ValueError(f"not a {kind}")
    return value


def _is_number(value: object) -> bool:
    """A number that a double holds, which is all that JSON's readers agree about."""
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return is_numeric and isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


def _is_day(text: str) -> bool:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_range_of_years(text: str) -> bool:
    ends = re.fullmatch("([0-9]{1,3})-([0-9]{1,3})", text)
    return ends is not None and int(ends[1]) <= int(ends[2])


def _instant(value: object) -> datetime:
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("not a time with an offset")
    instant = datetime.fromisoformat(value.upper())
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("not within the years 1900 to 2199")
    return instant.astimezone(UTC)
