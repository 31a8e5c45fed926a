"""Make the social care of October 2015: `python -m examples.october_2015.social_care ROWS`.

ROWS is the published file by area (tests/data/printed/ehps-2015-10-areas.csv). What is printed of
SCS01 to SCS05 are stocks and flows that add up, so no solver is needed: openings and closings are
shared out over the months so that every printed figure and the one before come out, and populations
are chosen so that the rates do, within what EH02 leaves open.
"""

import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import activity

SHIPPED = Path(__file__).parents[2] / "streams" / "october"
EVENTS, CELLS = "social_care.jsonl.gz", "social_care.csv"
CODES = ("SCS01", "SCS02", "SCS03", "SCS04", "SCS05")
SOURCE = "urn:caseline:october-2015:social-care"
COUNTY, NOWHERE = "Kent", ""
# Openings before any window; in the month that leaves it; in the months between; and the last two.
BEFORE, LEAVING, BETWEEN = date(2014, 6, 2), date(2014, 10, 1), date(2014, 11, 3)
SEPTEMBER, OCTOBER = date(2015, 9, 1), date(2015, 10, 1)
DAYS_BETWEEN = 280
# When the first openings of children are who come again after the middle of March.
FIRSTS = date(2014, 11, 1), date(2015, 2, 15)
AGAIN = date(2015, 3, 16)
PUBLISHED = date(2015, 6, 26)
OPEN_DAYS = 20
# Children under 5 in both months; and one who turns 5 between September's end and October's.
BORN_YOUNG, BORN_TURNING_5 = date(2012, 5, 1), date(2010, 10, 15)

Data = dict[str, Any]


@dataclass
class Flows:
    """What opens and closes in a district, or in none."""

    district: str
    leaving: int
    between: int
    september: int
    october: int
    open_in_august: int
    closed_in_september: int
    closed_in_october: int


@dataclass
class Case:
    """A case from when it opens to when it closes, if it does, and what it closes as."""

    child: str
    district: str
    opened: date
    closed: date | None = None
    reason: str = "assessed"
    born: date = field(default=date(2007, 3, 1))


