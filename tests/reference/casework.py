"""A case through time: its episodes, its holders and its receipt (Words and part B)."""

from datetime import date, timedelta

from tests.reference.cases import Case
from tests.reference.dates import working_days
from tests.reference.identity import in_order
from tests.reference.messages import Event
from tests.reference.topics import CASES, of_topic

DAY = timedelta(days=1)


class Casework(Case):
    """A case with what parts A (re-referrals) and B ask of it beyond part A's other figures."""

    def __init__(self, child: str, subject: str, events: list[Event], as_of: date) -> None:
        super().__init__(events, as_of)
        self.child = child
        self.subject = subject
        self.events = sorted(events, key=in_order)
        self.reason: str | None = self.notifications[0]["data"].get("primary_reason")
        self.ends = [
            e
            for e in self.events
            if e["type"] in ("case.closed", "case.reopened") and e["day"] >= self.received
        ]
        self.allocations = [e for e in self.events if e["type"] == "case.allocated"]
        until = self.closure["time"] if self.closure else None
        self.held = [e for e in self.allocations if until is None or e["time"] <= until]
        self.holding = self.held[-1] if self.held else None
        self.service: str | None = self.holding["data"]["service"] if self.holding else None
        self.provider: str | None = self.holding["data"].get("provider") if self.holding else None
        self.receipt = self.receipt_of(self.service)

    def receipt_of(self, service: str | None) -> date | None:
        """The day of the first allocation to a service; r if that was earlier."""
        days = [e["day"] for e in self.allocations if e["data"]["service"] == service]
        return max(min(days), self.received) if days else None

    def provider_for(self, service: str) -> str | None:
        """The provider that it was with on the last day on which it was with a service."""
        for day in sorted({e["day"] for e in self.events}, reverse=True):
            if not self.is_with(service, day):
                continue
            endings = [e["time"] for e in self.endings(service) if e["day"] == day]
            held = [e for e in self.allocations if e["day"] <= day]
            if not self.is_held_open(service, day):
                held = [e for e in held if e["time"] <= endings[-1]]
            provider: str | None = held[-1]["data"].get("provider")
            return provider
        return None

    def days_of(self, what: str, since: date) -> list[date]:
        """The days on which something was done, on or after a day."""
        return [e["day"] for e in self.events if e["type"] == what and e["day"] >= since]

    def worker(self) -> date | None:
        """The day a worker was assigned; up to 5 working days early counts as on receipt."""
        assert self.receipt is not None
        found = []
        for day in self.days_of("worker.assigned", self.received):
            if day >= self.receipt:
                found.append(day)
            elif working_days(day, self.receipt) <= 5:
                found.append(self.receipt)
        return min(found, default=None)

    def first(self, what: str) -> date | None:
        """The day something was first done on or after receipt."""
        assert self.receipt is not None
        return min(self.days_of(what, self.receipt), default=None)

    def held_by(self, service: str, moment: Event | date) -> bool:
        """Whether a service held the case at a closure, or at the end of a day."""
        if isinstance(moment, date):
            held = [e for e in self.allocations if e["day"] <= moment]
        else:
            held = [e for e in self.allocations if e["time"] <= moment["time"]]
        return bool(held) and held[-1]["data"]["service"] == service

    def endings(self, service: str) -> list[Event]:
        """The closures by which an episode ended while a service held the case."""
        found = []
        is_open = True
        for end in self.ends:
            if end["type"] == "case.closed" and is_open and self.held_by(service, end):
                found.append(end)
            is_open = end["type"] == "case.reopened"
        return found

    def closures(self, service: str) -> list[date]:
        """The days on which an episode ended while a service held the case."""
        return [end["day"] for end in self.endings(service)]

    def is_held_open(self, service: str, day: date) -> bool:
        """Whether it is open at the end of a day and held by a service."""
        ends = [e for e in self.ends if e["day"] <= day]
        is_open = not ends or ends[-1]["type"] == "case.reopened"
        return is_open and self.held_by(service, day)

    def is_with(self, service: str, day: date) -> bool:
        """With a service on a day: open and held at its end, or an episode ended on it."""
        if day < self.received:
            return False
        return self.is_held_open(service, day) or day in self.closures(service)

    def ever_with(self, service: str, first: date, last: date) -> bool:
        """With a service on any day from the first to the last."""
        changes = {e["day"] for e in self.events if first < e["day"] <= last}
        return any(self.is_with(service, day) for day in (first, *sorted(changes)))


def casework(events: list[Event], as_of: date) -> list[Casework]:
    """Every case with a notification, from the events up to the as-of date."""
    by_case: dict[tuple[str, str], list[Event]] = {}
    for event in of_topic(events, CASES):
        if event["day"] <= as_of:
            by_case.setdefault((event["partitionkey"], event["subject"]), []).append(event)
    return [
        Casework(child, subject, of_case, as_of)
        for (child, subject), of_case in by_case.items()
        if any(event["type"] == "notification.received" for event in of_case)
    ]
