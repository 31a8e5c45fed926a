"""The two published scorecards as they are printed: rows copied into tests/data/printed."""

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

PRINTED = Path(__file__).parents[1] / "data" / "printed"
MONTHS = ("2016-12", "2017-01", "2017-02", "2017-03", "2017-04", "2017-05", "2017-06")
# Where a whole is printed beside its parts: what the parts' blocks begin with, and the whole's.
WHOLES = {
    "Family Support Service - Project Salus": (
        "Family Support Service - Project Salus North & West"
    ),
    "Family Support Service - Porchlight": "Family Support Service - Porchlight South & East",
    "NEET Support - CXK": "NEET Support - CXK Kent",
    "Young Carers - Imago": "Young Carers - Imago Kent",
}


PROVIDERS = ("Project Salus", "Porchlight", "CXK", "Imago")
DISTRICTS = (
    *("Ashford", "Canterbury", "Dartford", "Dover", "Gravesham", "Maidstone", "Sevenoaks"),
    *("Shepway", "Tunbridge Wells"),
)


class Printed(NamedTuple):
    """A row of June 2017: its block and code, its months, and what is printed beside them."""

    block: str
    code: str
    frequency: str
    months: tuple[Fraction | None, ...]
    arrow: str
    rag: str
    targets: tuple[Fraction, ...]

    @property
    def value(self) -> Fraction | None:
        """June's figure; of what is printed once a year, the latest."""
        if self.frequency == "A":
            return next((it for it in reversed(self.months) if it is not None), None)
        return self.months[-1]


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a published file."""
    with (PRINTED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def june_2017() -> list[Printed]:
    """Every row of the commissioned services' scorecard of June 2017."""
    return [
        Printed(
            block=row["group"],
            code="EH21@2017" if row["code"] == "EH21" else row["code"],
            frequency=row["freq"],
            months=tuple(number(row[month]) for month in MONTHS),
            arrow=row["dot"],
            rag=row["rag"],
            targets=tuple(number(it) or Fraction(0) for it in row["targets"].split("|") if it),
        )
        for row in rows("commissioned-2017-06.csv")
    ]


def with_parts_of_nothing(printed: Sequence[Printed]) -> list[Printed]:
    """The rows, with 0 where a part is blank of which the whole has 0.

    A whole's count is its parts' counts added up, so of a whole that has none no part has any.
    """
    wholes = {(row.block, row.code): row.value for row in printed}

    def whole_of(row: Printed) -> Fraction | None:
        found = (whole for start, whole in WHOLES.items() if row.block.startswith(start))
        return wholes.get((next(found, ""), row.code))

    return [
        row._replace(months=(*row.months[:-1], Fraction(0)))
        if row.value is None and whole_of(row) == 0
        else row
        for row in printed
    ]


def place_of(block: str) -> str:
    """What the catalogue calls the place of a block of June 2017."""
    kind, _, name = block.partition(" - ")
    if kind == "Children's Centres":
        return name.split(" - ")[-1]
    if kind == "Youth Services":
        district = next(it for it in DISTRICTS if name.startswith(it))
        return f"{district} Youth Hub"
    provider = next(it for it in PROVIDERS if name.startswith(it))
    area = name.removeprefix(provider).strip().split(" - ")[-1].replace(" & ", " and ")
    short = provider.removeprefix("Project ")
    return short if area in {"North and West", "South and East", "Kent"} else f"{short} / {area}"


def number(text: str) -> Fraction | None:
    """A number as it is printed, whatever is beside it; None for a blank."""
    digits = text.strip().lstrip("<>*").strip().rstrip("%").replace(",", "")
    return Fraction(digits) if digits else None
