"""CONTRIBUTING.md, How to add: each of its recipes, in data or in a few lines."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from processors.rules import Rules
from schemas.areas import Areas, load_areas
from schemas.catalogue import load_catalogue
from schemas.events import registry
from schemas.places import Places, Site, load_places
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import EventLine
from tests.support.grown import grown, said

CATALOGUE = """
direction = "change"

[[measure]]
name = "waiting"
of = "case"
state = "open"
holder = { any_of = ["family-support"] }
starts = [{ day = "receipt", working_days = 3 }]

[measure.limit]
from = "receipt"
to = "service_contact"
unit = "working-days"
more_than = 3
unended = true

[[indicator]]
code = "NEW01"
title = "Families whose first contact was late"
definition = "Open cases of family support not contacted within 3 working days of receipt."
family = "New"
frequency = "M"
unit = "count"
polarity = "L"
bands = "none"
levels = ["county", "district", "provider"]
numerator = { waiting = 1 }
"""
RECEIVED, ALLOCATED = "notification.received", "case.allocated"


def line(event_type: str, day: str, **data: Any) -> EventLine:
    event = {
        "specversion": "1.0",
        "id": f"{event_type} {day}",
        "source": "urn:test",
        "type": event_type,
        "subject": "C1",
        "partitionkey": "P1",
        "time": f"{day}T10:00:00Z",
        "data": data,
    }
    return EventLine(1, (b"P1", json.dumps(event).encode(), ()), registry.topics_of(event_type))


def values(rules: Rules, lines: list[EventLine], day: date, level: str) -> dict[str, Any]:
    replay = Replay(rules)
    replay.add(lines)
    return {row.area: row.value for row in replay.rows(day, [level])}


def test_an_indicator_is_added_in_data_alone(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(CATALOGUE)
    rules = Rules(load_catalogue(file), load_areas())
    lines = [
        line(RECEIVED, "2016-03-01", notification_type="EHN", district="Thanet"),
        line(ALLOCATED, "2016-03-02", service="family-support", provider="Porchlight"),
    ]
    # 2016-03-02 is a Wednesday: the third working day after it is Monday the 7th.
    assert values(rules, lines, date(2016, 3, 7), "district")["Thanet"] == 0
    assert values(rules, lines, date(2016, 3, 8), "district")["Thanet"] == 1
    assert values(rules, lines, date(2016, 3, 8), "provider") == {"Porchlight": 1}
    in_time = [*lines, line("contact.made", "2016-03-07")]
    assert values(rules, in_time, date(2016, 3, 8), "district")["Thanet"] == 0
    late = [*lines, line("contact.made", "2016-03-08")]
    assert values(rules, late, date(2016, 3, 9), "district")["Thanet"] == 1


REGISTRY = "schemas/events/registry.py"
TYPE = """

@with_config(STRICT)
class {name}(Attributes):
    \"\"\"A type of event that there is not.\"\"\"

    type: Literal["{type}"]
    data: {data}
"""
# Prints what comes of the events of a file, live and recounted, and what is known of topics.
PROGRAM = """
import json, sys
from datetime import date
from pathlib import Path

import schemas
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.events.registry import json_schema, topics_in, topics_of
from schemas.places import load_places
from schemas.settings import Settings
from streams.kafka.eventfiles import read_events
from streams.kafka.topics import planned_topics
from tests.support.frozenlogs import FrozenLog

assert Path(schemas.__file__).is_relative_to(Path.cwd())
code, kind = sys.argv[1:]
judged = list(read_events(Path("events.jsonl")))
rules = Rules(load_catalogue(), load_areas(), places=load_places())
log = FrozenLog(rules, [line for it in judged for line in it.good])
day = date(2016, 3, 8)
live, recounted = (
    {f"{it.code} {it.level} {it.area} {it.age_band}": it.numerator for it in rows}
    for rows in (log.scorecard(day), log.recount(day))
)
print(json.dumps({
    "bad": sum(len(it.bad) for it in judged),
    "records": {topic: sum(map(len, found)) for topic in topics_in("case-events")
                for found in [[it for (name, _), it in log.records.items() if name == topic]]},
    "agree": live == recounted,
    "cells": {cell: number for cell, number in live.items() if number and cell.startswith(code)},
    "topics": topics_of(kind),
    "planned": {it.name: it.partitions for it in planned_topics(Settings())},
    "schemas": [topic for topic, it in json_schema()["$defs"].items() if kind in json.dumps(it)],
}))
"""


def outcome(folder: Path, lines: list[EventLine], code: str, kind: str) -> dict[str, Any]:
    """What the program says of events."""
    text = b"".join((it.message[1] or b"") + b"\n" for it in lines)
    (folder / "events.jsonl").write_bytes(text)
    found: dict[str, Any] = said(folder, PROGRAM, code, kind)
    return found


def test_an_event_type_is_an_entry_in_the_table_of_types(tmp_path: Path) -> None:
    folder = grown(
        tmp_path,
        {
            "schemas/events/case.py": {
                "    data: Closure\n": TYPE.format(
                    name="PraiseGiven", type="praise.given", data="Allocation"
                )
            },
            REGISTRY: {
                "EVENT_TYPES = (\n": (
                    '    EventType(case.PraiseGiven, CASE_TOPIC, "child", ("case",)),\n'
                )
            },
        },
    )
    lines = [
        line(RECEIVED, "2016-03-01", notification_type="EHN", district="Thanet"),
        line("praise.given", "2016-03-02", service="unit"),
        line("praise.given", "2016-03-02", service="unit"),
        line("praise.given", "2016-03-03", service="nobody"),
    ]
    found = outcome(folder, lines, "EH01", "praise.given")
    assert (found["bad"], found["agree"]) == (1, True)
    assert found["records"]["case-events"] == 3
    assert found["topics"] == found["schemas"] == ["case-events"]
    assert found["cells"]["EH01 district Thanet all"] == 1


def test_a_topic_about_no_child_is_an_entry_in_the_table_of_topics(tmp_path: Path) -> None:
    visits = """\"\"\"Events of visits (docs/events.md).\"\"\"

