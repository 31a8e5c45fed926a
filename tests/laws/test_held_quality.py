"""Quality held child by child is that of all records, whatever came, went and came again before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import calendar
from processors.record.decoding import Event, decode
from processors.record.found_quality import HeldQuality, QualityAsOf, QualityFound
from schemas.areas import load_areas
from schemas.events.registry import CASE_TOPIC, topics_in
from tests.support.strategies import History, histories


def children_of(history: History) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for topic in topics_in(CASE_TOPIC):
        messages = [line.message for line in history.lines if topic in line.topics]
        for child, event in decode(topic, messages).events:
            found.setdefault(child, []).append(event)
    return found


def said(*held: HeldQuality) -> tuple[object, object, object]:
    found = QualityFound()
    for it in held:
        found.add_held(it)
    return found.facts, found.lacking, found.kinds


@settings(deadline=None)
@given(histories(), st.data())
def test_what_is_held_is_what_all_records_say(history: History, data: st.DataObject) -> None:
    judging = QualityAsOf(load_areas(), calendar(), history.dates[0])
    children = children_of(history)
    held = HeldQuality()
    for child in data.draw(st.lists(st.sampled_from(sorted(children) or ["A"]), max_size=8)):
        known = children.get(child, [])
        if data.draw(st.booleans()):
            held.put(child, judging.of_child(known[: data.draw(st.integers(0, len(known)))]))
        else:
            held.forget([child, "nobody"])
    before, copied = said(held), held.copy()
    first, second = copied, HeldQuality()  # as of two shards
    first.forget(["A"])
    for number, (child, events) in enumerate(children.items()):
        at = (first, second)[number % 2]
        first.forget([child])
        at.put(child, judging.of_child(events))
    assert said(held) == before, "what was copied from changed"
    whole = QualityFound()
    for events in children.values():
        whole.add(judging.of_child(events))
    assert said(first, second) == (whole.facts, whole.lacking, whole.kinds)
    assert first.children + second.children == len(children)
