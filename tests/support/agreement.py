"""Whether a scorecard says what the brute-force evaluation of the same events says."""

from collections.abc import Collection, Iterable
from datetime import date
from fractions import Fraction

from processors.days.calendar import day_number, previous_month_end
from processors.figures.evaluate import AsOf, known
from processors.figures.scorecard_rows import scorecard
from processors.ledger.tables import together
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC
from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import EventLine
from tests.reference import COUNTS, KENT, Areas, Cell, Event, evaluate, parse, printed
from tests.support.durable import Worker

Pair = tuple[int, int]
# The codes that the evaluation of part A knows.
PART_A = frozenset(f"EH{number:02d}" for number in range(1, 21))
# Figures, value, previous value and direction of a cell.
Shown = tuple[tuple[int | float | None, int | float | None], str, str, str | None]


def parsed(lines: Iterable[EventLine]) -> list[Event]:
    """The events of valid lines."""
    found = [parse(line.message[1] or b"") for line in lines]
    assert None not in found
    return [event for event in found if event is not None]


def rows_from_store(
    rules: Rules, workers: Iterable[Worker], day: date, levels: Collection[str] = ()
) -> list[ScorecardRow]:
    """The scorecard as a reader makes it from what workers have stored, one of each group."""
    workers = list(workers)
    reference = [
        event
        for worker in workers
        if REFERENCE_TOPIC in worker.topics
        for record in worker.records.values()
        for event in decode_record(record, lambda _: b"").events
    ]

    def as_of(day: date) -> AsOf:
        stocks = [worker.stock(day_number(day)) for worker in workers]
        return known(rules, day, together(stocks), reference)

    return scorecard(rules, as_of(day), as_of(previous_month_end(day)), levels)


def expected(events: list[Event], day: date, areas: Areas = KENT) -> dict[Cell, Shown]:
    """What brute force says of the day and of a month before, cells that say nothing left out."""
    now, before = (evaluate(events, each, areas) for each in (day, previous_month_end(day)))
    return _telling(
        {
            cell: _shown(cell[0], now.get(cell, (0, 0)), before.get(cell, (0, 0)))
            for cell in now | before
        }
    )


def shown(rows: Iterable[ScorecardRow]) -> dict[Cell, Shown]:
    """What rows of part A say, cells that say nothing left out."""
    return _telling(
        {
            (row.code, row.area, row.age_band): (
                (row.numerator, row.denominator),
                _text(row.code, row.value),
                _text(row.code, row.previous),
                row.direction,
            )
            for row in rows
            if row.code in PART_A
        }
    )


def _telling(cells: dict[Cell, Shown]) -> dict[Cell, Shown]:
    empty = {code: _shown(code, (0, 0), (0, 0)) for code in {code for code, _, _ in cells}}
    return {cell: value for cell, value in cells.items() if value != empty[cell[0]]}


def _shown(code: str, now: Pair, before: Pair) -> Shown:
    return now, printed(code, *now), printed(code, *before), _direction(code, now, before)


def _direction(code: str, now: Pair, before: Pair) -> str | None:
    if code in COUNTS:
        now, before = (now[0], 1), (before[0], 1)
    if 0 in (now[1], before[1]):
        return None
    change = Fraction(*now) - Fraction(*before)
    return "up" if change > 0 else "down" if change < 0 else "level"


def _text(code: str, value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if code in COUNTS else f"{value:.1f}"
