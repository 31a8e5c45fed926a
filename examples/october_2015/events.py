"""The history as CloudEvents: one compact JSON object a line, in order of time.

The bytes depend on the cases and the seed alone: identifiers are numbered in order, pseudonyms are
hashes, and the gzip header holds neither a time nor a name.
"""

import gzip
import hashlib
import io
import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from .cases import Case
from .geography import UNKNOWN
from .population import Populations

SOURCE = "urn:caseline:october-2015"
LONDON = ZoneInfo("Europe/London")
AGES = {"0-4": (0, 4), "5-10": (5, 10), "11-15": (11, 15), "16+": (16, 18)}
REASONS = (
    "Parenting", "Behaviour at home", "Behaviour at school", "School attendance",
    "Emotional wellbeing", "Domestic abuse", "Housing", "Substance misuse",
)  # fmt: skip
HOURS = {
    "notification.received": 8,
    "case.allocated": 10,
    "worker.assigned": 11,
    "contact.made": 12,
    "plan.completed": 14,
    "case.stepped-up": 15,
    "case.closed": 16,
}
"""The hour in which each thing happens, so that one day's events of a case have their order."""
ESTIMATES_PUBLISHED = "2015-06-25T09:30:00+01:00"
ESTIMATES_YEAR = 2015

Event = dict[str, object]


class EventWriter:
    """Turns cases into events, with one stream of random minutes and birthdays."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def events(self, cases: list[Case], populations: Populations) -> list[Event]:
        """All events in order of time, numbered in that order."""
        found = list(_population_events(populations))
        for number, case in enumerate(cases, start=1):
            found.extend(self._case_events(number, case))
        found.sort(
            key=lambda event: (datetime.fromisoformat(str(event["time"])), str(event["subject"]))
        )
        return [
            {"specversion": "1.0", "id": f"e{n:06d}", **e} for n, e in enumerate(found, start=1)
        ]

    def _case_events(self, number: int, case: Case) -> Iterator[Event]:
        child = "child-" + hashlib.sha256(f"{SOURCE}/{number}".encode()).hexdigest()[:12]
        for kind, when, data in self._facts(case):
            yield {
                "source": SOURCE,
                "type": kind,
                "subject": f"case-{number:05d}",
                "time": self._time(kind, when),
                "partitionkey": child,
                "data": data,
            }

    def _facts(self, case: Case) -> Iterator[tuple[str, int, Event]]:
        yield "notification.received", case.received, self._notification(case)
        if case.allocated is not None:
            yield "case.allocated", case.allocated, {"service": case.service}
            yield "worker.assigned", case.allocated, {}
        if case.moved is not None:
            yield "case.allocated", case.moved, {"service": case.moved_to}
        if case.contact is not None:
            yield "contact.made", case.contact, {}
        if case.plan is not None:
            yield "plan.completed", case.plan, {}
        if case.closed is not None:
            if case.outcome == "Escalation to SCS":
                yield "case.stepped-up", case.closed, {}
            yield "case.closed", case.closed, {"outcome": case.outcome}

    def _notification(self, case: Case) -> Event:
        data: Event = {"notification_type": case.notification_type}
        if case.age != UNKNOWN:
            data["date_of_birth"] = self._birthday(case)
        if case.place:
            data["district"] = case.place
        return data | {"primary_reason": self.rng.choice(REASONS)}

    def _birthday(self, case: Case) -> str:
        """A date of birth that makes the child of the case's band on the day of receipt."""
        youngest, oldest = AGES[case.age]
        received = date.fromordinal(case.received)
        age = self.rng.randint(youngest, oldest)
        last = received.replace(year=received.year - age)
        return (last - timedelta(days=self.rng.randint(1, 360))).isoformat()

    def _time(self, kind: str, when: int) -> str:
        day = date.fromordinal(when)
        minute, second = self.rng.randrange(60), self.rng.randrange(60)
        moment = datetime(day.year, day.month, day.day, HOURS[kind], minute, second, tzinfo=LONDON)
        return moment.isoformat()


def _population_events(populations: Populations) -> Iterator[Event]:
    for (area, band), count in populations.items():
        yield {
            "source": SOURCE,
            "type": "population.published",
            "subject": f"{area} {band}",
            "time": ESTIMATES_PUBLISHED,
            "partitionkey": area,
            "data": {"area": area, "age_band": band, "year": ESTIMATES_YEAR, "count": count},
        }


def write_events(path: Path, events: list[Event]) -> None:
    """Write events as gzipped JSON lines with the same bytes every time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as lines:
        for event in events:
            lines.write(json.dumps(event, separators=(",", ":")).encode() + b"\n")
    path.write_bytes(buffer.getvalue())
