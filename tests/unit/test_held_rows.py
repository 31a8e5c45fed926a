"""What is held of cases answers as the list from every record does, whatever came in between."""

from datetime import date
from functools import lru_cache
from pathlib import Path

from processors.behind.counted_rows import CellSums, Question
from processors.behind.found_amounts import FoundAmounts
from processors.behind.held_rows import HeldRows, case_reference
from processors.behind.listing import listed
from processors.days.calendar import day_number
from processors.fold import Partition
from processors.record.decoding import Event, decode
from processors.record.record import Record
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.events.registry import REFERENCE_TOPIC, topic_names
from schemas.places import load_places
from streams.kafka.eventfiles import read_events

LOG = Path(__file__).parents[1] / "data" / "all-21.jsonl.gz"
RULES = Rules(load_catalogue(), load_areas(), places=load_places())
CODES = [it for it in RULES.catalogue.indicator if it.source == "events"]
PUT_AT_ONCE = 700
DAY = day_number(date(2017, 6, 17))


def events() -> list[tuple[str, Event]]:
    lines = [line for judged in read_events(LOG) for line in judged.good]
    found = []
    for topic in topic_names():
        if topic != REFERENCE_TOPIC:
            found += decode(topic, [it.message for it in lines if topic in it.topics]).events
    return found


@lru_cache
def grown() -> tuple[HeldRows, dict[str, Record]]:
    """What is held of a log that came in parts, kept up with each; and the records in the end."""
    state, held, all_events = Partition(RULES), HeldRows(), events()
    half, most = len(all_events) // 2, len(all_events) - 300
    for some in (all_events[:half], all_events[half:most], all_events[most:]):
        state.fold_unstored(some)
        state.settle()
        names = [*dict.fromkeys(name for name, _ in some)]
        for start in range(0, len(names), PUT_AT_ONCE):
            few = names[start : start + PUT_AT_ONCE]
            held.put(RULES, {name: state.children[name].record for name in few})
            held.tidy()
        held.amounts(CellSums(RULES, asked()[0]))  # asked in between, as whoever looks does
    return held, {name: child.record for name, child in state.children.items()}


def asked() -> list[Question]:
    """Each code of the first place that it is of; some of an age band."""
    found = []
    for number, indicator in enumerate(CODES):
        place = next(it for it in RULES.graph.known() if it.level in indicator.levels)
        band = "5-10" if indicator.bands != "none" and number % 8 == 0 else "all"
        found.append(Question(indicator, place, band, DAY))
    return found


def test_what_is_held_is_what_every_record_says() -> None:
    held, records = grown()
    seen = 0
    for number, question in enumerate(asked()):
        found = FoundAmounts(held.amounts(CellSums(RULES, question)))
        mine = sorted((*it.subject[:2], it.above, it.below) for it in found)
        if number % 4 == 0:  # looking at every record takes a while
            told = listed(RULES, records.items(), question)
            assert mine == sorted(it[:4] for it in told), question.indicator.code
        seen += len(mine)
    assert seen > 1_000


def test_a_case_is_found_by_its_reference_until_its_child_is_gone() -> None:
    held, records = grown()
    child, case = next((name, case) for name, it in records.items() for case in it.settled if case)
    reference = case_reference(child, case)
    assert child not in reference
    assert case not in reference
    assert held.find(reference) == (child, case, True)
    assert held.find("0" * 20) is None
    held.forget([child])
    assert held.find(reference) is None
    assert held.children == len(records) - 1
    for question in asked()[:10]:
        found = FoundAmounts(held.amounts(CellSums(RULES, question)))
        assert child not in {it.subject.child for it in found}
    held.put(RULES, {child: records[child]})
    assert held.find(reference) == (child, case, True)
