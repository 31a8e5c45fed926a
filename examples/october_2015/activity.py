"""Make the activity of October 2015: `python -m examples.october_2015.activity ROWS`.

ROWS is the published file by area (tests/data/printed/ehps-2015-10-areas.csv). `participation` fits
the numbers; here they become registrations and attendances, a child or a young person each.
"""

import csv
import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path

from .geography import NOWHERE, PLACES, printed_areas
from .participation import COUNTS, MONTHS, SHARES, Contradicted, Fit, Pair
from .printed import OCTOBER, SEPTEMBER, Printed, PrintedCell, read_printed

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "streams" / "october"
PLAN, POPULATIONS = HERE / "participation.csv", HERE / "under_5s.csv"
EVENTS, CELLS = "activity.jsonl.gz", "activity.csv"
SOURCE = "urn:caseline:october-2015:activity"
# Rates of the two areas that are printed of each other's population.
CONTRADICTED: Contradicted = frozenset({("EH02", "North", OCTOBER), ("EH02", "East", OCTOBER)})
CENTRES = {
    "Canterbury": "Riverside",
    "Shepway": "Folkestone Early Years",
    "Swale": "Seashells",
    "Thanet": "Millmead",
}
CENTRES_ELSEWHERE = ("The Village Childrens Centre", "Hythe Bay")
HUBS_ELSEWHERE = "Ashford Youth Hub"
WITHOUT_HUB = ("Swale", "Thanet", "Tonbridge and Malling", NOWHERE)
PUBLISHED = "2015-06-27T09:30:00+01:00"
# Everybody is under 5, and young people are of any other age, from before August to November.
BORN, BIRTHDAYS = date(2011, 12, 1), 900
BORN_YOUNG, YOUNG_BIRTHDAYS = date(1999, 1, 1), 1_500
RECORDED, RECORDED_DAYS = date(2014, 8, 1), 330
# In September's 12 months and not in October's; in both.
LONG_AGO, EARLIER = date(2014, 10, 15), date(2015, 3, 10)
STARTS = {SEPTEMBER: date(2015, 9, 1), OCTOBER: date(2015, 10, 1)}
DAYS = 28

Line = tuple[str, str]
"""When it happens, and the event as JSON; sorted they are an event file."""


@dataclass
class Numbers:
    """What is fitted of a place: each September's and October's."""

    newly: Pair
    attending: Pair
    registered: Pair
    deprived: Pair
    reached: Pair
    care: Pair
    care_registered: Pair
    youth: Pair

    NAMES = ("EH24", "EH25", "EH26", "EH28", "EH29", "care", "EH30", "EH33")


@dataclass
class Child:
    """A child known to a centre, and the days on which it attends."""

    key: str
    recorded: date
    is_deprived: bool = False
    ended: date | None = None
    attended: list[date] = field(default_factory=list)


def children(place: str, it: Numbers) -> list[Child]:
    """The registered children of a district: the deprived, others, and those with a care case."""
    old = it.registered[0] - it.newly[0]
    found = [Child(_key(place, n), _spread(RECORDED, RECORDED_DAYS, n)) for n in range(old)]
    found += [
        Child(_key(place, old + n), _spread(STARTS[SEPTEMBER], DAYS, n)) for n in range(it.newly[0])
    ]
    new = [
        Child(_key(place, it.registered[0] + n), _spread(STARTS[OCTOBER], DAYS, n))
        for n in range(it.newly[1])
    ]
    for child in found[: it.deprived[0]]:
        child.is_deprived = True
    for number, child in enumerate(found[old - it.care_registered[0] : old]):
        child.key = care_key(place, number)
    rise, fall = max(it.deprived[1] - it.deprived[0], 0), max(it.deprived[0] - it.deprived[1], 0)
    for child in new[:rise]:
        child.is_deprived = True
    care_rise = max(it.care_registered[1] - it.care_registered[0], 0)
    care_fall = max(it.care_registered[0] - it.care_registered[1], 0)
    for number, child in enumerate(new[rise : rise + care_rise]):
        child.key = care_key(place, it.care_registered[0] + number)
    ended = it.registered[0] - it.registered[1] + it.newly[1]
    others = ended - fall - care_fall
    ending = found[it.deprived[0] - fall : it.deprived[0] + others]
    ending += found[old - care_fall : old]
    for number, child in enumerate(ending):
        child.ended = _spread(STARTS[OCTOBER], DAYS, number)
    _attend(found, it, others)
    return found + new


def _attend(found: list[Child], it: Numbers, ended_others: int) -> None:
    """Let so many attend in each month, and so many of the deprived in the 12 months up to it."""
    both = min(it.reached)
    regular = min(both, *it.attending)
    anew = max(it.reached[1] - it.reached[0], 0)
    others = found[it.deprived[0] + ended_others :]
    for number, child in enumerate(found[:both]):
        child.attended.append(
            _spread(STARTS[SEPTEMBER], DAYS, number) if number < regular else EARLIER
        )
    for child in found[both : it.reached[0]]:
        child.attended.append(LONG_AGO)
    october = [*found[both : both + anew], *found[: min(regular, it.attending[1] - anew)]]
    september = others[: it.attending[0] - regular]
    october += others[: it.attending[1] - len(october)]
    for month, group in ((SEPTEMBER, september), (OCTOBER, october)):
        for number, child in enumerate(group):
            child.attended.append(_spread(STARTS[month], DAYS, number))


def care_key(place: str, number: int) -> str:
    """The pseudonym of an under-5 with an open case in social care."""
    return f"young-{place or 'nowhere'}-{number}"


