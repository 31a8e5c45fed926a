"""The printed rows of June 2017, by service and by place."""

import csv
from dataclasses import dataclass
from pathlib import Path

from examples.october_2015.geography import AREAS, DISTRICTS

MONTHS = ("2017-04", "2017-05", "2017-06")
# What a provider as a whole is printed as; an area alone is an area.
WHOLES = ("North & West", "South & East", "Kent")
CENTRES, HUBS = "Children's Centres", "Youth Services"
# The codes of the two scorecards that are not the same indicator.
RENAMED = {"EH21": "EH21@2017"}


@dataclass(frozen=True)
class Row:
    """A row: its block and code, where it is of, and what is printed of April to June."""

    block: str
    code: str
    level: str
    place: str
    figures: tuple[str, ...]
    arrow: str
    rag: str
    targets: tuple[str, ...]
    polarity: str

    @property
    def area(self) -> str:
        """The area or district of a provider's row, blank for the provider as a whole."""
        return self.place.partition(" / ")[2]


def read(path: Path) -> list[Row]:
    """Every row of the publication."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(it) for it in csv.DictReader(file)]


def _row(it: dict[str, str]) -> Row:
    code = RENAMED.get(it["code"], it["code"])
    level, place = place_of(it["group"])
    if code in RENAMED.values() and " / " in place:
        level, place = level.removeprefix("provider-"), place.partition(" / ")[2]
    return Row(
        block=it["group"],
        code=code,
        level=level,
        place=place,
        figures=tuple(it[month] for month in MONTHS),
        arrow=it["dot"],
        rag=it["rag"],
        targets=tuple(text.lstrip("<>") for text in it["targets"].split("|") if text),
        polarity=it["polarity"],
    )


def place_of(block: str) -> tuple[str, str]:
    """The level and the name of the place that a block is of.

    A block is `service - where`: for casework the provider, then an area, or an area and a
    district; for centres a district and the centre; for hubs a district, and then who runs the hub.
    """
    service, _, where = block.partition(" - ")
    if service == CENTRES:
        return "childrens-centre", where.rpartition(" - ")[2]
    if service == HUBS:
        district = next(it for it in DISTRICTS if where.startswith(it))
        return "youth-hub", f"{district} Youth Hub"
    head, _, district = where.partition(" - ")
    whole = next(it for it in (*WHOLES, *AREAS) if head.endswith(f" {it}"))
    provider = head.removesuffix(whole).strip().removeprefix("Project ")
    if district:
        return "provider-district", f"{provider} / {district.replace(' & ', ' and ')}"
    return ("provider", provider) if whole in WHOLES else ("provider-area", f"{provider} / {whole}")


def tenths(text: str) -> int:
    """A printed figure in tenths."""
    whole, _, part = text.partition(".")
    return int(whole) * 10 + int(part or 0)
