"""Data quality as indicators: how many cases lack something, of how many (docs/events.md).

Odd facts (quality.py) name the events behind; these say how much of a provider's cases they are.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from processors.days.calendar import day_number
from processors.record.decoding import Event, in_order
from processors.record.quality import CASE_TYPES, MILESTONES, NOTIFIED

ALLOCATED = "case.allocated"


class Lack(StrEnum):
    """What a case may lack."""

    IMPOSSIBLE_DATES = "impossible-dates"
    NO_DATE_OF_BIRTH = "no-date-of-birth"
    UNKNOWN_DISTRICT = "unknown-district"
    NEVER_ALLOCATED = "never-allocated"
    NO_NOTIFICATION = "no-notification"


# What each is of, and what it counts.
COUNTS = {
    Lack.IMPOSSIBLE_DATES: (
        "cases with a milestone or closure before the notification, or a birth after it"
    ),
    Lack.NO_DATE_OF_BIRTH: "cases whose first notification has no date of birth",
    Lack.UNKNOWN_DISTRICT: "cases whose first notification has no district of the tree of areas",
    Lack.NEVER_ALLOCATED: "notified cases that no service was ever given",
    Lack.NO_NOTIFICATION: "cases with events and no notification",
}


class Completeness(NamedTuple):
    """How many of a provider's cases lack something; of all, the provider is empty.

    `provider` is that of the latest allocation.
    """

    lack: Lack
    provider: str
    numerator: int
    denominator: int


class CaseLacks(NamedTuple):
    """Whose a case is, and what it lacks and does not, of what it can be asked."""

    provider: str
    asked: tuple[tuple[Lack, bool], ...]


def cases_lack(events: Iterable[Event], leaves: Collection[str], today: int) -> list[CaseLacks]:
    """What each case among one child's events lacks, as it stands on a day.

    `leaves` are the districts of the tree of areas. Events dated later do not exist yet.
    """
    cases: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.type in CASE_TYPES and event.day <= today:
            cases[event.subject].append(event)
    ordered = [in_order(known) for known in cases.values()]
    return [CaseLacks(_provider(it), tuple(_answers(it, leaves))) for it in ordered]


class Tally:
    """Cases added up, of which some may be taken out again."""

    def __init__(self) -> None:
        self._lacking: Counter[tuple[Lack, str]] = Counter()
        self._asked: Counter[tuple[Lack, str]] = Counter()

    def copy(self) -> "Tally":
        """The same, which changes apart."""
        made = Tally()
        made.add_all(self)
        return made

    def add(self, case: CaseLacks, times: int = 1) -> None:
        """Add a case; so many `times`, which are -1 for one that is taken out."""
        for lack, lacks in case.asked:
            for of in {"", case.provider}:
                self._asked[lack, of] += times
                self._lacking[lack, of] += times * lacks

    def add_all(self, other: "Tally") -> None:
        """Add what was added up elsewhere."""
        self._lacking.update(other._lacking)
        self._asked.update(other._asked)

    def found(self) -> list[Completeness]:
        """Everything that was asked, of all first and then by provider."""
        return [
            Completeness(lack, provider, self._lacking[lack, provider], asked)
            for (lack, provider), asked in sorted(self._asked.items())
            if asked
        ]


def _answers(events: list[Event], leaves: Collection[str]) -> Iterator[tuple[Lack, bool]]:
    """What a case lacks and what it does not, of what it can be asked."""
    notifications = [event for event in events if event.type == NOTIFIED]
    yield Lack.NO_NOTIFICATION, not notifications
    if notifications:
        first = notifications[0]
        born = first.data.get("date_of_birth")
        is_born_later = born is not None and day_number(date.fromisoformat(born)) > first.day
        is_before = any(it.type in MILESTONES and it.day < first.day for it in events)
        yield Lack.IMPOSSIBLE_DATES, is_before or is_born_later
        yield Lack.NO_DATE_OF_BIRTH, born is None
        yield Lack.UNKNOWN_DISTRICT, first.data.get("district") not in leaves
        yield Lack.NEVER_ALLOCATED, all(it.type != ALLOCATED for it in events)


def _provider(events: list[Event]) -> str:
    allocations = [event for event in events if event.type == ALLOCATED]
    return allocations[-1].data.get("provider", "") if allocations else ""
