"""Tables and their encoding against adding up one entry after another."""

from collections import Counter
from datetime import date
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import processors.ledger.tables
from processors.days.calendar import FIRST_DAY, LAST_DAY, calendar, date_of, day_number
from processors.days.calendar import month_number as month_of
from processors.ledger.entries import Entries
from processors.ledger.tables import (
    BAND_BITS,
    LOCALITY_BITS,
    Month,
    Stock,
    Tables,
    keys,
    parts,
    together,
)
from processors.record.localities import MOST_LOCALITIES, Localities
from schemas.areas import load_areas
from schemas.places import NOWHERE, Locality, Place, PlaceGraph
from streams.state.encoding import (
    CELLS_AT_ONCE,
    CHANGE,
    NewCells,
    checkpoint_changes,
    decode_cells,
    decode_checkpoint,
    decode_locality,
    decode_month,
    encode_added,
    encode_cells,
    encode_checkpoint,
    encode_locality,
    encode_month,
)
from tests.support.memorystore import with_cells_set

SLOTS, LOCALITIES, BANDS = 2, 3, 2
DAYS = st.integers(day_number(date(2014, 11, 20)), day_number(date(2016, 3, 10)))
ENTRY = st.tuples(
    st.integers(0, SLOTS - 1),
    st.integers(0, LOCALITIES - 1),
    st.integers(0, BANDS - 1),
    DAYS | st.integers(FIRST_DAY, LAST_DAY),
    st.integers(-3, 3),
)
Batch = list[tuple[int, int, int, int, int]]
Cell = tuple[int, int, int]
AMOUNTS = st.integers(-(2**31), 2**31 - 1)
AGES = st.integers(0, 2**BAND_BITS - 1)


def columns(batch: Batch) -> Entries:
    return Entries(*np.array(batch, dtype=np.int64).reshape(-1, 5).T)


def stock_by_hand(batches: list[Batch], day: int) -> dict[Cell, int]:
    stock: Counter[Cell] = Counter()
    for *cell, when, amount in (entry for batch in batches for entry in batch):
        if when <= day:
            stock[cell[0], cell[1], cell[2]] += amount
    return {cell: amount for cell, amount in stock.items() if amount}


def held(stock: Stock) -> dict[Cell, int]:
    """What each cell holds; no cell of one shard is there twice, or holds nothing."""
    slot, locality, band = (column.tolist() for column in parts(stock.cells))
    cells = list(zip(slot, locality, band, strict=True))
    assert len(set(cells)) == len(cells)
    assert stock.amounts.all()
    return dict(zip(cells, stock.amounts.tolist(), strict=True))


@given(st.lists(st.lists(ENTRY, max_size=12), max_size=5), st.lists(DAYS, min_size=1, max_size=5))
def test_a_stock_is_the_sum_of_all_entries_up_to_the_day(
    batches: list[Batch], days: list[int]
) -> None:
    tables = Tables()
    for batch in batches:
        tables.add(columns(batch), calendar())
    for day in [*days, FIRST_DAY, LAST_DAY]:
        assert held(tables.stock(day, calendar())) == stock_by_hand(batches, day)


LARGE = st.tuples(
    st.integers(0, 2**20),
    st.integers(0, 2**LOCALITY_BITS - 1),
    AGES,
    DAYS | st.integers(FIRST_DAY, LAST_DAY),
    st.integers(-(2**20), 2**20),
)


@given(st.lists(st.lists(ENTRY | LARGE, min_size=1, max_size=12), max_size=4))
def test_very_many_entries_are_added_as_a_few_are(batches: list[Batch]) -> None:
    few, many = Tables(), Tables()
    for batch in batches:
        touched = few.add(columns(batch), calendar())
        with patch.object(processors.ledger.tables, "FEW", 0):
            assert repr(many.add(columns(batch), calendar())) == repr(touched)
    assert copied(many) == copied(few)
    assert (many.cells.tolist(), many.sum) == (few.cells.tolist(), few.sum)


@given(st.lists(st.lists(ENTRY, max_size=12), max_size=4), st.lists(ENTRY, max_size=12))
def test_entries_that_cancel_out_touch_nothing(batches: list[Batch], batch: Batch) -> None:
    tables = Tables()
    for earlier in batches:
        tables.add(columns(earlier), calendar())
    known, months = tables.cells.tolist(), list(tables.months)
    opposite = [(*entry[:4], -entry[4]) for entry in batch]
    touched = tables.add(columns(batch + opposite), calendar())
    assert (touched.entries, touched.checkpoints, touched.begun) == ({}, {}, [])
    assert (tables.cells.tolist(), tables.months, touched.known) == (known, months, len(known))


def copied(tables: Tables) -> tuple[dict[int, dict[int, int]], dict[int, list[int]]]:
    """The amounts of each month by place, and the checkpoints, as long as there are cells."""
    entries = {
        month: dict(zip(of.places.tolist(), of.amounts.tolist(), strict=True))
        for month, of in tables.entries.items()
    }
    checkpoints = {month: padded(sums, tables) for month, sums in tables.checkpoints.items()}
    return entries, checkpoints


