"""CONTRIBUTING.md, How to add: each of its recipes, in data or in a few lines."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import with_config
from typing_extensions import TypedDict

from processors.rules import Rules
from schemas.areas import Areas, load_areas
from schemas.catalogue import load_catalogue
from schemas.events import registry
from schemas.events.attributes import STRICT, Attributes, Name
from schemas.places import Places, Site, load_places
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import Line

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


def line(event_type: str, day: str, **data: Any) -> Line:
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
    return Line(1, (b"P1", json.dumps(event).encode(), ()), registry.topics_of(event_type))


def values(rules: Rules, lines: list[Line], day: date, level: str) -> dict[str, Any]:
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


@with_config(STRICT)
class Praise(TypedDict):
    """Data of a type of event that there is not."""

    words: Name


@with_config(STRICT)
class PraiseGiven(Attributes):
    """A type of event that there is not."""

    type: Literal["praise.given"]
    data: Praise


def test_an_event_type_is_an_entry_in_the_table_of_types(monkeypatch: pytest.MonkeyPatch) -> None:
    added = registry.EventType(PraiseGiven, registry.CASE_TOPIC, "child", ("case",))
    monkeypatch.setattr(registry, "EVENT_TYPES", (*registry.EVENT_TYPES, added))
    adapter = registry._adapter(registry.CASE_TOPIC)
    (event,) = [it.message[1] for it in [line("praise.given", "2016-03-01", words="Well done")]]
    assert adapter.validate_json(event or b"")["data"] == {"words": "Well done"}
    assert "praise.given" in registry.types_feeding("case")


def test_a_topic_about_no_child_shares_the_shards_of_its_group() -> None:
    assert registry.group_of("activity-events") == registry.CASE_TOPIC
    held = next(it for it in registry.EVENT_TYPES if "session.held" in it.names)
    assert (held.topic, held.key, held.feeds) == ("activity-events", "place", ("session",))
    assert set(registry.topic_names()) == set(registry.VALIDATORS)
    groups = [registry.topics_in(group) for group in registry.GROUPS]
    assert sorted(topic for group in groups for topic in group) == sorted(registry.topic_names())


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
