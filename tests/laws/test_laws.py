"""What holds of any set of events, however it arrives: the figures are a function of the set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import day_number
from processors.ledger.tables import Tables
from processors.record.decoding import Message, decode
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from streams.kafka.eventfiles import Line
from tests.support.agreement import expected, parsed, rows_from_store, shown
from tests.support.arrivals import arrivals
from tests.support.durable import Worker, deliver
from tests.support.south_east import south_east_areas
from tests.support.strategies import CASES, SOUTH_EAST, History, histories, retraction_of

CHILDREN = sorted({child for child, _ in CASES})


@pytest.fixture(scope="module")
def south_east() -> Rules:
    """The rules that ship, on the tree of areas of the histories."""
    return Rules(load_catalogue(), south_east_areas())


def folded(rules: Rules, lines: list[Line], topic: str = CASE_TOPIC) -> Worker:
    """A worker that has taken the lines of its topic as one batch, and stored what they make."""
    worker = Worker(rules, topic)
    worker.take(on_topic(lines, topic))
    worker.commit()
    return worker


def on_topic(lines: list[Line], topic: str) -> list[Message]:
    return [line.message for line in lines if topic in line.topics]


def entries(tables: Tables) -> dict[int, list[list[int]]]:
    """The tables' entries by month, months without any left out."""
    return {month: rows.tolist() for month, rows in tables.entries.items() if rows.any()}


def added_up(tables: Tables) -> dict[int, list[int]]:
    """Each month's checkpoint, worked out entry by entry from all the months before it."""
    stock = [0] * tables.shape.cells
    checkpoints = {}
    for month in sorted(tables.entries):
        checkpoints[month] = list(stock)
        for cell, day in np.argwhere(tables.entries[month]).tolist():
            stock[cell] += int(tables.entries[month][cell, day])
    return checkpoints


@settings(max_examples=150)
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
        rows = rows_from_store(south_east, [cases], estimates, day)
        assert shown(rows) == expected(events, day, SOUTH_EAST)


@settings(max_examples=30)
@given(st.data(), histories())
def test_tables_after_any_arrival_are_those_of_one_batch_in_memory_and_in_the_store(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    worker, at_once = Worker(south_east, CASE_TOPIC), folded(south_east, history.lines)
    deliver(worker, data.draw(arrivals(history.lines)))
    in_memory, stored = worker.state.tables, worker.stored_tables()
    assert entries(in_memory) == entries(stored) == entries(at_once.state.tables)
    assert in_memory.months == stored.months == sorted(stored.checkpoints)
    for tables in (in_memory, stored, at_once.state.tables):
        checkpoints = {month: sums.tolist() for month, sums in tables.checkpoints.items()}
        assert checkpoints == added_up(tables)


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
        parts = np.sum([worker.stock(day) for worker in workers], axis=0)
        assert parts.tolist() == whole.stock(day).tolist()


@settings(max_examples=30)
@given(st.data(), histories())
def test_what_is_known_already_changes_nothing_and_stores_nothing(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    worker = folded(south_east, history.lines)
    messages = data.draw(st.permutations(on_topic(history.lines, CASE_TOPIC)))
    assert worker.take(messages) == len(messages)
    settlement = worker.commit()
    assert (settlement.records, settlement.touched.rows) == ({}, {})
    assert settlement.touched.checkpoints == set()


@settings(max_examples=30)
@given(st.data(), histories())
def test_retracting_everything_before_or_after_leaves_nothing(
    south_east: Rules, data: st.DataObject, history: History
) -> None:
    retractions = [retraction_of(line) for line in history.lines]
    worker = Worker(south_east, CASE_TOPIC)
    deliver(worker, data.draw(arrivals(history.lines + retractions)))
    assert entries(worker.stored_tables()) == {}


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
