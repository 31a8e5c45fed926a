"""Case events as a county makes them: in rough order of time, some late, repeated or corrected."""

import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count, product

from schemas.areas import load_areas
from schemas.catalogue import BANDS

START = datetime(2015, 1, 1, tzinfo=UTC)
OUTCOMES = ("Outcomes achieved", "Disengaged", "Consent withdrawn", "Escalation to SCS")
TYPES = ("EHN", "Self referral", "CDT", "SCS step-down", "Existing TAF")
EVENTS_A_CASE = 4.66  # as the shares below make them, for choosing how many cases to make
REPEATED, CORRECTED, LATE = 0.02, 0.02, 0.05
CASES_A_CHILD = 1.25
# Children are drawn, so some have no case: of those that have one, each has this many events.
EVENTS_A_CHILD = 8.5

# When, key, value.
Arrival = tuple[datetime, bytes, bytes]


def case_events(events: int, *, years: float = 1.0, seed: int = 1) -> Iterator[tuple[bytes, bytes]]:
    """About `events` (key, value) messages over `years` of event time, in order of arrival.

    Cases are made in order of receipt, and nothing of a case arrives before its receipt: so only
    what has yet to arrive of the cases made so far is in memory, however many there are.
    """
    cases = int(events / EVENTS_A_CASE / (1 + REPEATED + CORRECTED))
    rng, length = random.Random(seed), timedelta(days=365 * years)
    order, waiting = count(), list[tuple[float, int, bytes, bytes]]()
    for received, arrivals in _cases(cases, length, rng):
        for at, key, value in arrivals:
            heappush(waiting, (at.timestamp(), next(order), key, value))
        while waiting and waiting[0][0] < received.timestamp():
            yield heappop(waiting)[2:]
    while waiting:
        yield heappop(waiting)[2:]


def new_event(number: int, time: datetime = START) -> tuple[bytes, bytes]:
    """A (key, value) message of a child and a case of its own for each number."""
    child = f"N{number}"
    event = {
        "specversion": "1.0",
        "id": f"n{number}",
        "source": "urn:bench",
        "type": "notification.received",
        "subject": f"N{number}",
        "time": time.isoformat(timespec="seconds"),
        "partitionkey": child,
        "data": {"notification_type": TYPES[0], "district": load_areas().leaves[0]},
    }
    return child.encode(), json.dumps(event, separators=(",", ":")).encode()


def population_events(years: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) messages of a population estimate a year for every area and age band."""
    for year, area, band in product(range(years), load_areas().names, BANDS):
        event = {
            "specversion": "1.0",
            "id": f"{area}-{band}-{START.year + year}",
            "source": "urn:bench",
            "type": "population.published",
            "subject": area,
            "time": START.replace(year=START.year + year).isoformat(timespec="seconds"),
            "partitionkey": area,
            "data": {
                "area": area,
                "age_band": band,
                "year": START.year + year,
                "count": 10_000,
            },
        }
        yield area.encode(), json.dumps(event, separators=(",", ":")).encode()


def _cases(
    cases: int, length: timedelta, rng: random.Random
) -> Iterator[tuple[datetime, list[Arrival]]]:
    """Each case's receipt, in order, and when what arrives."""
    districts = load_areas().leaves
    identities = count()
    children = max(1, int(cases / CASES_A_CHILD))
    for number, share in enumerate(sorted(rng.random() for _ in range(cases))):
        child = f"P{rng.randrange(children):07d}"
        received, arrivals = START + length * share, list[Arrival]()
        for day, event_type, data in _case(rng, districts):
            time = received + timedelta(days=day)
            event = {
                "specversion": "1.0",
                "id": f"e{next(identities)}",
                "source": "urn:bench",
                "type": event_type,
                "subject": f"C{number}",
                "time": time.isoformat(timespec="seconds"),
                "partitionkey": child,
                "data": data,
            }
            arrivals += _deliveries(rng, time, child, event)
        yield received, arrivals


def _case(rng: random.Random, districts: list[str]) -> Iterator[tuple[float, str, dict[str, str]]]:
    """(days after receipt, type, data) of a case's events."""
    born = START - timedelta(days=rng.randrange(365, 17 * 365))
    yield (
        0.0,
        "notification.received",
        {
            "notification_type": rng.choice(TYPES),
            "district": rng.choice(districts),
            "date_of_birth": born.date().isoformat(),
        },
    )
    yield rng.random(), "case.allocated", {"service": rng.choice(("unit", "unit", "other"))}
    contact = rng.expovariate(1 / 10)
    yield contact, "contact.made", {}
    plan = contact + rng.expovariate(1 / 20)
    if rng.random() < 0.8:
        yield plan, "plan.completed", {}
    if rng.random() < 0.8:
        closed = plan + rng.expovariate(1 / 90)
        yield closed, "case.closed", {"outcome": rng.choice(OUTCOMES)}
        if rng.random() < 0.05:
            yield closed + 10, "case.reopened", {}


def _deliveries(
    rng: random.Random, time: datetime, child: str, event: Mapping[str, object]
) -> Iterator[Arrival]:
    key, value = child.encode(), json.dumps(event, separators=(",", ":")).encode()
    arrival = time + timedelta(days=rng.expovariate(1 / 20) if rng.random() < LATE else 0)
    yield arrival, key, value
    if rng.random() < REPEATED:
        yield arrival + timedelta(hours=1), key, value
    if rng.random() < CORRECTED:
        corrected = json.dumps({**event, "revision": 1}, separators=(",", ":")).encode()
        yield arrival + timedelta(days=3), key, corrected
