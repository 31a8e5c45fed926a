"""Rows: what the rules of a case need of each of its events, packed for work over columns."""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache

import numpy as np

from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import Catalogue, Match, Measure
from schemas.events import SERVICES

# The kinds of row. Other events belong to the record but to no rule of a case.
NOTIFICATION, ALLOCATION, CONTACT, PLAN, CLOSURE, REOPENING, WORKER = range(1, 8)
KINDS = {
    "notification.received": NOTIFICATION,
    "case.allocated": ALLOCATION,
    "contact.made": CONTACT,
    "plan.completed": PLAN,
    "case.closed": CLOSURE,
    "case.reopened": REOPENING,
    "worker.assigned": WORKER,
}

# instant: microseconds from 1970 UTC; day: civil date, as a day number; birth: a date written
# yyyymmdd, 0 where unknown; passes: a bit for each text test of the catalogue; area: index among
# the leaves, their number where there is no such area, and of an allocation index among the
# providers, their number for any other; service: index in SERVICES, their number
# where the row allocates to none.
ROW = np.dtype(
    [
        ("instant", "<i8"),
        ("day", "<i4"),
        ("birth", "<i4"),
        ("passes", "<u4"),
        ("area", "<u2"),
        ("kind", "u1"),
        ("service", "u1"),
    ]
)
_pack = struct.Struct("<qiiIHBB").pack

# The attribute each text test of a measure is about, by the event type that carries it.
TESTED = {
    "notification.received": ("notification_type", "notification_type"),
    "case.allocated": ("service", "holder"),
    "case.closed": ("outcome", "outcome"),
}
MOST_TESTS = 32


class TooManyTestsError(ValueError):
    """A catalogue has more different tests on one attribute than a row has bits."""


def tests(measures: Iterable[Measure], name: str) -> list[Match]:
    """The different tests that measures make on `name` (holder, outcome or notification_type)."""
    found: list[Match] = []
    for measure in measures:
        match: Match | None = getattr(measure, name)
        if match is not None and match not in found:
            found.append(match)
    if len(found) > MOST_TESTS:
        raise TooManyTestsError(f"{name}: {len(found)} different tests, at most {MOST_TESTS}")
    return found


def row_maker(
    catalogue: Catalogue, areas: Areas, providers: Sequence[str] = ()
) -> Callable[[Event], bytes]:
    """A function that gives an event's row, or no bytes for an event that no rule reads."""
    area_index = {name: index for index, name in enumerate(areas.leaves)}
    nowhere = len(area_index)
    service_index = {name: index for index, name in enumerate(SERVICES)}
    nobody = len(service_index)
    provider_index = {name: index for index, name in enumerate(providers)}
    other = len(provider_index)
    attribute = {kind: name for kind, (name, _) in TESTED.items()}
    passes = {
        kind: _bits(tests(catalogue.measure, test_name)) for kind, (_, test_name) in TESTED.items()
    }

    def make_row(event: Event) -> bytes:
        kind = KINDS.get(event.type)
        if kind is None:
            return b""
        bits = passes[event.type](event.data[attribute[event.type]]) if event.type in passes else 0
        if kind == ALLOCATION:
            service = service_index[event.data["service"]]
            provider = provider_index.get(event.data.get("provider", ""), other)
            return _pack(event.instant, event.day, 0, bits, provider, kind, service)
        if kind != NOTIFICATION:
            return _pack(event.instant, event.day, 0, bits, nowhere, kind, nobody)
        birth = _year_month_day(event.data.get("date_of_birth"))
        area = area_index.get(event.data.get("district", ""), nowhere)
        return _pack(event.instant, event.day, birth, bits, area, kind, nobody)

    return make_row


def unheld(catalogue: Catalogue) -> int:
    """The bits of the holder tests passed by a case that nobody has been given."""
    return _bits(tests(catalogue.measure, "holder"))("")


def _bits(matches: list[Match]) -> Callable[[str], int]:
    """A remembered function from a text to the bits of the tests it passes."""

    @lru_cache(maxsize=10_000)
    def passed(text: str) -> int:
        return sum(1 << bit for bit, match in enumerate(matches) if match(text))

    return passed


@lru_cache(maxsize=50_000)
def _year_month_day(text: str | None) -> int:
    if text is None:
        return 0
    day = date.fromisoformat(text)
    return day.year * 10_000 + day.month * 100 + day.day
