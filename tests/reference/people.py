"""A person as the definitions read one (parts C and D), from the events up to a date."""

from collections.abc import Iterable
from datetime import date

from tests.reference.dates import back
from tests.reference.identity import in_order
from tests.reference.messages import Event
from tests.reference.topics import ACTIVITY, CASES, REFERENCE, SCS, of_topic


class Person:
    """One partition key's events of the case, SCS and activity topics, up to the as-of date."""

    def __init__(self, events: Iterable[Event], as_of: date) -> None:
        self.events = sorted(events, key=in_order)
        self.as_of = as_of
        born = self._latest("date_of_birth")
        self.age = years(born, as_of) if isinstance(born, str) else None
        district = self._latest("district")
        self.district = district if isinstance(district, str) else None
        self.is_deprived = self._latest("deprived_area") is True
        characteristics = self._latest("characteristics")
        self.characteristics = characteristics if isinstance(characteristics, list) else []
        self.attendances = [e for e in self.events if e["type"] == "session.attended"]
        self.openings = [e for e in self.events if e["type"] == "scs.opened"]
        self.registrations = _by_subject(
            self.events, ("registration.recorded", "registration.ended")
        )
        self.scs_cases = _by_subject(self.events, ("scs.opened", "scs.status", "scs.closed"))

    def _latest(self, field: str) -> object:
        """What the latest event that carries a field says."""
        carried = [e["data"][field] for e in self.events if field in e["data"]]
        return carried[-1] if carried else None

    def is_aged(self, youngest: int, oldest: int) -> bool:
        """Whether the age is known and within a range of completed years."""
        return self.age is not None and youngest <= self.age <= oldest

    def in_force(self) -> list[list[Event]]:
        """The events of each registration whose last is a recording, active and consented."""
        return [
            of_one
            for of_one in self.registrations.values()
            if of_one[-1]["type"] == "registration.recorded"
            and of_one[-1]["data"]["active"]
            and of_one[-1]["data"]["consent"]
        ]

    def registered(self) -> list[tuple[str, date]]:
        """The place of each registration in force, and the day it was first recorded."""
        found = []
        for of_one in self.in_force():
            first = next(e for e in of_one if e["type"] == "registration.recorded")
            found.append((of_one[-1]["data"]["place"], first["day"]))
        return found

    def places_of(self, registration: str) -> list[str]:
        """The place that a registration was last recorded at, if ever."""
        of_one = self.registrations.get(registration, [])
        return [e["data"]["place"] for e in of_one if e["type"] == "registration.recorded"][-1:]

    def attended(self, since: date) -> list[Event]:
        """The attendances on or after a day."""
        return [e for e in self.attendances if e["day"] >= since]

    def attended_last_year(self) -> list[Event]:
        """The attendances in the last 12 months."""
        return [e for e in self.attendances if e["day"] > back(self.as_of, 12)]

    def open_statuses(self) -> list[str | None]:
        """The status of each open SCS case."""
        return [status_of(of_one) for of_one in self.scs_cases.values() if is_open(of_one)]


def is_open(scs_case: list[Event]) -> bool:
    """Whether the last of opened and closed is opened."""
    ends = [e for e in scs_case if e["type"] in ("scs.opened", "scs.closed")]
    return bool(ends) and ends[-1]["type"] == "scs.opened"


def status_of(scs_case: list[Event]) -> str | None:
    """The latest status that an SCS case's events give."""
    given: list[str] = [e["data"]["status"] for e in scs_case if "status" in e["data"]]
    return given[-1] if given else None


def years(born: str, on: date) -> int | None:
    """Completed years on a day; None before the birth."""
    birth = date.fromisoformat(born)
    if birth > on:
        return None
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def people(events: list[Event], as_of: date) -> list[Person]:
    """Everyone, from the events up to the as-of date."""
    by_key: dict[str, list[Event]] = {}
    for topic in (CASES, SCS, ACTIVITY):
        for event in of_topic(events, topic):
            if event["day"] <= as_of and event["type"] != "session.held":
                by_key.setdefault(event["partitionkey"], []).append(event)
    return [Person(of_one, as_of) for of_one in by_key.values()]


def population(events: list[Event], as_of: date, area: str, band: str, group: str = "all") -> int:
    """The latest event's count for the latest year not after the as-of date's; 0 if none."""
    published = [
        e
        for e in of_topic(events, REFERENCE)
        if e["type"] == "population.published"
        and e["day"] <= as_of
        and e["data"]["area"] == area
        and _whole(e["data"]["age_band"]) == _whole(band)
        and e["data"].get("group", "all") == group
        and e["data"]["year"] <= as_of.year
    ]
    latest = max(published, key=lambda e: (e["data"]["year"], in_order(e)), default=None)
    return int(latest["data"]["count"]) if latest else 0


def _whole(band: str) -> str:
    """A band; that of everyone has two names."""
    return "all" if band == "0-18" else band


def _by_subject(events: list[Event], types: tuple[str, ...]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        if event["type"] in types:
            found.setdefault(event["subject"], []).append(event)
    return found