from typing import Literal

from pydantic import with_config

from schemas.events.activity import Session
from schemas.events.attributes import STRICT, Attributes
"""
    folder = grown(
        tmp_path,
        {
            "schemas/events/visits.py": {
                "": visits + TYPE.format(name="VisitMade", type="visit.made", data="Session")
            },
            REGISTRY: {
                "from schemas.events import activity, case, reference, scs": ", visits",
                "    Topic(SCS_TOPIC, CASE_TOPIC),\n": '    Topic("visit-events", CASE_TOPIC),\n',
                "EVENT_TYPES = (\n": (
                    '    EventType(visits.VisitMade, "visit-events", "place", ("session",)),\n'
                ),
            },
        },
    )
    held = {"place": "Imago Thanet", "kind": "group", "participants": 4}
    lines = [
        line("visit.made", "2016-03-01", **held),
        line("visit.made", "2016-03-02", **held),
        line("session.held", "2016-03-02", **held),
        line("event.retracted", "2016-03-03", retracts="visit.made 2016-03-01"),
        line("visit.made", "2016-03-03", place="Imago Thanet"),  # of no kind
    ]
    found = outcome(folder, lines, "CEH19", "visit.made")
    assert (found["bad"], found["agree"]) == (1, True)
    assert found["records"]["visit-events"] == 2
    assert found["topics"] == found["schemas"] == ["visit-events"]
    same = found["planned"]["case-events"]
    assert found["planned"]["visit-events"] == same
    assert found["planned"]["visit-events.dead-letter"] == same
    counted = {
        cell.removeprefix("CEH19 ") for cell, number in found["cells"].items() if number == 2
    }
    assert {"county Kent all", "district Thanet all", "provider Imago all"} <= counted


def test_a_level_of_areas_brings_the_same_level_of_providers(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(CATALOGUE.replace('"district"', '"ward", "provider-ward"'))
    tree = {
        "levels": ["county", "district", "ward"],
        "area": [
            {"name": "Kent", "level": "county"},
            {"name": "Thanet", "level": "district", "parent": "Kent"},
            {"name": "Birchington", "level": "ward", "parent": "Thanet"},
        ],
    }
    rules = Rules(load_catalogue(file), Areas.model_validate(tree))
    lines = [
        line(RECEIVED, "2016-03-01", notification_type="EHN", district="Birchington"),
        line(ALLOCATED, "2016-03-02", service="family-support", provider="Porchlight"),
    ]
    day = date(2016, 3, 8)
    assert values(rules, lines, day, "ward") == {"Birchington": 1}
    assert values(rules, lines, day, "provider-ward") == {"Porchlight / Birchington": 1}


def test_a_site_is_a_place_from_the_file_of_places_alone() -> None:
    places = load_places()
    site = Site(name="New Hub", kind="youth-hub", district="Thanet", provider="Pie Factory")
    more = Places(provider=places.provider, site=(*places.site, site))
    rules = Rules(load_catalogue(), load_areas(), places=more)
    registered = line(
        "registration.recorded",
        "2016-03-01",
        place="New Hub",
        kind="young-person",
        date_of_birth="2000-05-06",
        active=True,
        consent=True,
    )
    replay = Replay(rules)
    replay.add([registered])
    rows = replay.rows(date(2016, 3, 8), ["youth-hub"])
    (registered_there,) = [
        row.value for row in rows if (row.code, row.area) == ("CEH50", "New Hub")
    ]
    assert registered_there == 1
