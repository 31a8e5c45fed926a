"""The JSON Schema that others write their producers by says what the stream accepts."""

import json
import re
from typing import Any

import pytest

from schemas.events.registry import (
    CASE_TOPIC,
    GROUPS,
    RETRACTION,
    VALIDATORS,
    group_of,
    json_schema,
    topics_of,
)
from tests.reference.topics import TOPICS

REQUIRED = ["specversion", "id", "source", "subject", "time", "partitionkey", "type"]


def variants(topic: str) -> dict[str, dict[str, Any]]:
    """By event type, the schema of its events, with the data's schema in place of its name."""
    schema = json_schema()["$defs"][topic]
    names: dict[str, str] = schema["discriminator"]["mapping"]
    return {kind: schema["$defs"][name.rsplit("/", 1)[1]] for kind, name in names.items()}


def data_of(topic: str, variant: dict[str, Any]) -> dict[str, Any]:
    data = variant["properties"]["data"]
    reference = data.get("$ref") or next(it["$ref"] for it in data["anyOf"] if "$ref" in it)
    found: dict[str, Any] = json_schema()["$defs"][topic]["$defs"][reference.rsplit("/", 1)[1]]
    return found


def test_the_schema_is_json_and_has_every_topic() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"].endswith("2020-12/schema")
    assert set(schema["$defs"]) == set(VALIDATORS) == set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_takes_its_own_types_and_retractions(topic: str) -> None:
    assert variants(topic).keys() == {*TOPICS[topic], RETRACTION}


def test_a_type_goes_to_the_topic_that_takes_it_and_a_retraction_to_every_group() -> None:
    for topic, kinds in TOPICS.items():
        for kind in kinds:
            assert topics_of(kind) == (topic,)
    assert topics_of(RETRACTION) == GROUPS
    assert {group_of(topic) for topic in VALIDATORS} == set(GROUPS)


@pytest.mark.parametrize(("topic", "kind"), [(it, kind) for it in TOPICS for kind in TOPICS[it]])
def test_required_attributes_and_fields_are_those_of_the_contract(topic: str, kind: str) -> None:
    variant, fields = variants(topic)[kind], TOPICS[topic][kind]
    required = {field for field in fields if not field.endswith("?")}
    assert set(variant["required"]) == {*REQUIRED, *(["data"] if required else [])}
    data = data_of(topic, variant)
    assert set(data.get("required", [])) == required
    assert set(data.get("properties", {})) == {field.rstrip("?") for field in fields}


def test_the_pattern_of_times_is_one_that_other_languages_read_alike() -> None:
    time = variants(CASE_TOPIC)["contact.made"]["properties"]["time"]
    assert time["format"] == "date-time"
    pattern = re.compile(time["pattern"])
    assert pattern.search("2015-06-30T23:30:00.25+01:00")
    assert not pattern.search("2015-06-30T23:30:00")
    assert "\\d" not in time["pattern"]  # other digits than ASCII's in some
