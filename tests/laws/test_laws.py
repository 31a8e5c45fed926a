"""What holds of any set of events, however it arrives: the figures are a function of the set."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import day_number
from processors.ledger.tables import ROW_DAYS, Cells, Stock, Tables, parts, together
from processors.record.decoding import Message, decode
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from schemas.places import Locality
from streams.kafka.eventfiles import EventLine
from tests.support.agreement import expected, parsed, rows_from_store, shown
from tests.support.arrivals import arrivals
from tests.support.durable import Worker, deliver
from tests.support.south_east import south_east_areas
from tests.support.strategies import CASES, SOUTH_EAST, History, histories, retraction_of

pytestmark = pytest.mark.long

CHILDREN = sorted({child for child, _ in CASES})


@pytest.fixture(scope="module")
def south_east() -> Rules:
    """The rules that ship, on the tree of areas of the histories."""
    return Rules(load_catalogue(), south_east_areas())


def folded(rules: Rules, lines: list[EventLine], topic: str = CASE_TOPIC) -> Worker:
    """A worker that has taken the lines of its topic as one batch, and stored what they make."""
    worker = Worker(rules, topic)
    worker.take(on_topic(lines, topic))
    worker.commit()
    return worker


def on_topic(lines: list[EventLine], topic: str) -> list[Message]:
    return [line.message for line in lines if topic in line.topics]


# A cell's slot, its locality and its band; cells differ in number from shard to shard.
Named = tuple[int, Locality, int]


def named(rules: Rules, cells: Cells) -> list[Named]:
    """What the keys of cells stand for."""
    columns = (column.tolist() for column in parts(cells))
    return [
        (slot, rules.localities.all[locality], band)
        for slot, locality, band in zip(*columns, strict=True)
    ]


def entries(rules: Rules, tables: Tables) -> dict[int, dict[tuple[Named, int], int]]:
    """The tables' entries by month, cell and day, those of nothing left out."""
    names = named(rules, tables.cells)
    found = {
        month: {
            (names[place // ROW_DAYS], place % ROW_DAYS): amount
            for place, amount in zip(of.places.tolist(), of.amounts.tolist(), strict=True)
            if amount
        }
        for month, of in tables.entries.items()
    }
    return {month: of for month, of in found.items() if of}


def checkpoints(rules: Rules, tables: Tables) -> dict[int, dict[Named, int]]:
    """Each month's checkpoint by cell, cells that hold nothing left out."""
    names = named(rules, tables.cells)
    return {
        month: {names[cell]: amount for cell, amount in enumerate(sums.tolist()) if amount}
        for month, sums in tables.checkpoints.items()
    }


def added_up(rules: Rules, tables: Tables) -> dict[int, dict[Named, int]]:
    """Each month's checkpoint, worked out entry by entry from all the months before it."""
    stock: Counter[Named] = Counter()
    found = {}
    by_month = entries(rules, tables)
    for month in sorted(tables.entries):
        found[month] = {cell: amount for cell, amount in stock.items() if amount}
        for (cell, _), amount in by_month.get(month, {}).items():
            stock[cell] += amount
    return found


def held(rules: Rules, stock: Stock) -> dict[Named, int]:
    """What each cell of a stock holds, cells that hold nothing left out."""
    amounts: Counter[Named] = Counter()
    for cell, amount in zip(named(rules, stock.cells), stock.amounts.tolist(), strict=True):
        amounts[cell] += amount
    return {cell: amount for cell, amount in amounts.items() if amount}


@settings(max_examples=100)
@given(st.data(), histories())
def test_any_arrival_of_any_events_gives_the_scorecard_of_brute_force(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    cases, estimates = Worker(south_east, CASE_TOPIC), Worker(south_east, REFERENCE_TOPIC)
    arrived = data.draw(arrivals(history.lines))
    for worker in (cases, estimates):
        deliver(worker, arrived)
    events = parsed(history.lines)
    for day in history.dates:
        rows = rows_from_store(south_east, [cases, estimates], day)
        assert shown(rows) == expected(events, day, SOUTH_EAST)


@settings(max_examples=30)
@given(st.data(), histories())
def test_tables_after_any_arrival_are_those_of_one_batch_in_memory_and_in_the_store(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    worker, at_once = Worker(south_east, CASE_TOPIC), folded(south_east, history.lines)
    deliver(worker, data.draw(arrivals(history.lines)))
    in_memory, stored = worker.state.tables, worker.stored_tables()
    assert in_memory.cells.tolist() == stored.cells.tolist()
    assert len(set(stored.cells.tolist())) == len(stored.cells)
    of_all = [entries(south_east, it) for it in (in_memory, stored, at_once.state.tables)]
    assert of_all[0] == of_all[1] == of_all[2]
    assert in_memory.months == stored.months == sorted(stored.checkpoints)
    for tables in (in_memory, stored, at_once.state.tables):
        assert checkpoints(south_east, tables) == added_up(south_east, tables)


@settings(max_examples=30)
@given(st.data(), histories())
def test_children_spread_over_partitions_add_up_to_one_partition(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    lines = [line for line in history.lines if CASE_TOPIC in line.topics]
    partition = {child.encode(): data.draw(st.integers(0, 2)) for child in [*CHILDREN, "A", "B"]}
    workers = [
        folded(south_east, [line for line in lines if partition[line.message[0] or b""] == number])
        for number in range(3)
    ]
    whole = folded(south_east, lines)
    for day in map(day_number, history.dates):
        together_hold = together([worker.stock(day) for worker in workers])
        assert held(south_east, together_hold) == held(south_east, whole.stock(day))


@settings(max_examples=30)
@given(st.data(), histories())
def test_what_is_known_already_changes_nothing_and_stores_nothing(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    worker = folded(south_east, history.lines)
    messages = data.draw(st.permutations(on_topic(history.lines, CASE_TOPIC)))
    assert worker.take(messages) == len(messages)
    settlement = worker.commit()
    assert settlement.records == {}
    assert (settlement.touched.entries, settlement.touched.checkpoints) == ({}, {})
    assert settlement.touched.begun == []
    assert settlement.touched.known == len(worker.state.tables.cells)


@settings(max_examples=30)
@given(st.data(), histories())
def test_retracting_everything_before_or_after_leaves_nothing(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    retractions = [retraction_of(line) for line in history.lines]
    worker = Worker(south_east, CASE_TOPIC)
    deliver(worker, data.draw(arrivals(history.lines + retractions)))
    assert entries(south_east, worker.stored_tables()) == {}


@settings(max_examples=40)
@given(histories())
def test_a_record_is_the_same_after_its_encoding_is_read_back(
    south_east: Rules, history: History
) -> None:
    records: dict[str, Record] = {}
    for child, event in decode(CASE_TOPIC, on_topic(history.lines, CASE_TOPIC)).events:
        records.setdefault(child, Record()).apply(event, south_east.make_row)
    for record in records.values():
        again = decode_record(record.encode(), south_east.make_row)
        assert list(again.events) == list(record.events)
        assert again.retracted == record.retracted
        assert {case: rows for case, rows in again.cases.items() if rows} == {
            case: rows for case, rows in record.cases.items() if rows
        }
        assert again.settle() == {}
