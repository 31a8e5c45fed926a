"""What is held in packed blocks, against the same kept plainly; and rows read from stored bytes."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.behind.counted_rows import CountedRows, Subject, counted_rows, joined
from processors.behind.found_amounts import AmountsInBlock, FoundAmounts, SubjectAmount
from processors.behind.held_block import HeldBlock, block_of, blocks_together
from processors.behind.packed_column import MOST, packed_column
from processors.record.counted_record import read_counted
from processors.record.decoding import decode
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC
from tests.support.all_topics import histories_of_all_topics
from tests.support.facts import Happening
from tests.support.strategies import History

FIRST = date(2015, 10, 1)
# Alike in their beginnings, beyond ASCII, and as nobody would name a child.
NAMES = st.sampled_from(["", "a", "a\0", "aa", "b", "é", "\U0001f600", "\0", "z" * 40]) | st.text(
    st.characters(codec="utf-8"), max_size=3
)
DAYS = st.integers(-3, 3) | st.sampled_from([-30_000, 300, 16_700, 70_000, MOST])


class Row(NamedTuple):
    slot: int
    locality: int
    band: int
    begin: int
    end: int
    amount: int


ROWS = st.builds(
    Row,
    st.integers(0, 3),
    st.sampled_from([0, 1, 70_000]),
    st.integers(-1, 2),
    DAYS,
    DAYS,
    st.sampled_from([1, 1, 1, 0, -2, 400, 100_000]),
)
Kept = dict[str, dict[tuple[str, bool], list[Row]]]
KEPT = st.dictionaries(
    NAMES,
    st.dictionaries(st.tuples(NAMES, st.booleans()), st.lists(ROWS, max_size=4), max_size=3),
    max_size=4,
)


def block(kept: Kept) -> HeldBlock:
    subjects = [Subject(child, *it) for child, of in kept.items() for it in of]
    rows = [(number, *row) for number, it in enumerate(subjects) for row in kept[it.child][it[1:]]]
    columns = np.array(rows, dtype=np.int64).reshape(-1, len(CountedRows._fields)).T
    digests = [hash(it) % 1_000 for it in subjects]
    return block_of(kept, subjects, joined([CountedRows(*columns)]), digests)


def said(held: HeldBlock, slots: list[int], days: list[int]) -> list[tuple[Subject, Row]]:
    rows = held.rows(slots, days)
    plain = zip(*(column.tolist() for column in rows), strict=True)
    return sorted((held.subject(number), Row(*it)) for number, *it in plain)


def told(kept: Kept, slots: list[int], days: list[int]) -> list[tuple[Subject, Row]]:
    return sorted(
        (Subject(child, *it), row)
        for child, of in kept.items()
        for it, rows in of.items()
        for row in rows
        if row.slot in slots and any(row.begin <= day < row.end for day in days)
    )


@given(st.lists(KEPT, min_size=1, max_size=4), st.data())
def test_blocks_say_what_was_put_into_them_and_is_still_there(
    parts: list[Kept], data: st.DataObject
) -> None:
    alive: Kept = {}
    blocks: list[HeldBlock] = []
    for kept in parts:
        gone = data.draw(st.lists(st.sampled_from([*alive, ""]), max_size=2))
        encoded = [it.encode() for it in [*kept, *gone]]
        blocks = [it.without(encoded) for it in blocks]
        alive = {child: it for child, it in alive.items() if child not in gone} | kept
        blocks.append(block(kept))
        if data.draw(st.booleans()):
            blocks = [blocks_together(blocks)]
            assert [it.gone for it in blocks] == [0]
    assert sum(it.there for it in blocks) == len(alive)
    slots = data.draw(st.lists(st.integers(0, 4), unique=True, max_size=3))
    days = data.draw(st.lists(DAYS.filter(lambda it: it < MOST), min_size=1, max_size=2))
    assert sorted(it for one in blocks for it in said(one, slots, days)) == told(alive, slots, days)
    for one in blocks:
        names = [it.decode() for it in one.children.names.all_encoded()]
        assert names == sorted(names)
        subjects = [one.subject(number) for number in range(len(one.subjects.child))]
        assert subjects == sorted(subjects)
        for number, it in enumerate(subjects):
            is_there = one.children.is_there[one.subjects.child[number]]
            assert (number in one.find(hash(it) % 1_000)) == is_there


@given(st.lists(KEPT, max_size=4), st.data())
def test_any_part_of_a_list_is_that_part_of_all_of_it(
    parts: list[Kept], data: st.DataObject
) -> None:
    seen, found, plain = set[str](), list[AmountsInBlock](), list[SubjectAmount]()
    for kept in parts:
        one = block({child: it for child, it in kept.items() if child not in seen})
        seen |= kept.keys()
        number = np.arange(len(one.subjects.child))
        counts = np.array(
            data.draw(st.lists(st.integers(0, 2), min_size=len(number), max_size=len(number))),
            dtype=np.int64,
        )
        found.append(AmountsInBlock(one, number, counts, counts * 2))
        pairs = [(it, 2 * it) for it in counts.tolist()]
        plain += [SubjectAmount(one.subject(at), *it) for at, it in enumerate(pairs)]
    amounts, plain = FoundAmounts(found), sorted(plain)
    first, end = (
        data.draw(st.integers(0, len(plain) + 1)),
        data.draw(st.integers(0, len(plain) + 1)),
    )
    assert amounts.shown(slice(first, end)) == plain[first:end]
    counting, few = [it for it in plain if it.above], amounts.that(lambda it: it.above)
    assert [*few] == counting
    assert len(few) == len(counting)
    assert few.sums == (sum(it.above for it in plain), sum(it.below for it in plain))
    assert sorted(few.pairs) == sorted((it.above, it.below) for it in counting)


@given(st.lists(DAYS), DAYS.filter(lambda it: it < MOST))
def test_a_packed_column_has_the_same_numbers(numbers: list[int], day: int) -> None:
    column = packed_column(np.array(numbers, dtype=np.int32))
    assert column.values().tolist() == numbers
    assert column.at_most(day).tolist() == [it <= day for it in numbers]


def counted(
    rules: Rules, records: Mapping[str, bytes], *, is_whole: bool
) -> list[tuple[object, ...]]:
    read = decode_record if is_whole else read_counted
    subjects, rows = counted_rows(
        rules, {child: read(it, rules.make_row) for child, it in records.items()}
    )
    plain = zip(*(column.tolist() for column in rows), strict=True)
    return sorted([(subjects[number], *it) for number, *it in plain] + [(it,) for it in subjects])


@settings(max_examples=25)
@given(histories_of_all_topics())
def test_what_is_counted_is_read_as_the_record_says_it(rules: Rules, history: History) -> None:
    records: dict[str, Record] = {}
    for line in history.lines:
        for topic in line.topics:
            if topic != REFERENCE_TOPIC:
                for child, event in decode(topic, [line.message]).events:
                    records.setdefault(child, Record()).apply(event, rules.make_row)
    stored = {child: it.encode() for child, it in records.items()}
    assert counted(rules, stored, is_whole=False) == counted(rules, stored, is_whole=True)


def test_a_record_of_several_pieces_and_a_long_case_are_read_whole(rules: Rules) -> None:
    it = Happening()("notification.received", FIRST, notification_type="EHN", district="Dover")
    it("case.allocated", FIRST, service="unit")
    for number in range(300):
        it("contact.made", FIRST + timedelta(days=number))
    it("case.closed", FIRST + timedelta(days=400), outcome="Other")
    record, pieces = Record(), list[bytes]()
    for some in (it.events[:150], it.events[150:-1], it.events[-1:]):
        for event in some:
            record.apply(event, rules.make_row)
        record.settle()
        written = record.write("P1", 0, 0)
        pieces = [*pieces, written.piece] if written.kept else [written.piece]
    assert len(pieces) > 1
    whole = {"P1": record.encode()}
    expected = counted(rules, whole, is_whole=True)
    assert counted(rules, {"P1": b"".join(pieces)}, is_whole=False) == expected
    assert counted(rules, whole, is_whole=False) == expected
