"""Where each code was printed: a summary of the two published scorecards.

`python -m examples.indicator_pages.printed tests/data/printed` makes it from their rows.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

SUMMARY = Path(__file__).parent / "printed.csv"
OCTOBER_2015, TREND_2015, JUNE_2017 = (
    "ehps-2015-10-areas.csv",
    "ehps-2015-trend.csv",
    "commissioned-2017-06.csv",
)
# What the catalogue calls a code that both scorecards have, for different things.
RENAMED = {(JUNE_2017, "EH21"): "EH21@2017"}
COUNTY = "Kent"
COLUMNS = ("code", "file", "printed_as", "title", "figures", "places", "first_month", "last_month")


class Printing(NamedTuple):
    """A code as one file has it.

    `figures` is what was printed: figures, or that they are not available. `places` are those that
    have the code, with a figure if any has; the months are the first and last that have one.
    """

    code: str
    file: str
    printed_as: str
    title: str
    figures: str
    places: str
    first_month: str
    last_month: str


def summary(folder: Path) -> list[Printing]:
    """Every code of every file, in the order of print."""
    return [
        _printing(file, rows)
        for file in (OCTOBER_2015, TREND_2015, JUNE_2017)
        for rows in _by_code(folder / file)
    ]


def load() -> list[Printing]:
    """The summary that is kept beside this module."""
    with SUMMARY.open(encoding="utf-8", newline="") as file:
        return [Printing(**row) for row in csv.DictReader(file)]


def write(found: Iterable[Printing]) -> None:
    """Keep a summary beside this module."""
    with SUMMARY.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *found])


def _by_code(path: Path) -> Iterator[list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for code in dict.fromkeys(row["code"] for row in rows):
        yield [row for row in rows if row["code"] == code]


def _printing(file: str, rows: list[dict[str, str]]) -> Printing:
    code, months = rows[0]["code"], _months(rows)
    return Printing(
        code=RENAMED.get((file, code), code),
        file=file,
        printed_as=code,
        title=rows[0]["title"],
        figures="figures" if months else "not available",
        places="; ".join(_places(rows)),
        first_month=months[0] if months else "",
        last_month=months[-1] if months else "",
    )


def _places(rows: list[dict[str, str]]) -> list[str]:
    """The places of rows: an area, a provider's block, or the county alone."""
    with_figures = [row for row in rows if _months([row])]
    return [row.get("area") or row.get("group") or COUNTY for row in with_figures or rows]


def _months(rows: list[dict[str, str]]) -> list[str]:
    named = sorted(name for name in rows[0] if name[:2] == "20")
    if named:
        return [name for name in named if any(row[name] for row in rows)]
    return ["2015-09", "2015-10"] if any(row["overall"] for row in rows) else []


if __name__ == "__main__":
    write(summary(Path(sys.argv[1])))
