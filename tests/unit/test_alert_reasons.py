"""Why an alert is over: each reason means what docs/alerts.md says, however late it was learnt."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from processors.record.decoding import Message
from processors.rules import Rules
from schemas.alerts import CaseChange, Reason
from tests.support.onechild import (
    FAMILY_SUPPORT,
    RECEIVED,
    UNIT,
    OneChild,
    event,
    given,
    received,
    retraction,
)

DOCS = Path(__file__).resolve().parents[2] / "docs/alerts.md"


def test_the_docs_define_each_reason_once_and_no_other() -> None:
    section = DOCS.read_text("utf-8").partition("\n## Reasons\n")[2].partition("\n## ")[0]
    defined = re.findall(r"^\| `([a-z-]+)` \| .{20,} \|$", section, re.MULTILINE)
    assert sorted(defined) == sorted(get_args(Reason))


@pytest.fixture
def deployment(rules: Rules) -> OneChild:
    return OneChild(rules)


def reasons(changes: dict[str, CaseChange]) -> dict[str, str | None]:
    return {name: it.reason for name, it in changes.items()}


def states(changes: dict[str, CaseChange]) -> dict[str, tuple[str, str | None]]:
    return {name: (it.state, it.reason) for name, it in changes.items()}


def raised(deployment: OneChild, *more: Message) -> None:
    """A unit's case whose contact is late by 19 October."""
    told = deployment.on("2015-10-19", received(), given("2015-10-01", **UNIT), *more)
    assert told["unit-contact 1"].state == "breached"


def test_a_case_that_another_service_was_meant_to_have_was_never_there(
    deployment: OneChild,
) -> None:
    raised(deployment)
    told = deployment.on("2015-10-19", given("2015-10-01", revision=1, **FAMILY_SUPPORT))
    assert reasons(told)["unit-contact 1"] == "corrected"


def test_an_allocation_that_was_retracted_makes_its_alert_retracted(
    deployment: OneChild,
) -> None:
    raised(deployment)
    told = deployment.on("2015-10-19", retraction("given"))
    assert reasons(told) == {"unit-contact 1": "retracted"}


def test_an_allocation_corrected_beside_a_retraction_of_something_else_is_corrected(
    deployment: OneChild,
) -> None:
    raised(deployment, event("referrer.contacted", "2015-10-02", "call"))
    told = deployment.on(
        "2015-10-19", retraction("call"), given("2015-10-01", revision=1, **FAMILY_SUPPORT)
    )
    assert reasons(told)["unit-contact 1"] == "corrected"


def test_a_notification_that_was_retracted_makes_its_alerts_retracted(
    deployment: OneChild,
) -> None:
    raised(deployment)
    assert reasons(deployment.on("2015-10-19", retraction("received"))) == {
        "unit-contact 1": "retracted"
    }


def test_a_notification_corrected_to_a_later_day_is_corrected(deployment: OneChild) -> None:
    raised(deployment)
    later = event("notification.received", "2015-10-12", "received", 1, **RECEIVED)
    assert reasons(deployment.on("2015-10-19", later)) == {"unit-contact 1": "corrected"}


def test_a_milestone_does_not_count_for_a_service_that_never_had_the_case(
    deployment: OneChild,
) -> None:
    raised(deployment)
    told = deployment.on(
        "2015-10-19",
        given("2015-10-01", revision=1, **FAMILY_SUPPORT),
        event("contact.made", "2015-10-19"),
    )
    assert reasons(told)["unit-contact 1"] == "corrected"


@pytest.mark.parametrize("day", ["2015-10-05", "2015-10-19"])
def test_a_transfer_learnt_late_or_on_the_day_is_a_transfer(deployment: OneChild, day: str) -> None:
    raised(deployment)
    told = deployment.on("2015-10-19", given(day, "given on", **FAMILY_SUPPORT))
    assert reasons(told)["unit-contact 1"] == "transferred"


def test_what_was_over_and_rests_on_a_retracted_allocation_is_retracted(
    deployment: OneChild,
) -> None:
    raised(deployment, event("contact.made", "2015-10-20"))
    assert reasons(deployment.on("2015-10-20")) == {"unit-contact 1": "done-late"}
    assert reasons(deployment.on("2015-10-21", retraction("given"))) == {
        "unit-contact 1": "retracted"
    }


def closed_and_reopened(day: str) -> Iterable[Message]:
    yield event("case.closed", f"{day}T13:00:00", outcome="Outcomes achieved")
    yield event("case.reopened", f"{day}T14:00:00")


def test_a_case_closed_and_reopened_within_a_day_is_in_its_next_episode(
    deployment: OneChild,
) -> None:
    raised(deployment)
    told = deployment.on("2015-10-21", *closed_and_reopened("2015-10-20"))
    assert states(told) == {
        "unit-contact 1": ("resolved", "closed"),
        "unit-contact 2": ("breached", None),
    }
    assert [str(it.since) for it in told.values()] == ["2015-10-20", "2015-10-20"]


def test_an_alert_raised_on_the_day_of_such_a_closure_is_closed(deployment: OneChild) -> None:
    told = deployment.on("2015-10-12", received(), given("2015-10-01", **UNIT))
    assert states(told) == {"unit-contact 1": ("due-soon", None)}
    told = deployment.on("2015-10-12", *closed_and_reopened("2015-10-12"))
    assert states(told) == {
        "unit-contact 1": ("resolved", "closed"),
        "unit-contact 2": ("due-soon", None),
    }


# Thursday 1 October 2015 is the receipt; two working days are up on Monday 5.
@pytest.mark.parametrize(
    ("what", "standard", "day"),
    [
        ("contact.made", "family-support-contact 1", "2015-10-16"),
        ("plan.completed", "family-support-plan 1", "2015-10-30"),
    ],
)
def test_another_services_contact_and_plan_do_not_count_for_a_commissioned_service(
    deployment: OneChild, what: str, standard: str, day: str
) -> None:
    came = [
        received("2015-09-01"),
        given("2015-09-01", "to the unit", **UNIT),
        event(what, "2015-09-30", "the unit's"),
        given("2015-10-01", **FAMILY_SUPPORT),
    ]
    assert deployment.on(day, *came)[standard].state == "breached"
    done = deployment.on(day, event(what, "2015-10-01", "the provider's"))
    assert done[standard].reason == "done"


@pytest.mark.parametrize(("day", "counts"), [("2015-09-24", True), ("2015-09-23", False)])
def test_a_worker_counts_from_five_working_days_before_receipt(
    deployment: OneChild, day: str, counts: bool
) -> None:
    told = deployment.on(
        "2015-10-06",
        received("2015-09-01"),
        event("worker.assigned", day),
        given("2015-10-01", **FAMILY_SUPPORT),
    )
    assert ("family-support-worker 1" not in told) == counts


def test_an_allocation_before_the_notification_is_received_with_it(deployment: OneChild) -> None:
    told = deployment.on(
        "2015-10-06", given("2015-09-01", **FAMILY_SUPPORT), received("2015-10-01")
    )
    assert told["family-support-worker 1"].due == date(2015, 10, 5)
