"""What grows with a child's history is worked out by what is new, and is as if it were all new."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch
from zlib import crc32

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.workload import case_events
from processors import fold
from processors.alerts.judging import Judgement
from processors.alerts.toldalerts import read_told
from processors.days.calendar import day_number
from processors.facts.cases import derive
from processors.fold import Partition, Settlement
from processors.ledger.tables import ROW_DAYS
from processors.record.decoding import Event, decode
from processors.record.pieces import DAY, Texts, decode_event, encode_event
from processors.record.record import Record, decode_record, seal
from processors.record.rows import ROW
from processors.record.words import WORDS
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC, SCS_TOPIC
from schemas.standards import load_standards
from tests.support.growing import (
    START,
    Batch,
    Fields,
    batches_of_a_child,
    decoded,
    happenings,
    much_is_little,
)
from tests.support.south_east import south_east_areas
from tests.support.storedtold import StoredTold

# Of the words that there are: another number makes what is stored mean something else.
WORDS_STORED = 1181495779
FIRST_DAY = day_number(START.date())


@pytest.fixture(scope="module")
def south_east() -> Rules:
    """The rules that ship, on a small tree of areas."""
    catalogue = load_catalogue()
    return Rules(catalogue, south_east_areas(), load_standards(catalogue))


def entries(state: Partition) -> dict[tuple[int, int, int], int]:
    """What the tables hold, by cell, month and day."""
    tables = state.tables
    return {
        (int(tables.cells[place // ROW_DAYS]), month, place % ROW_DAYS): amount
        for month, of in tables.entries.items()
        for place, amount in zip(of.places.tolist(), of.amounts.tolist(), strict=True)
        if amount
    }


class Stored:
    """What a store would have of the child, written as a settlement says."""

    def __init__(self) -> None:
        self.record = b""
        self.told = StoredTold()

    def take(self, settlement: Settlement) -> None:
        for written in settlement.records.values():
            assert written.stored == len(self.record)
            self.record = self.record[: written.kept] + written.piece
            assert written.length == len(self.record)
            assert written.seal == seal("P1", self.record)
        self.told.take(settlement.telling.told)


def telling(
    settlement: Settlement, told: StoredTold
) -> tuple[list[str], list[str], dict[str, int]]:
    """What a settlement tells of alerts, in any order, and what was told by then."""
    found = settlement.telling
    alerts = [repr(it) for of in told.values() for it in read_told(of).alerts.values()]
    return sorted(map(repr, found.changes)), sorted(alerts), found.deadlines


@settings(max_examples=120)
@given(batches_of_a_child())
def test_tables_records_and_alerts_that_grew_are_those_made_at_once(
    south_east: Rules, batches: list[Batch]
) -> None:
    state, stored, all_of_it = Partition(south_east), Stored(), list[tuple[str, Event]]()
    plain, plainly = Partition(south_east), StoredTold()
    day = FIRST_DAY
    for batch in batches:
        events = [decoded(*it) for it in batch.happened]
        all_of_it += events
        day += batch.days
        judgement = None
        if batch.judged != "unjudged":
            judgement = Judgement(day, {"P1": batch.judged == "withheld"}.__getitem__)
        with much_is_little():
            if state.missing(["P1"]):
                state.admit("P1", stored.record or None, stored.told.get("P1"))
            state.fold(events)
            state.look_at(["P1"])
            settlement = state.settle(judgement)
            stored.take(settlement)
            if batch.is_forgotten:
                state.forget(0)
        plain.fold_unstored(events)
        plain.look_at(["P1"])
        other = plain.settle(judgement)
        plainly.take(other.telling.told)
        assert telling(settlement, stored.told) == telling(other, plainly)
    whole = Partition(south_east)
    whole.fold_unstored(all_of_it)
    whole.settle()
    assert entries(state) == entries(whole)
    known = decode_record(stored.record, south_east.make_row)
    assert content(known) == content(whole.children["P1"].record)


@settings(max_examples=25)
@given(batches_of_a_child())
def test_what_is_stored_of_a_small_record_is_what_is_known_after_each_settlement(
    south_east: Rules, batches: list[Batch]
) -> None:
    state, stored, known = Partition(south_east), Stored(), Record()
    for batch in batches:
        if state.missing(["P1"]):
            state.admit("P1", stored.record or None)
        events = [decoded(*it) for it in batch.happened]
        state.fold(events)
        stored.take(state.settle())
        for _, event in events:
            known.apply(event, south_east.make_row)
        read = decode_record(stored.record, south_east.make_row)
        assert content(read) == content(known)
        assert list(read.known) == list(state.children["P1"].record.known)
        assert read.encode() == state.children["P1"].record.encode()
        if batch.is_forgotten:
            state.forget(0)


def content(of: Record) -> tuple[dict[tuple[str, str], Event], set[tuple[str, str]]]:
    return of.known, set(of.retracted)


@settings(max_examples=100)
@given(st.lists(happenings(), min_size=1, max_size=20))
def test_an_event_is_the_same_after_its_encoding_is_read_back(
    happened: list[tuple[str, Fields]],
) -> None:
    texts: Texts = {}
    for made in happened:
        _, event = decoded(*made)
        event = msgspec.structs.replace(event, instant=event.instant + 86_399_999_999)
        for day in (event.instant // DAY, event.instant // DAY + 1):
            for data in ({}, {"a": 7, "b": True, "c": 0.5, "service": ["unit", 3], "unit": "kind"}):
                other = msgspec.structs.replace(event, day=day, data=event.data | data)
                assert decode_event(msgspec.Raw(encode_event(other, texts)), list(texts)) == other


def moved(number: int) -> tuple[str, Event]:
    """One more event of a case of the child, that alerts on it tell of: it has another team."""
    kind, data = "case.allocated", {"service": "unit", "team": f"Team {number}"}
    if not number:
        kind, data = "notification.received", {"notification_type": "EHN", "district": "Dover"}
    made = {
        "specversion": "1.0",
        "source": "urn:a",
        "id": f"new{number}",
        "type": kind,
        "subject": "another",
        "partitionkey": "P1",
        "time": (START + timedelta(days=300, hours=number)).isoformat(),
        "data": data,
    }
    return decoded(CASE_TOPIC, made)


def bytes_and_rows(rules: Rules, known: int, judgement: Judgement | None) -> tuple[int, int]:
    """Bytes stored, and bytes of rows that facts are made from, for one event after another."""
    state, rows = Partition(rules), list[int]()
    messages = [(*it, ()) for it in case_events(known, years=known / 1_000)]
    state.fold_unstored([("P1", event) for _, event in decode(CASE_TOPIC, messages).events])
    state.settle(judgement)
    written = told = 0

    def counting(cases: Any, *rest: Any) -> Any:
        rows.append(sum(map(len, cases.groups)))
        return derive(cases, *rest)

    with patch.object(fold, "derive", counting):
        for number in range(40):
            state.fold([moved(number)])
            settlement = state.settle(judgement)
            written += len(settlement.records["P1"].piece)
            for alerts in settlement.telling.told.values():
                written += len(alerts.place) + sum(map(len, alerts.apart.values()))
                told += 1
    assert told == 39 * (judgement is not None)
    return written, sum(rows)


@pytest.mark.parametrize("judgement", [None, Judgement(FIRST_DAY + 365)], ids=["not", "judged"])
def test_what_one_more_event_writes_and_works_out_does_not_grow_with_what_is_known(
    south_east: Rules, judgement: Judgement | None
) -> None:
    few = bytes_and_rows(south_east, 2_000, judgement)
    many = bytes_and_rows(south_east, 8_000, judgement)
    assert many[0] <= 2 * few[0]
    assert many[1] <= 2 * few[1]


def opening(number: int) -> tuple[str, Event]:
    """One more case that social care opens, two days after the one before."""
    made = {
        "specversion": "1.0",
        "source": "urn:a",
        "id": f"opened{number}",
        "type": "scs.opened",
        "subject": f"K{number}",
        "partitionkey": "P1",
        "time": (START + timedelta(days=2 * number)).isoformat(),
        "data": {"origin": "referral"},
    }
    return decoded(SCS_TOPIC, made)


def test_for_one_more_opening_in_social_care_not_all_of_them_are_looked_at(
    south_east: Rules,
) -> None:
    state, looked_at = Partition(south_east), list[int]()
    openings = list(map(opening, range(1_500)))
    state.fold_unstored([*cases(2), *openings[:-1]])
    state.settle()

    def counting(cases: Any, *rest: Any) -> Any:
        looked_at.append(sum(map(len, cases.groups)) // ROW.itemsize)
        return derive(cases, *rest)

    with patch.object(fold, "derive", counting):
        state.fold(openings[-1:])
        state.settle()
    assert 0 < sum(looked_at) < 500
    whole = Partition(south_east)
    whole.fold_unstored([*cases(2), *openings])
    whole.settle()
    assert entries(state) == entries(whole)


def test_words_keep_the_numbers_that_records_are_stored_with() -> None:
    assert len(set(WORDS)) == len(WORDS)
    assert crc32("\n".join(WORDS[:69]).encode()) == WORDS_STORED


def cases(number: int) -> list[tuple[str, Event]]:
    """So many cases of the child, received and given to a unit on one day; nobody was contacted."""
    found = []
    for case in range(number):
        for kind, data in (
            ("notification.received", {"notification_type": "EHN", "district": "Dover"}),
            ("case.allocated", {"service": "unit"}),
        ):
            made = {
                "specversion": "1.0",
                "source": "urn:a",
                "id": f"{kind} {case}",
                "type": kind,
                "subject": f"C{case}",
                "partitionkey": "P1",
                "time": START.isoformat(),
                "data": data,
            }
            found.append(decoded(CASE_TOPIC, made))
    return found


LATE = FIRST_DAY + 100


def told_of_cases(rules: Rules, *judgements: Judgement | None) -> set[str]:
    """What is told in the end of three cases, the last of which comes after the first judgement."""
    state, found = Partition(rules), set[str]()
    first, last = cases(2), cases(3)[4:]
    with much_is_little():
        for number, judgement in enumerate(judgements):
            if number < 2:
                state.fold_unstored([first, last][number])
            state.look_at(["P1"])
            found |= {repr(it) for it in state.settle(judgement).telling.changes}
    return found


def test_what_is_withheld_of_very_many_cases_is_told_once_it_may_be(south_east: Rules) -> None:
    now, withheld = Judgement(LATE), Judgement(LATE, lambda _: True)
    at_once = told_of_cases(south_east, Judgement(FIRST_DAY), now)
    assert len(at_once) >= 3
    assert told_of_cases(south_east, Judgement(FIRST_DAY), withheld, withheld, now) == at_once


def test_what_changed_of_very_many_cases_unjudged_is_told_when_they_are_judged_again(
    south_east: Rules,
) -> None:
    now = Judgement(LATE)
    assert told_of_cases(south_east, now, None, now) == told_of_cases(south_east, now, now)
