"""Every computed indicator is counted, and is the same by brute force however its events arrive.

The worked examples of the reference pages together count something of each. Random histories
(test_all_topics) come upon rare ones, such as children's centres by status, too seldom.
"""

import json
import random
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from examples.indicator_pages.page import events_of, name_of
from examples.indicator_pages.stories import load
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.events.registry import GROUPS, REFERENCE_TOPIC, RETRACTION, topics_of
from schemas.places import load_places
from streams.kafka.eventfiles import EventLine
from tests.reference import KENT
from tests.reference.everything import figures
from tests.reference.places import Place, Ratio
from tests.support.agreement import rows_from_store
from tests.support.arrivals import STEPS, Arrival
from tests.support.durable import Worker, deliver
from tests.support.everywhere import KINDS_OF_SITE, expected, parsed, shown
from tests.support.strategies import Fields

PAGES = Path(__file__).parents[2] / "docs" / "indicators"
RULES = Rules(load_catalogue(), load_areas(), places=load_places())
SITES: dict[str, Place] = {
    it.name: {
        "kind": KINDS_OF_SITE.get(it.kind, it.kind),
        "district": it.district,
        "provider": it.provider,
    }
    for it in RULES.graph.places.site
}
COMPUTED = [it for it in RULES.catalogue.indicator if it.source == "events"]
AS_OF, _ = load()


def told() -> list[Fields]:
    """The events of all examples, those of each of people and sessions of its own."""
    found = []
    for indicator in COMPUTED:
        text = (PAGES / name_of(indicator)).read_text("utf-8")
        for number, it in enumerate(events_of(text)):
            topics, key = topics_of(it.type), it.key
            if topics != (REFERENCE_TOPIC,) and it.type != "session.held":
                key = f"{indicator.code} {it.key}"
            found.append(
                {
                    "specversion": "1.0",
                    "id": f"{number}",
                    "source": f"urn:{indicator.code}",
                    "type": it.type,
                    "subject": f"{indicator.code} {it.subject}",
                    "partitionkey": key,
                    "time": f"{it.on}T10:00:00Z",
                    "data": it.data,
                }
            )
    return found


def line(said: Fields) -> EventLine:
    message = said["partitionkey"].encode(), json.dumps(said).encode(), ()
    return EventLine(0, message, topics_of(said["type"]))


def altered(events: list[Fields], chance: random.Random) -> list[Fields]:
    """Some of the events corrected to another day, and some retracted."""
    corrected = []
    for it in chance.sample(events, len(events) // 10):
        day = date.fromisoformat(it["time"][:10]) + timedelta(days=chance.randint(-40, 40))
        corrected.append({**it, "revision": 1, "time": f"{day}T10:00:00Z"})
    retracted = [
        {**it, "id": f"no {it['id']}", "type": RETRACTION, "data": {"retracts": it["id"]}}
        for it in chance.sample(events, len(events) // 20)
    ]
    return [*corrected, *retracted]


def arriving(lines: list[EventLine], chance: random.Random) -> list[Arrival]:
    """Every line, some again, in any order, with any steps in between, though not often."""
    order = [*lines, *chance.sample(lines, len(lines) // 3)]
    chance.shuffle(order)
    steps = [*["go on"] * 60, *STEPS]
    return [Arrival(it, chance.choice(steps)) for it in order]


def test_the_examples_count_something_of_every_computed_indicator() -> None:
    found = figures(parsed(map(line, told())), SITES, AS_OF, KENT)
    counted = {cell[0] for cell, it in found.items() if isinstance(it, Ratio) and it.numerator}
    assert {it.code for it in COMPUTED} <= counted


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.dates(AS_OF - timedelta(days=90), AS_OF + timedelta(days=90)))
def test_any_arrival_of_the_examples_gives_the_scorecard_of_brute_force_at_every_place(
    seed: int, day: date
) -> None:
    chance = random.Random(seed)
    events = told()
    lines = [line(it) for it in (*events, *altered(events, chance))]
    workers = [Worker(RULES, group) for group in GROUPS]
    arrived = arriving(lines, chance)
    for worker in workers:
        deliver(worker, arrived)
    rows = rows_from_store(RULES, workers, day, RULES.graph.levels)
    assert shown(RULES, rows) == expected(RULES, parsed(lines), SITES, KENT, day)
