"""What holds of erased children: a log with what is left of one says what one without them says."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import day_number, previous_month_end
from processors.figures.evaluate import AsOf, known
from processors.figures.scorecard_rows import scorecard
from processors.fold import Partition
from processors.record.decoding import decode
from processors.record.erased import (
    ERASED_HEADER,
    NOBODY,
    ErasedChild,
    ErasedChildren,
    hash_of,
)
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from schemas.scorecard import ScorecardRow
from streams.kafka.batches import KafkaRecord, is_message
from streams.kafka.eventfiles import EventLine
from streams.state import admission
from tests.support.agreement import expected, parsed, shown
from tests.support.frozenlogs import FrozenLog
from tests.support.south_east import south_east_areas
from tests.support.strategies import CASES, SOUTH_EAST, History, histories

KEY = bytes(range(32))
CHILDREN = sorted({child for child, _ in CASES})
PLACE = KafkaRecord(None, None, ((ERASED_HEADER, b"e1"),), 0, 0)


@pytest.fixture(scope="module")
def south_east() -> Rules:
    """The rules that ship, on the tree of areas of the histories."""
    return Rules(load_catalogue(), south_east_areas())


def instant_of(line: EventLine, topic: str) -> tuple[str, int]:
    ((child, event),) = decode(topic, [line.message]).events
    return child, event.instant


def erased(child: str, until: int) -> ErasedChildren:
    return ErasedChildren(KEY, [ErasedChild(hash_of(KEY, child), "e1", until)])


def rows(rules: Rules, records: list[KafkaRecord], day: date) -> list[ScorecardRow]:
    """The scorecard of a log of cases, as a rebuild makes it."""
    state = Partition(rules)
    messages = [it for it in records if is_message(it)]
    state.fold_unstored(admission.read(CASE_TOPIC, messages, rules.erased).events)
    state.settle()

    def as_of(day: date) -> AsOf:
        return known(rules, day, state.tables.stock(day_number(day), rules.calendar), [])

    return scorecard(rules, as_of(day), as_of(previous_month_end(day)))


def record(line: EventLine) -> KafkaRecord:
    key, value, headers = line.message
    return KafkaRecord(key, value, tuple((name, it or b"") for name, it in headers), 0, 0)


@settings(max_examples=20)
@given(st.data(), histories(), st.sampled_from(CHILDREN))
def test_a_log_with_an_erasure_is_folded_as_the_log_without_the_child_in_any_order(
    south_east: Rules, data: st.DataObject, history: History, child: str
) -> None:
    lines = [it for it in history.lines if CASE_TOPIC in it.topics]
    facts = [(it, *instant_of(it, CASE_TOPIC)) for it in lines]
    theirs = sorted(at for _, name, at in facts if name == child)
    until = data.draw(st.sampled_from([*theirs, 1 << 60])) if theirs else 1 << 60
    left = [it for it, name, at in facts if name != child or at > until]
    gone = [it for it, name, at in facts if name == child and at <= until]
    # Some of what is gone is an empty place, and some has come back from an older copy of the log.
    back = data.draw(st.lists(st.sampled_from(gone))) if gone else []
    log = [*map(record, left), *map(record, back), *[PLACE] * len(gone)]
    south_east.erased = erased(child, until)
    try:
        found = {
            day: rows(south_east, data.draw(st.permutations(log)), day) for day in history.dates
        }
    finally:
        south_east.erased = NOBODY
    for day, of_day in found.items():
        assert of_day == rows(south_east, list(map(record, left)), day)
        assert shown(of_day) == expected(parsed(left), day, SOUTH_EAST)


@settings(max_examples=5)
@given(histories(), st.sampled_from(CHILDREN))
def test_a_recount_leaves_out_whom_the_fold_leaves_out(
    south_east: Rules, history: History, child: str
) -> None:
    cases = [it for it in history.lines if CASE_TOPIC in it.topics]
    left = [it for it in cases if instant_of(it, CASE_TOPIC)[0] != child]
    others = [it for it in history.lines if REFERENCE_TOPIC in it.topics]
    day = history.dates[0]
    whole, without = (FrozenLog(south_east, [*it, *others]) for it in (cases, left))
    asked = whole.question(day)
    assert (
        whole.evidence(replace(asked, erased=erased(child, 1 << 60))).cells
        == without.evidence(without.question(day)).cells
    )