def padded(sums: NDArray[np.int32], tables: Tables) -> list[int]:
    return [*sums.tolist(), *[0] * (len(tables.cells) - len(sums))]


@given(st.lists(st.lists(ENTRY, max_size=12), min_size=1, max_size=5))
def test_what_was_touched_is_all_that_changed(batches: list[Batch]) -> None:
    tables = Tables()
    for batch in batches:
        entries, checkpoints = copied(tables)
        known, months = tables.cells.tolist(), set(tables.months)
        touched = tables.add(columns(batch), calendar())
        assert touched.known == len(known)
        assert tables.cells.tolist()[: touched.known] == known
        assert set(touched.begun) == set(tables.months) - months
        now, sums = copied(tables)
        for month in tables.months:
            before, after = entries.get(month, {}), now[month]
            changed = {
                place: after.get(place, 0) - before.get(place, 0)
                for place in before | after
                if before.get(place, 0) != after.get(place, 0)
            }
            added = (it.tolist() for it in touched.entries.get(month, (np.zeros(0), np.zeros(0))))
            assert changed == dict(zip(*added, strict=True))
            new = [0] * (len(sums[month]) - len(checkpoints.get(month, [])))
            then = checkpoints.get(month, []) + new
            moved = {cell for cell, amount in enumerate(sums[month]) if amount != then[cell]}
            assert moved <= set(touched.checkpoints.get(month, np.zeros(0)).tolist())


@settings(max_examples=20)
@given(st.data())
def test_more_months_at_once_than_are_worked_on_together_add_up(data: st.DataObject) -> None:
    batch = [
        (0, 0, 0, day, data.draw(st.integers(-2, 2)))
        for day in range(day_number(date(2000, 1, 15)), day_number(date(2013, 1, 1)), 30)
    ]
    tables = Tables()
    tables.add(columns(batch), calendar())
    for day in (0, day_number(date(2006, 6, 6)), LAST_DAY):
        assert held(tables.stock(day, calendar())) == stock_by_hand([batch], day)


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2**LOCALITY_BITS - 1), AGES)))
def test_a_key_says_which_slot_locality_and_band_it_is_of(cells: list[Cell]) -> None:
    slot, locality, band = np.array(cells, dtype=np.int64).reshape(-1, 3).T
    again = parts(keys(slot, locality, band))
    assert [column.tolist() for column in again] == [it.tolist() for it in (slot, locality, band)]
    assert MOST_LOCALITIES <= 2**LOCALITY_BITS


@given(st.lists(st.lists(ENTRY, max_size=12), max_size=4), DAYS)
def test_stocks_of_shards_add_up_to_that_of_one(batches: list[Batch], day: int) -> None:
    shards = [Tables() for _ in batches]
    for shard, batch in zip(shards, batches, strict=True):
        shard.add(columns(batch), calendar())
    whole = together([shard.stock(day, calendar()) for shard in shards])
    found: Counter[Cell] = Counter()
    columns_of = (column.tolist() for column in parts(whole.cells))
    for (*cell,), amount in zip(zip(*columns_of, strict=True), whole.amounts, strict=True):
        found[cell[0], cell[1], cell[2]] += int(amount)
    assert {cell: it for cell, it in found.items() if it} == stock_by_hand(batches, day)


PLACES = st.integers(0, 400) | st.integers(0, 2**20)


