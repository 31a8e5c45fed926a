"""Numerators and denominators of part A, going through every case for every figure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

from tests.reference.cases import Case, cases
from tests.reference.dates import age_band, back
from tests.reference.identity import in_order, known
from tests.reference.messages import BANDS, Event

Areas = Mapping[str, Mapping[str, tuple[str, ...]]]
Cell = tuple[str, str, str]
Figures = dict[Cell, tuple[int, int]]

KENT: Areas = {
    "Kent": {
        "North": ("Dartford", "Gravesham", "Sevenoaks"),
        "East": ("Canterbury", "Swale", "Thanet"),
        "South": ("Ashford", "Dover", "Shepway"),
        "West": ("Maidstone", "Tonbridge and Malling", "Tunbridge Wells"),
    }
}

NOT_A_NEW_CASE = ("Existing TAF", "SCS", "CDT")
NOT_AN_OUTCOME = ("re-opened", "Closure - Open to Early Help", "Moved Out of Kent")

COUNTS = ("EH01", "EH03", "EH04", "EH05", "EH06", "EH07", "EH13", "EH15", "EH17")
AVERAGES = ("EH10", "EH11", "EH12")


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

    for case in cases(facts, as_of):
        for code, band, numerator, denominator in entries(case, as_of):
            add(code, case.district, band, numerator, denominator)
    _add_rates(figures, facts, as_of, areas)
    return {cell: value for cell, value in figures.items() if value != (0, 0)}


def entries(case: Case, as_of: date) -> list[tuple[str, str, int, int]]:
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
    (time, source, id), then the greatest.
    """
    population: dict[tuple[str, str], int] = {}
    published = [
        e
        for e in facts
        if e["type"] == "population.published"
        and e["day"] <= as_of
        and e["data"]["year"] <= as_of.year
    ]

    def rank(event: Event) -> tuple[int, tuple[datetime, str, str], int]:
        return event["data"]["year"], in_order(event), event["data"]["count"]

    for event in sorted(published, key=rank):
        population[event["data"]["area"], event["data"]["age_band"]] = event["data"]["count"]
    for area in _names(areas):
        for band in (*BANDS, "unknown"):
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
