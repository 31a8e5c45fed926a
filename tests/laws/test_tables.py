"""Tables and their encoding against adding up one entry after another."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.days.calendar import FIRST_DAY, LAST_DAY, calendar, day_number
from processors.ledger.entries import Entries
from processors.ledger.tables import ROW_DAYS, Shape, Tables
from streams.state.encoding import decode_checkpoint, decode_rows, encode_checkpoint, encode_rows

SHAPE = Shape(2, 3, 2)
DAYS = st.integers(day_number(date(2014, 11, 20)), day_number(date(2016, 3, 10)))
ENTRY = st.tuples(
    st.integers(0, SHAPE.slots - 1),
    st.integers(0, SHAPE.areas - 1),
    st.integers(0, SHAPE.bands - 1),
    DAYS | st.integers(FIRST_DAY, LAST_DAY),
    st.integers(-3, 3),
)
Batch = list[tuple[int, int, int, int, int]]
AMOUNTS = st.integers(-(2**31), 2**31 - 1)


def columns(batch: Batch) -> Entries:
    return Entries(*np.array(batch, dtype=np.int64).reshape(-1, 5).T)


def stock_by_hand(batches: list[Batch], day: int) -> NDArray[np.int64]:
    stock = np.zeros(SHAPE, dtype=np.int64)
    for slot, area, band, when, amount in (entry for batch in batches for entry in batch):
        if when <= day:
            stock[slot, area, band] += amount
    return stock


@given(st.lists(st.lists(ENTRY, max_size=12), max_size=5), st.lists(DAYS, min_size=1, max_size=5))
def test_a_stock_is_the_sum_of_all_entries_up_to_the_day(
    batches: list[Batch], days: list[int]
) -> None:
    tables = Tables(SHAPE)
    for batch in batches:
        tables.add(columns(batch), calendar())
    for day in [*days, FIRST_DAY, LAST_DAY]:
        assert tables.stock(day, calendar()).tolist() == stock_by_hand(batches, day).tolist()


@given(st.lists(ENTRY, max_size=12))
def test_entries_that_cancel_out_touch_no_row(batch: Batch) -> None:
    opposite = [(*entry[:4], -entry[4]) for entry in batch]
    assert Tables(SHAPE).add(columns(batch + opposite), calendar()).rows == {}


@settings(max_examples=20)
@given(st.data())
def test_more_months_at_once_than_are_worked_on_together_add_up(data: st.DataObject) -> None:
    batch = [
        (0, 0, 0, day, data.draw(st.integers(-2, 2)))
        for day in range(day_number(date(2000, 1, 15)), day_number(date(2013, 1, 1)), 30)
    ]
    tables = Tables(SHAPE)
    tables.add(columns(batch), calendar())
    for day in (0, day_number(date(2006, 6, 6)), LAST_DAY):
        assert tables.stock(day, calendar()).tolist() == stock_by_hand([batch], day).tolist()


@given(st.dictionaries(st.tuples(st.integers(0, 11), st.integers(0, 31)), AMOUNTS), st.data())
def test_rows_are_the_same_after_their_encoding_is_read_back(
    amounts: dict[tuple[int, int], int], data: st.DataObject
) -> None:
    month = np.zeros((SHAPE.cells, ROW_DAYS), dtype=np.int32)
    for position, amount in amounts.items():
        month[position] = amount
    cells = data.draw(st.lists(st.integers(0, SHAPE.cells - 1), unique=True, min_size=1))
    chosen = np.array(sorted(cells))
    stored = encode_rows(month, chosen)
    assert len(stored) == len(chosen)
    kept = np.zeros_like(month)
    kept[chosen] = month[chosen]
    assert decode_rows(stored.items(), SHAPE.cells).tolist() == kept.tolist()


def test_no_rows_are_an_empty_month() -> None:
    assert not decode_rows([], SHAPE.cells).any()


@given(st.lists(AMOUNTS, min_size=SHAPE.cells, max_size=SHAPE.cells))
def test_a_checkpoint_is_the_same_after_its_encoding_is_read_back(sums: list[int]) -> None:
    checkpoint = np.array(sums, dtype=np.int32)
    again = decode_checkpoint(encode_checkpoint(checkpoint))
    assert again.tolist() == sums
    again += 0  # it can be written to, as a worker does
