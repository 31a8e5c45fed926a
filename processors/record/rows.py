"""Rows: what the rules of a case need of each of its events, packed for work over columns."""

import struct
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Positions
from processors.record.decoding import Event
from processors.record.localities import Localities
from processors.record.names import Names
from schemas.catalogue import Match, Measure, Relation
from schemas.events.case import SERVICES

# The kinds of row. Other events belong to the record but to no rule of a case.
(
    NOTIFICATION,
    ALLOCATION,
    CONTACT,
    PLAN,
    CLOSURE,
    REOPENING,
    WORKER,
    REFERRER,
    STEP_UP,
    DESTINATION,
    SUSTAINED,
    SCS_OPENING,
) = range(1, 13)
KINDS = {
    "notification.received": NOTIFICATION,
    "case.allocated": ALLOCATION,
    "contact.made": CONTACT,
    "plan.completed": PLAN,
    "case.closed": CLOSURE,
    "case.reopened": REOPENING,
    "worker.assigned": WORKER,
    "referrer.contacted": REFERRER,
    "case.stepped-up": STEP_UP,
    "destination.started": DESTINATION,
    "destination.sustained": SUSTAINED,
    "scs.opened": SCS_OPENING,
}
# More than the number of any kind.
MOST_KINDS = max(KINDS.values()) + 1

# instant: microseconds from 1970 UTC; day: civil date, as a day number; birth: a date written
# yyyymmdd, 0 where unknown; passes: a bit for each text test of the catalogue; detail: of a
# notification the number of its primary reason, of a closure 1 with troubled families evidence;
# area: of a notification the index of its district among the leaves, their number where there is
# none, and of an allocation the number of its provider; service: index in SERVICES, their number
# where the row allocates to none.
ROW = np.dtype(
    [
        ("instant", "<i8"),
        ("day", "<i4"),
        ("birth", "<i4"),
        ("passes", "<u4"),
        ("detail", "<u4"),
        ("area", "<u2"),
        ("kind", "u1"),
        ("service", "u1"),
    ]
)
# Numbers of four bytes that a row takes.
_WORDS = ROW.itemsize // 4
_pack = struct.Struct("<qiiIIHBB").pack

# What is tested as text: a notification's type, the service that is given a case, and the outcome
# of a closure.
TESTS = "notification_type", "holder", "outcome"
MOST_TESTS = 32
MOST_REASONS = 100_000


class TooManyTestsError(ValueError):
    """A catalogue has more different tests on one attribute than a row has bits."""


def tests(declared: Iterable[Measure | Relation], name: str) -> list[Match]:
    """The different tests that are made on `name` (holder, outcome or notification_type)."""
    found: list[Match] = []
    for it in declared:
        match: Match | None = getattr(it, name, None)
        if match is not None and match not in found:
            found.append(match)
    if len(found) > MOST_TESTS:
        raise TooManyTestsError(f"{name}: {len(found)} different tests, at most {MOST_TESTS}")
    return found


def row_maker(
    declared: Iterable[Measure | Relation], localities: Localities
) -> Callable[[Event], bytes]:
    """A function that gives an event's row, or no bytes for an event that no rule of cases reads.

    `declared` is all that may test a text.
    """
    declared = list(declared)
    service_index = {name: index for index, name in enumerate(SERVICES)}
    nobody = len(service_index)
    reasons = Names(MOST_REASONS)
    received, given, closed = (bits(tests(declared, name)) for name in TESTS)
    provider, district = localities.providers.number, localities.district

    def make_row(event: Event) -> bytes:
        kind = KINDS.get(event.type)
        if kind is None:
            return b""
        passed, birth, detail, area, service = 0, 0, 0, 0, nobody
        if kind == ALLOCATION:
            data = event.data
            name = data["service"]
            passed, service = given(name), service_index[name]
            if "provider" in data:
                area = provider(data["provider"])
        elif kind == NOTIFICATION:
            data = event.data
            passed = received(data["notification_type"])
            birth = year_month_day(data.get("date_of_birth"))
            area = district(data.get("district"))
            if "primary_reason" in data:
                detail = reasons.number(data["primary_reason"])
        elif kind == CLOSURE:
            passed = closed(event.data["outcome"])
            detail = event.data.get("troubled_families_evidence") is True
        return _pack(event.instant, event.day, birth, passed, detail, area, kind, service)

    return make_row


def taken(rows: NDArray[np.void], at: Positions) -> NDArray[np.void]:
    """The rows at positions, copied as bytes: NumPy itself copies one field after another."""
    words = rows.view(np.int32).reshape(-1, _WORDS).take(at, axis=0)
    found: NDArray[np.void] = words.view(ROW).reshape(-1)
    return found


def bits(matches: list[Match]) -> Callable[[str], int]:
    """A remembered function from a text to the bits of the tests it passes."""

    @lru_cache(maxsize=10_000)
    def passed(text: str) -> int:
        return sum(1 << bit for bit, match in enumerate(matches) if match(text))

    return passed


@lru_cache(maxsize=50_000)
def year_month_day(text: str | None) -> int:
    """A date written yyyymmdd; 0 for none."""
    if text is None:
        return 0
    day = date.fromisoformat(text)
    return day.year * 10_000 + day.month * 100 + day.day