class Rows:
    """What is printed, by code and area."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            self._rows = {(row["code"], row["area"]): row for row in csv.DictReader(file)}
        self.areas = list(dict.fromkeys(area for _, area in self._rows))
        self.districts = self.areas[5:]

    def of(self, code: str, area: str) -> tuple[Fraction, Fraction]:
        """October's figure and September's."""
        row = self._rows[code, area]
        return _number(row["overall"]), _number(row["previous"])

    def printed(self) -> Iterator[tuple[str, ...]]:
        """The cells that a comparison is of."""
        for code in CODES:
            for area in self.areas:
                row = self._rows[code, area]
                if row["overall"]:
                    yield code, area, row["overall"], row["previous"], row["dot"], ""


def _number(text: str) -> Fraction:
    return Fraction(text.rstrip("%").replace(",", ""))


def rounded(scale: int, above: int, below: int) -> Fraction:
    """A rate as it is printed: to one decimal, half up."""
    return Fraction((20 * scale * above + below) // (2 * below), 10)


def populations(rows: Rows) -> dict[str, int]:
    """Of each area with a rate, the people that give EH02 as printed, and SCS02 if any do."""
    found = {}
    for area in [COUNTY, *rows.districts]:
        notified, rates = rows.of("EH01", area), rows.of("EH02", area)
        middle = int(10_000 * notified[0] / rates[0])
        of_month = [
            {
                people
                for people in range(middle * 98 // 100, middle * 102 // 100)
                if rounded(10_000, int(n), people) == rate
            }
            for n, rate in zip(notified, rates, strict=True)
        ]
        # September's rate of the county contradicts October's; October's is kept.
        fitting = sorted(of_month[0] & of_month[1] or of_month[0])
        wanted = rows.of("SCS02", area)
        of_october = [people for people in fitting if openings(people, wanted[0])]
        of_both = [people for people in of_october if openings(people, wanted[1])]
        best = of_both or of_october or fitting
        found[area] = best[0]
    return found


def openings(people: int, rate: Fraction) -> int | None:
    """How many openings of so many people print as a rate; None if no number does."""
    near = int(rate * people / 10_000)
    return next((it for it in (near, near + 1) if rounded(10_000, it, people) == rate), None)


def flows(rows: Rows, people: dict[str, int]) -> list[Flows]:
    """What opens and closes in each district, and the rest of the county's in none."""
    found = []
    now, before = rows.of("SCS01", COUNTY)
    closed = rows.of("SCS04", COUNTY)
    wanted = [_nearest(people[COUNTY], rate) for rate in rows.of("SCS02", COUNTY)]
    opened_in_october = int(now - before + closed[0])
    totals = [*wanted, opened_in_october, opened_in_october, int(now), int(before)]
    totals += [int(closed[1]), int(closed[0])]
    parts = [[0] * 8]
    for district in rows.districts:
        is_open = rows.of("SCS01", district)
        of_year = [_nearest(people[district], rate) for rate in rows.of("SCS02", district)]
        monthly = max(int(is_open[0] - is_open[1]), of_year[0] // 14)
        closed_then = int(is_open[1] + monthly - is_open[0])
        part = [*of_year, monthly, monthly, *map(int, is_open), monthly, closed_then]
        parts.append(part)
        found.append(_flows(district, part))
    rest = [total - sum(part[at] for part in parts) for at, total in enumerate(totals)]
    if min(rest) < 0:
        raise ValueError(f"the districts have more than the county: {rest}")
    return [*found, _flows(NOWHERE, rest)]


def _nearest(people: int, rate: Fraction) -> int:
    exact = openings(people, rate)
    return round(rate * people / 10_000) if exact is None else exact


def _flows(district: str, part: list[int]) -> Flows:
    year_now, year_before, september, october, now, before, closed_before, closed_now = part
    between = year_now - october - september
    it = Flows(
        district=district,
        leaving=year_before - between - september,
        between=between,
        september=september,
        october=october,
        open_in_august=before - september + closed_before,
        closed_in_september=closed_before,
        closed_in_october=closed_now,
    )
    assert now == before + october - closed_now, it
    assert min(it.leaving, it.between, it.open_in_august) >= 0, it
    return it


def cases(it: Flows) -> list[Case]:
    """The cases of a district, those that close soonest first within each month."""
    name = it.district or "nowhere"
    starts = [_spread(LEAVING, 30, it.leaving), _spread(BETWEEN, DAYS_BETWEEN, it.between)]
    earlier = [day for days in starts for day in days]
    missing = max(it.open_in_august - len(earlier), 0)
    opened = [*[BEFORE] * missing, *earlier]
    opened += [*_spread(SEPTEMBER, 28, it.september), *_spread(OCTOBER, 28, it.october)]
    found = [Case(f"scs-{name}-{number}", it.district, day) for number, day in enumerate(opened)]
    until_august = found[: missing + len(earlier)]
    shut = len(until_august) - it.open_in_august
    for case in until_august[:shut]:
        case.closed = case.opened + timedelta(days=OPEN_DAYS)
    still = found[shut:]
    for first, days, count in (
        (date(2015, 9, 30), 1, it.closed_in_september),
        (date(2015, 10, 29), 2, it.closed_in_october),
    ):
        for case, day in zip(still, _spread(first, days, count), strict=False):
            case.closed = day
        still = still[count:]
    return found


def _spread(first: date, days: int, count: int) -> list[date]:
    return [first + timedelta(days=number * days // count) for number in range(count)]


def come_again(found: list[Case], rows: Rows) -> None:
    """Make so many openings a child's second within 12 months that SCS03 comes out."""
    windows = [
        [it for it in found if first < it.opened <= last]
        for first, last in (
            (date(2014, 10, 31), date(2015, 10, 31)),
            (date(2014, 9, 30), date(2015, 9, 30)),
        )
    ]
    wanted = [
        round(share * len(window) / 100)
        for share, window in zip(rows.of("SCS03", COUNTY), windows, strict=True)
    ]
    in_october = [it for it in found if it.opened >= OCTOBER]
    in_both = [it for it in windows[0] if it.opened < OCTOBER and it.opened >= AGAIN]
    leaving = [it for it in found if LEAVING <= it.opened < date(2014, 11, 1)]
    of_october = len(in_october) // 5
    of_both = wanted[0] - of_october
    of_leaving = wanted[1] - of_both
    firsts = [it for it in found if it.closed and FIRSTS[0] <= it.opened <= FIRSTS[1]]
    more = [Case(f"scs-before-{number}", "", BEFORE) for number in range(of_leaving)]
    for first, second in zip(more, leaving, strict=False):
        first.closed = BEFORE + timedelta(days=OPEN_DAYS)
        first.district, second.child = second.district, first.child
    for again, count in ((in_october, of_october), (in_both, of_both)):
        pairs = _pairs(firsts, again)[:count]
        if len(pairs) < count:
            raise ValueError(f"{count} come again, and {len(pairs)} had closed in time")
        for first, second in pairs:
            second.child = first.child
            firsts.remove(first)
    found += more


def _pairs(firsts: Iterable[Case], again: Iterable[Case]) -> list[tuple[Case, Case]]:
    """Closed cases and later ones of the same district, each once."""
    waiting: dict[str, list[Case]] = {}
    for case in firsts:
        waiting.setdefault(case.district, []).append(case)
    return [(waiting[it.district].pop(), it) for it in again if waiting.get(it.district)]


def step_down(found: list[Case], rows: Rows) -> None:
    """Let so many closings be step-downs that SCS05 comes out."""
    for month, share in zip((10, 9), rows.of("SCS05", COUNTY), strict=True):
        closed = [
            it for it in found if it.closed and it.closed.replace(day=1) == date(2015, month, 1)
        ]
        for case in closed[: round(share * len(closed) / 100)]:
            case.reason = "step-down"


def make_young(found: list[Case], plan: Mapping[str, activity.Numbers]) -> None:
    """Let so many children with an open case be under 5 that EH30 comes out."""
    names = [it.child for it in found]
    once = {name for name, times in Counter(names).items() if times == 1}
    still = [it for it in found if it.child in once and it.closed is None]
    for place, numbers in plan.items():
        of_place = [it for it in still if it.district == place]
        before, now = numbers.care
        long, new = [it for it in of_place if it.opened < SEPTEMBER], max(now - before, 0)
        opened = [it for it in of_place if it.opened >= OCTOBER]
        young = [*long[:before], *opened[:new]]
        if len(young) < max(numbers.care):
            raise ValueError(f"{place}: too few open cases for {max(numbers.care)} under 5")
        for number, case in enumerate(young):
            case.child = activity.care_key(place, number)
            case.born = BORN_YOUNG if number < now or number >= before else BORN_TURNING_5


def lines(found: Iterable[Case], people: dict[str, int]) -> Iterator[str]:
    """The events of cases and populations, each a line."""
    for area, count in people.items():
        data = {"area": area, "age_band": "all", "year": 2015, "count": count}
        yield _line("population.published", f"{area} all", area, PUBLISHED, data)
    for number, case in enumerate(found):
        subject = f"scs-case-{number}"
        data = {"origin": "referral", "status": "cin", "date_of_birth": f"{case.born}"}
        data |= {"district": case.district} if case.district else {}
        yield _line("scs.opened", subject, case.child, case.opened, data)
        if case.closed:
            closing = {"reason": case.reason}
            yield _line("scs.closed", subject, case.child, case.closed, closing)


def _line(kind: str, subject: str, key: str, day: date, data: Data) -> str:
    event = {
        "specversion": "1.0",
        "id": f"{kind} {subject}",
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "partitionkey": key,
        "time": f"{day}T12:00:00Z",
        "data": data,
    }
    return json.dumps(event, separators=(",", ":"))


def made(rows: Rows) -> str:
    """The events of what is printed, as an event file has them."""
    people = populations(rows)
    found = [case for it in flows(rows, people) for case in cases(it)]
    come_again(found, rows)
    step_down(found, rows)
    make_young(found, activity.read_plan())
    return "".join(f"{line}\n" for line in lines(found, people))


def main() -> None:
    """Write the events, and the printed cells that they are to give."""
    rows = Rows(Path(sys.argv[1]))
    (SHIPPED / EVENTS).write_bytes(gzip.compress(made(rows).encode("utf-8"), mtime=0))
    with (SHIPPED / CELLS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        head = ("code", "area", "october", "september", "dot", "targets")
        writer.writerows([head, *rows.printed()])


if __name__ == "__main__":
    main()
