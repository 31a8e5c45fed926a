"""A case as the definitions read it (docs/indicators.md, Words)."""

from collections.abc import Iterable
from datetime import date

from tests.reference.dates import age_band, working_days
from tests.reference.identity import in_order
from tests.reference.messages import Event


class Case:
    """What the definitions say of one case on the as-of date, from its events up to then."""

    def __init__(self, events: list[Event], as_of: date) -> None:
        def of(*types: str) -> list[Event]:
            return sorted((e for e in events if e["type"] in types), key=in_order)

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


def cases(events: Iterable[Event], as_of: date) -> list[Case]:
    """Every case with a notification, from the events up to the as-of date."""
    by_case: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if event["day"] <= as_of and event["type"] != "population.published":
            by_case.setdefault((event["partitionkey"], event["subject"]), []).append(event)
    return [
        Case(of_case, as_of)
        for of_case in by_case.values()
        if any(event["type"] == "notification.received" for event in of_case)
    ]
