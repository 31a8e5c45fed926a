"""Part A at every kind of area, with re-referrals and returns to Specialist Children's Services."""

from datetime import date, timedelta

from tests.reference.casework import Casework
from tests.reference.dates import age_band, back
from tests.reference.figures import NOT_A_NEW_CASE, Areas, entries
from tests.reference.messages import BANDS, Event
from tests.reference.people import population
from tests.reference.places import Tally, areas_of
from tests.reference.topics import SCS, of_topic

DAY = timedelta(days=1)


def add_units(
    tally: Tally, facts: list[Event], cases: list[Casework], as_of: date, areas: Areas
) -> None:
    """EH01 to EH23, and EH21 of the 2017 family."""
    month = as_of.replace(day=1)
    april = date(as_of.year - (as_of.month < 4), 4, 1)
    by_child: dict[str, list[Casework]] = {}
    for case in cases:
        by_child.setdefault(case.child, []).append(case)

    for case in cases:
        spots = areas_of(case.district, areas)
        for code, band, numerator, denominator in entries(case, as_of):
            tally.add(code, spots, numerator, denominator, ("all", band))
        for event in case.notifications:
            day = event["day"]
            if any(word in event["data"]["notification_type"] for word in NOT_A_NEW_CASE):
                continue
            if day < april:
                continue
            bands = ("all", age_band(case.born, day))
            earlier = _earlier_unit_cases(case, day, by_child[case.child])
            same = [it for it in earlier if case.reason and it.reason == case.reason]
            if day >= month:
                tally.add("EH21", spots, bool(earlier), bool(earlier), bands)
                tally.add("EH22", spots, bool(same), 1, bands)
            tally.add("EH21@2017", spots, bool(earlier), 1)

    _add_returns(tally, facts, cases, month, areas)
    _add_rates(tally, facts, as_of, areas)


def _earlier_unit_cases(case: Casework, day: date, of_child: list[Casework]) -> list[Casework]:
    """The child's other cases with a unit at any time in the 12 months up to a day."""
    return [
        other
        for other in of_child
        if other is not case and other.ever_with("unit", back(day, 12) + DAY, day)
    ]


def _add_returns(
    tally: Tally, facts: list[Event], cases: list[Casework], month: date, areas: Areas
) -> None:
    """EH23."""
    openings: dict[str, list[date]] = {}
    for event in of_topic(facts, SCS):
        if event["type"] == "scs.opened":
            openings.setdefault(event["partitionkey"], []).append(event["day"])
    first = back(month, 12)
    after = back(month, 11)
    for case in cases:
        if case.is_unit and case.closed and first <= case.closed < after:
            c = case.closed
            returned = any(back(day, 12) < c <= day for day in openings.get(case.child, []))
            tally.add("EH23", areas_of(case.district, areas), returned, 1, ("all", case.band))


def _add_rates(tally: Tally, facts: list[Event], as_of: date, areas: Areas) -> None:
    """EH02: EH01 over the 0-18 population, or that of the band."""
    for spot in every_area(areas):
        for band in BANDS:
            new = tally.cells.get(("EH01", *spot, band))
            ages = "0-18" if band == "all" else band
            count = population(facts, as_of, spot[1], ages)
            tally.add("EH02", [spot], new.numerator if new else 0, count, (band,))


def every_area(areas: Areas) -> list[tuple[str, str]]:
    """Every county, area and district."""
    found = []
    for county, subtree in areas.items():
        found.append(("county", county))
        for area, districts in subtree.items():
            found.append(("area", area))
            found += [("district", district) for district in districts]
    return found
