"""What one definition is claimed to say of another: never more than holds."""

import json
from typing import Any

import pytest

from schemas.catalogue import Measure, load_catalogue
from snapshots.disclosure.counts import Formulas
from snapshots.disclosure.implication import are_apart, implies
from snapshots.disclosure.implied_sums import relations
from snapshots.disclosure.over_months import carried

Fields = dict[str, Any]
OPEN: Fields = {"of": "case", "state": "open", "holder": {"any_of": ["family-support"]}}
CLOSED: Fields = {**OPEN, "state": "closed"}
WAIT: Fields = {"from": "receipt", "to": "service_worker", "unit": "working-days"}
IN_TIME: Fields = {**WAIT, "at_most": 2}
LATE: Fields = {**WAIT, "more_than": 2}
MONTHS: Fields = {"from": "received", "to": "plan", "unit": "months"}


def measure(name: str = "m", **fields: Any) -> Measure:
    return Measure.model_validate_json(json.dumps({"name": name, **fields}))


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ({**OPEN, "flags": ["troubled_families_evidence"]}, OPEN),
        ({**OPEN, "limit": IN_TIME}, {**OPEN, "limit": {**IN_TIME, "at_most": 5}}),
        ({**OPEN, "limit": IN_TIME}, {**OPEN, "limit": {**IN_TIME, "unended": True}}),
        (
            {**OPEN, "limit": {**MONTHS, "at_most": 2}},
            {**OPEN, "limit": {**MONTHS, "at_most": 3}},
        ),
        ({**OPEN, "limit": IN_TIME}, {**OPEN, "starts": [{"day": "service_worker"}]}),
        (CLOSED, {"of": "case", "starts": [{"day": "closed"}]}),
    ],
)
def test_what_asks_for_more_counts_among_what_asks_for_less(part: Fields, whole: Fields) -> None:
    assert implies(measure(**part), measure(**whole))
    assert not implies(measure(**whole), measure(**part))


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        # what has not ended is within no bound, and its end has not come
        ({**OPEN, "limit": {**LATE, "unended": True}}, {**OPEN, "limit": LATE}),
        (
            {**OPEN, "limit": {**LATE, "unended": True}},
            {**OPEN, "starts": [{"day": "service_worker"}]},
        ),
        # a window of another kind
        (
            {**OPEN, "window": {"day": "receipt", "kind": "month-after", "months": 12}},
            {**OPEN, "window": {"day": "receipt", "kind": "months-after", "months": 6}},
        ),
        (
            {**OPEN, "window": {"day": "receipt", "kind": "until-year-end"}},
            {**OPEN, "window": {"day": "receipt", "kind": "financial-year"}},
        ),
        # three months may be longer than ninety days
        (
            {**OPEN, "limit": {**MONTHS, "at_most": 3}},
            {**OPEN, "limit": {**MONTHS, "unit": "days", "at_most": 90}},
        ),
        # the time in which a service had a case is no case
        ({"of": "spell", "holder": OPEN["holder"]}, {"of": "case"}),
    ],
)
def test_nothing_is_claimed_that_need_not_hold(part: Fields, whole: Fields) -> None:
    assert not implies(measure(**part), measure(**whole))


def test_a_limit_without_an_end_is_not_taken_for_a_short_time() -> None:
    year = {"day": "received", "kind": "last-months", "months": 12}
    month = {"day": "closed", "kind": "month"}
    limit = {"from": "received", "to": "closed", "unit": "days", "at_most": 180}
    whole = measure(**CLOSED, window=year)
    assert implies(measure(**CLOSED, window=month, limit=limit), whole)
    assert not implies(measure(**CLOSED, window=month, limit={**limit, "unended": True}), whole)


def test_limits_that_meet_are_apart_unless_both_count_what_has_not_ended() -> None:
    early: Fields = {**OPEN, "limit": IN_TIME}
    late: Fields = {**OPEN, "limit": LATE}
    unended = [{**it, "limit": {**it["limit"], "unended": True}} for it in (early, late)]
    assert are_apart(measure(**early), measure(**late))
    assert are_apart(measure(**early), measure(**unended[1]))
    assert are_apart(measure(**unended[0]), measure(**late))
    assert not are_apart(measure(**unended[0]), measure(**unended[1]))


def drawn(*measures: Measure) -> list[dict[str, int]]:
    """The differences drawn of measures that are each shown as a count."""
    count = next(it for it in load_catalogue().indicator if it.code == "EH01")
    shown = [
        count.model_copy(update={"code": it.name, "numerator": {it.name: 1}}) for it in measures
    ]
    return [dict(it) for it in relations(measures, Formulas(shown))]


def test_two_limits_together_count_what_has_none_only_where_the_end_has_come() -> None:
    planned = {"from": "received", "to": "plan", "unit": "days"}
    early = measure("early", **OPEN, limit={**planned, "at_most": 28})
    late = measure("late", **OPEN, limit={**planned, "more_than": 28})
    every, with_plan = measure("all", **OPEN), measure("with", **OPEN, starts=[{"day": "plan"}])
    found = drawn(early, late, every, with_plan)
    assert {"early": 1, "late": 1, "with": -1} in found
    assert {"with": 1, "early": -1, "late": -1} in found
    assert {"all": 1, "early": -1, "late": -1} in found
    assert {"early": 1, "late": 1, "all": -1} not in found


def test_two_limits_that_both_count_what_has_not_ended_are_not_added_up() -> None:
    early = measure("early", **OPEN, limit={**IN_TIME, "unended": True})
    late = measure("late", **OPEN, limit={**LATE, "unended": True})
    every = measure("all", **OPEN, starts=[{"day": "receipt"}])
    assert not any({"early", "late"} <= it.keys() for it in drawn(early, late, every))


@pytest.mark.parametrize(
    ("fields", "is_carried"),
    [({}, True), ({"flags": ["a"]}, False), ({"starts": [{"day": "plan"}]}, False)],
)
def test_months_are_carried_over_only_where_nothing_changes_after_them(
    fields: Fields, is_carried: bool
) -> None:
    month = measure(
        "month", of="notification", window={"day": "notified", "kind": "month"}, **fields
    )
    window = {"day": "notified", "kind": "months-after", "months": 3}
    after = measure("after", of="notification", window=window, **fields)
    count = load_catalogue().indicator[0]
    shown = [
        count.model_copy(update={"code": it.name, "numerator": {it.name: 1}})
        for it in (month, after)
    ]
    assert bool(carried([month, after], Formulas(shown))) == is_carried
