"""The published scorecard of June 2017 beside a streamed one: figures, arrows and ratings.

The printed rows (`published.csv`) are facts of the publication: what is printed of April, May and
June of a provider, a provider's area or district, a children's centre or a youth hub. Some have no
events that give them beside the others: they are in `exceptions.toml`, each with its reason.
"""

import csv
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from schemas.catalogue import ALL_AGES, shipped_indicators
from schemas.scorecard import ScorecardRow

FOLDER = "streams.june"
MONTH_ENDS = (date(2017, 4, 30), date(2017, 5, 31), date(2017, 6, 30))
JUNE = MONTH_ENDS[-1]
UNEXPLAINED = "not explained: the streamed scorecard differs from the printed one"
ARROWS = {"better": "up", "worse": "down", "same": "level", None: ""}
FIGURE, ARROW, RATING = "figure", "arrow", "rating"

Key = tuple[str, str, str]
"""Block, code, and a month such as `2017-06`, or `arrow` or `rating`."""
Rows = Mapping[date, Iterable[ScorecardRow]]


@dataclass(frozen=True)
class PrintedRow:
    """A printed row: its block and code, the place it is of, and what is printed there."""

    block: str
    code: str
    level: str
    place: str
    figures: tuple[str, ...]
    arrow: str
    rag: str


@dataclass(frozen=True)
class RowDifference:
    """Something printed that the streamed scorecard does not show, and why not."""

    key: Key
    printed: str
    streamed: str
    reason: str


@dataclass(frozen=True)
class RowsCompared:
    """How much was compared, and what differs."""

    figures: int
    arrows: int
    ratings: int
    different: tuple[RowDifference, ...]

    def differing(self, what: str) -> int:
        """How many figures, arrows or ratings differ."""
        return sum(_kind(it.key) == what for it in self.different)

    @property
    def unexplained(self) -> tuple[RowDifference, ...]:
        """What differs and is not known to."""
        return tuple(it for it in self.different if it.reason == UNEXPLAINED)


def load_printed() -> list[PrintedRow]:
    """The rows as they are printed, block by block."""
    with (files(FOLDER) / "published.csv").open(encoding="utf-8") as lines:
        return [
            PrintedRow(
                row["block"],
                row["code"],
                row["level"],
                row["place"],
                tuple(row[f"{day:%Y-%m}"] for day in MONTH_ENDS),
                row["arrow"],
                row["rag"],
            )
            for row in csv.DictReader(lines)
        ]


def load_reasons() -> dict[Key, str]:
    """Why what is known to differ does."""
    text = (files(FOLDER) / "exceptions.toml").read_text(encoding="utf-8")
    return {
        (it["block"], it["code"], it["of"]): it["reason"]
        for it in tomllib.loads(text).get("exception", ())
    }


def compare(rows: Rows, printed: Iterable[PrintedRow], reasons: Mapping[Key, str]) -> RowsCompared:
    """Set the scorecards of the three month ends beside what is printed of them."""
    printed = list(printed)
    by_month = {
        day: {(it.code, it.level, it.area): it for it in of_day if it.age_band == ALL_AGES}
        for day, of_day in rows.items()
    }
    different = []
    figures = arrows = ratings = 0
    for it in printed:
        place = it.code, it.level, it.place
        for day, text in zip(MONTH_ENDS, it.figures, strict=True):
            if text:
                figures += 1
                streamed = as_printed(it.code, text, by_month[day].get(place))
                different += _unlike((it.block, it.code, f"{day:%Y-%m}"), text, streamed, reasons)
        row = by_month[JUNE].get(place)
        if it.arrow:
            arrows += 1
            streamed = ARROWS.get(row.direction if row else None, "")
            different += _unlike((it.block, it.code, ARROW), it.arrow, streamed, reasons)
        if it.rag:
            ratings += 1
            streamed = (row.rag if row else None) or ""
            different += _unlike((it.block, it.code, RATING), it.rag, streamed, reasons)
    return RowsCompared(figures, arrows, ratings, tuple(different))


def as_printed(code: str, text: str, row: ScorecardRow | None) -> str:
    """A streamed figure in the form of the printed one; blank where there is none."""
    if row is None or row.value is None:
        return ""
    if shipped_indicators()[code].unit == "ratio":
        # Printed without decimals, half up, from the exact figure.
        above, below = row.numerator or 0, row.denominator or 0
        value = int((2 * above + below) // (2 * below)) if below else 0
        return str(value)
    if float(text) == row.value:
        return text
    return f"{row.value}"


def _unlike(
    key: Key, printed: str, streamed: str, reasons: Mapping[Key, str]
) -> list[RowDifference]:
    if printed == streamed:
        return []
    return [RowDifference(key, printed, streamed, reasons.get(key, UNEXPLAINED))]


def _kind(key: Key) -> str:
    return key[2] if key[2] in (ARROW, RATING) else FIGURE