@given(
    st.dictionaries(PLACES, st.integers(-3, 3) | AMOUNTS),
    st.lists(st.dictionaries(PLACES, st.integers(-200, 200)), max_size=3),
)
def test_a_month_is_the_same_after_its_encoding_is_read_back(
    amounts: dict[int, int], more: list[dict[int, int]]
) -> None:
    stored = encode_month(month_with(amounts))
    assert amounts_in(decode_month(stored)) == {it: of for it, of in amounts.items() if of}
    known = Counter({place: amount // 2 for place, amount in amounts.items()})
    stored, added = encode_month(month_with(known)), b""
    for changes in more:
        of = month_with(changes)
        added += encode_added(of.places, of.amounts)
        known.update(changes)
    again = decode_month(stored, added)
    assert amounts_in(again) == {it: of for it, of in known.items() if of}
    assert again.places.tolist() == sorted(amounts_in(again))


def month_with(amounts: dict[int, int]) -> Month:
    places = sorted(amounts)
    return Month(
        np.array(places, dtype=np.int64), np.array([amounts[it] for it in places], dtype=np.int32)
    )


def amounts_in(month: Month) -> dict[int, int]:
    return dict(zip(month.places.tolist(), month.amounts.tolist(), strict=True))


def test_an_empty_month_is_the_same_after_its_encoding_is_read_back() -> None:
    assert amounts_in(decode_month(encode_month(Month()))) == {}


@given(st.dictionaries(PLACES, AMOUNTS), st.integers(min_value=0), st.integers(0, 7))
def test_a_month_that_is_damaged_is_never_read_as_another(
    amounts: dict[int, int], at: int, bit: int
) -> None:
    stored = bytearray(encode_month(month_with(amounts)))
    at %= len(stored)
    stored[at] ^= 1 << bit
    for damaged in (bytes(stored), bytes(stored[:at]), b"x"):
        try:
            found = amounts_in(decode_month(damaged))
        except ValueError:
            continue
        assert found == {it: of for it, of in amounts.items() if of}


@given(st.lists(AMOUNTS))
def test_a_checkpoint_is_the_same_after_its_encoding_is_read_back(sums: list[int]) -> None:
    checkpoint = np.array(sums, dtype=np.int32)
    again = decode_checkpoint(encode_checkpoint(checkpoint))
    assert again.tolist() == sums
    again += 0  # it can be written to, as a worker does


@given(st.integers(1, 700), st.integers(0, 12), st.data())
def test_the_cells_of_a_checkpoint_that_changed_make_the_stored_one_into_it(
    size: int, new: int, data: st.DataObject
) -> None:
    stored = max(0, size - new)
    before = np.arange(stored, dtype=np.int32) - 99
    checkpoint = np.concatenate([before, np.zeros(size - stored, dtype=np.int32)])
    cells = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=12)))
    for cell in cells:
        checkpoint[cell] = data.draw(AMOUNTS)
    changes = checkpoint_changes(checkpoint, np.array(cells, dtype=np.intp))
    assert (changes is None) == (len(cells) * CELLS_AT_ONCE >= size)
    if changes is None:
        return
    assert len(changes) == CHANGE.itemsize * len(cells)
    again = decode_checkpoint(with_cells_set(encode_checkpoint(before), changes)).tolist()
    # What is beyond the stored one's end holds nothing.
    assert again + [0] * (len(checkpoint) - len(again)) == checkpoint.tolist()


LOCALITY = st.builds(
    Locality,
    st.none() | st.sampled_from(["Dover", "Atlantis", ""]),
    st.none() | st.text(max_size=3),
    st.none(),
) | st.builds(
    Locality,
    st.none(),
    st.none(),
    st.builds(Place, st.sampled_from(["youth-hub", "district"]), st.text(max_size=3)),
)


@given(LOCALITY)
def test_a_locality_is_the_same_after_its_encoding_is_read_back(locality: Locality) -> None:
    assert decode_locality(encode_locality(locality)) == locality


def new_localities() -> Localities:
    return Localities(PlaceGraph(load_areas()))


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 300), LOCALITY, AGES), max_size=6), max_size=5),
    st.lists(LOCALITY, max_size=6),
)
def test_cells_appended_step_by_step_are_read_back_by_a_process_that_numbers_otherwise(
    steps: list[list[tuple[int, Locality, int]]], met_before: list[Locality]
) -> None:
    ours, theirs = new_localities(), new_localities()
    for locality in met_before:
        theirs.number(locality)
    cells = np.zeros(0, dtype=np.int64)
    stored, named = b"", list[bytes]()
    wanted: list[tuple[int, Locality, int]] = []
    for step in steps:
        for cell in step:
            if cell in wanted:
                continue
            wanted.append(cell)
            one = np.array([[cell[0], ours.number(cell[1]), cell[2]]]).T
            cells = np.append(cells, keys(*one))
        new = encode_cells(cells, len(stored) // 7, ours)
        stored, named = stored + new.cells, named + new.localities
    assert len(named) == len(set(named))
    slot, locality, band = (
        column.tolist() for column in parts(decode_cells(stored, named, theirs))
    )
    again = [
        (it, theirs.all[number], ages)
        for it, number, ages in zip(slot, locality, band, strict=True)
    ]
    assert again == wanted


def test_nothing_new_appends_nothing() -> None:
    localities = new_localities()
    cells = keys(*np.array([[1, localities.number(Locality("Dover")), 0]]).T)
    assert encode_cells(cells, 1, localities) == NewCells(b"", [])


def test_no_cells_are_read_from_nothing() -> None:
    assert decode_cells(b"", [], new_localities()).tolist() == []


@pytest.mark.parametrize("locality", [NOWHERE, Locality(None, "Salus"), Locality("Dover", None)])
def test_nowhere_and_half_known_localities_are_told_apart(locality: Locality) -> None:
    assert (
        encode_locality(locality)
        == {
            NOWHERE: b"[null,null]",
            Locality(None, "Salus"): b'[null,"Salus"]',
            Locality("Dover", None): b'["Dover",null]',
        }[locality]
    )


@given(DAYS)
def test_a_month_is_numbered_alike_by_date_and_by_day(day: int) -> None:
    assert int(calendar().month_of(np.array([day]))[0]) == month_of(date_of(day))