def lines(plan: Mapping[str, Numbers], populations: Mapping[tuple[str, str], int]) -> list[Line]:
    """The events of everything, in order of time."""
    found = [_published(area, group, count) for (area, group), count in populations.items()]
    elsewhere = cycle(CENTRES_ELSEWHERE)
    for place, numbers in plan.items():
        centre = CENTRES.get(place) or next(elsewhere)
        for number, child in enumerate(children(place, numbers)):
            found += _child(place, centre, number, child)
        found += _young(place, numbers.youth)
    return sorted(found)


def _child(place: str, centre: str, number: int, child: Child) -> Iterator[Line]:
    registration = f"registration {place} {number}"
    data: dict[str, object] = {"place": centre, "kind": "child", "active": True, "consent": True}
    if not child.key.startswith("young-"):
        data["date_of_birth"] = f"{_spread(BORN, BIRTHDAYS, number)}"
    if place:
        data["district"] = place
    if child.is_deprived:
        data["deprived_area"] = True
    yield _line("registration.recorded", registration, child.key, child.recorded, data)
    if child.ended:
        yield _line("registration.ended", registration, child.key, child.ended, {})
    for day in child.attended:
        yield _attended(centre, child.key, day, {})


def _young(place: str, youth: Pair) -> Iterator[Line]:
    hub = HUBS_ELSEWHERE if place in WITHOUT_HUB else f"{place} Youth Hub"
    for month, count in zip(MONTHS, youth, strict=True):
        for number in range(count):
            born = _spread(BORN_YOUNG, YOUNG_BIRTHDAYS, number)
            data = {"date_of_birth": f"{born}", "district": place}
            key = f"youth {place} {number}"
            yield _attended(hub, key, _spread(STARTS[month], DAYS, number), data)


def _attended(place: str, key: str, day: date, data: dict[str, str]) -> Line:
    session = f"{place} {day}"
    shown = {"place": place, "kind": "open-access", **data}
    return _line("session.attended", session, key, day, shown, f"{session} {key}")


def _published(area: str, group: str, count: int) -> Line:
    data: dict[str, object] = {"area": area, "age_band": "0-4", "year": 2015, "count": count}
    if group != "all":
        data["group"] = group
    subject = f"{area} 0-4 {group}"
    event = _event("population.published", subject, area, PUBLISHED, data, subject)
    return PUBLISHED, json.dumps(event, separators=(",", ":"))


def _line(
    kind: str, subject: str, key: str, day: date, data: Mapping[str, object], name: str = ""
) -> Line:
    when = f"{day}T11:00:00Z"
    event = _event(kind, subject, key, when, data, f"{kind} {name or subject}")
    return when, json.dumps(event, separators=(",", ":"))


def _event(
    kind: str, subject: str, key: str, when: str, data: Mapping[str, object], name: str
) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "partitionkey": key,
        "time": when,
        "data": data,
    }


def _key(place: str, number: int) -> str:
    return f"under-5 {place or 'nowhere'} {number}"


def _spread(first: date, days: int, number: int) -> date:
    return first + timedelta(days=number % days)


def read_plan() -> dict[str, Numbers]:
    """The numbers as they were fitted, by district and of those with none."""
    with PLAN.open(encoding="utf-8", newline="") as file:
        return {
            row["place"]: Numbers(
                *(
                    (int(row[f"{it} {SEPTEMBER}"]), int(row[f"{it} {OCTOBER}"]))
                    for it in Numbers.NAMES
                )
            )
            for row in csv.DictReader(file)
        }


def read_populations() -> dict[tuple[str, str], int]:
    """The under-5s of each area and group as they were fitted."""
    with POPULATIONS.open(encoding="utf-8", newline="") as file:
        return {(row["area"], row["group"]): int(row["count"]) for row in csv.DictReader(file)}


def made() -> str:
    """The events of the numbers, as an event file has them."""
    return "".join(f"{event}\n" for _, event in lines(read_plan(), read_populations()))


def cells_of(path: Path) -> Iterator[PrintedCell]:
    """The printed cells of activity in ROWS."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["code"] in COUNTS + SHARES:
                kind = "count" if row["code"] in COUNTS else "value"
                for month, name, dot in (
                    (OCTOBER, "overall", row["dot"]),
                    (SEPTEMBER, "previous", ""),
                ):
                    yield PrintedCell(row["code"], row["area"], "all", month, row[name], kind, dot)


def _fit(printed: Printed) -> None:
    fit = Fit(printed, CONTRADICTED)
    notified = {
        area: round(
            printed.cell("EH01", area, "all", OCTOBER).count
            * printed.cell("EH01", area, "0-4", OCTOBER).tenths
            / 1_000
        )
        for area in printed_areas()
    }
    fit.solve(notified)
    heads = [f"{name} {month}" for name in Numbers.NAMES for month in MONTHS]
    with PLAN.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["place", *heads])
        for place in PLACES:
            counts = [fit.found[name, place, month] for name in Numbers.NAMES for month in MONTHS]
            writer.writerow([place, *counts])
    with POPULATIONS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["area", "group", "count"])
        for group, counts_of in (("all", fit.under_5s), ("deprived", fit.deprived)):
            writer.writerows([area, group, count] for area, count in counts_of.items())


def main() -> None:
    """Fit the numbers; write them, the events, and the printed cells that they are to give."""
    cells = list(cells_of(Path(sys.argv[1])))
    _fit(Printed([*read_printed(SHIPPED / "published.csv").cells, *cells]))
    (SHIPPED / EVENTS).write_bytes(gzip.compress(made().encode("utf-8"), mtime=0))
    with (SHIPPED / CELLS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "area", "age_band", "as_of", "printed", "kind", "dot"])
        for it in cells:
            writer.writerow([it.code, it.area, it.band, it.as_of, it.printed, it.kind, it.dot])


if __name__ == "__main__":
    main()
