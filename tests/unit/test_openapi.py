"""The OpenAPI document: it is one, has every route, and its examples are as its schemas say."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processors.rules import Rules
from streams.serving.openapi import document
from streams.serving.parameters import PARAMETERS
from streams.serving.roles import EVERYONE, ROUTES

Operation = dict[str, Any]


@pytest.fixture(scope="module")
def told(rules: Rules) -> dict[str, Any]:
    return document(rules, is_signed_in=True)


@pytest.fixture(scope="module")
def operations(told: dict[str, Any]) -> dict[tuple[str, str], Operation]:
    return {
        (path, method.upper()): operation
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    }


def test_it_has_every_route_and_no_other(operations: dict[tuple[str, str], Operation]) -> None:
    paths = {(re.sub(":str", "", it.path), method) for it in ROUTES for method in it.methods}
    assert operations.keys() == paths
    names = [it["operationId"] for it in operations.values()]
    assert len(set(names)) == len(names)


def test_a_route_has_its_parameters_and_says_who_may_ask(
    operations: dict[tuple[str, str], Operation],
) -> None:
    for route in ROUTES:
        told = operations[route.path.replace(":str", ""), route.methods[0]]
        asked = [it["name"] for it in told["parameters"] if it["in"] == "query"]
        assert asked == [*route.parameters]
        assert (told["security"] == []) is (route.roles == EVERYONE)
        if route.roles != EVERYONE:
            assert all(role in told["description"] for role in route.roles)


def test_a_parameter_says_what_it_may_be(operations: dict[tuple[str, str], Operation]) -> None:
    found = [it for told in operations.values() for it in told["parameters"] if it["in"] == "query"]
    assert {it["name"] for it in found} == PARAMETERS.keys()
    for it in found:
        form = it["schema"].get("items", it["schema"])
        asked_for, nothing = form["anyOf"]
        assert nothing == {"const": ""}
        assert asked_for.keys() & {"enum", "pattern", "maxLength", "maximum"}, it["name"]


def references(told: object) -> list[str]:
    if isinstance(told, dict):
        own = [told["$ref"]] if isinstance(told.get("$ref"), str) else []
        return own + [it for value in told.values() for it in references(value)]
    return [it for value in told for it in references(value)] if isinstance(told, list) else []


def test_nothing_refers_to_what_is_not_there(told: dict[str, Any]) -> None:
    there = {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}
    assert {*references(told)} <= there


def test_schemas_are_schemas_and_examples_are_as_they_say(told: dict[str, Any]) -> None:
    contents = [
        content
        for methods in told["paths"].values()
        for operation in methods.values()
        for holder in (operation.get("requestBody", {}), *operation["responses"].values())
        for content in holder.get("content", {}).values()
    ]
    with_examples = 0
    for content in contents:
        schema = {"components": told["components"], **content["schema"]}
        Draft202012Validator.check_schema(schema)
        if "example" in content:
            Draft202012Validator(schema).validate(content["example"])
            with_examples += 1
    assert with_examples >= 5


def test_nobody_has_to_sign_in_where_there_is_no_way_to(rules: Rules) -> None:
    told = document(rules, is_signed_in=False)
    found = [it["security"] for methods in told["paths"].values() for it in methods.values()]
    assert not any(found)
