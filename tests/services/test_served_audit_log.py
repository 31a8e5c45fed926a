"""The audit log as an auditor reads it: the latest first, by pages, and by who and result."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC
from streams.clock import Clock
from streams.kafka import audit_reading
from streams.kafka.audit_log import Audited, AuditLog
from streams.serving.parameters import PAGE_LENGTH
from streams.serving.roles import Role
from tests.support.served import Asks, Served, one_with
from tests.support.topics import Sent, send
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)
AUDITOR = one_with(Role.AUDITOR)
LOG = "/api/v1/audit-log"


@pytest.fixture(scope="module")
def served(shared: CommandLine, rules: Rules) -> Served:
    return Served(shared.settings, rules, Clock(NOW - datetime.now(UTC)))


@pytest.fixture(scope="module", autouse=True)
def written(shared: CommandLine) -> None:
    """More than a page of what Ann was shown, what Bob was refused, what is of others, and junk."""

    async def write(deployment: str, entries: list[Audited]) -> None:
        async with AuditLog(shared.settings.kafka, deployment, lambda: NOW) as audit:
            for entry in entries:
                await audit.write(entry)

    shown = [
        Audited("Ann", ("analyst",), "cases", f"code=EH05&page={number}", "shown", 50, 500)
        for number in range(PAGE_LENGTH + 5)
    ]
    denied = Audited("Bob", ("viewer",), "cases", "code=EH05", "denied")
    asyncio.run(write(shared.settings.deployment, [denied, *shown]))
    asyncio.run(write("another", [Audited("Eve", (), "cases", "", "shown")]))
    send(shared.settings.kafka_bootstrap, AUDIT_TOPIC, [Sent(b"x", b"no entry", ())])


def pages(served: Served, query: str = "") -> list[list[dict[str, Any]]]:
    """The pages of entries, one after another."""
    found, cursor = list[list[dict[str, Any]]](), ""
    while True:
        answer = served.ask(f"{LOG}?{query}{cursor and f'&cursor={cursor}'}", AUDITOR)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found.append(told["entries"])
        cursor = told["next"]
        if cursor is None:
            return found


def test_the_latest_come_first_a_page_at_a_time_and_of_this_deployment_alone(
    served: Served,
) -> None:
    found = pages(served)
    assert all(len(it) <= PAGE_LENGTH for it in found)
    entries = [it for page in found for it in page]
    assert "Eve" not in {it["who"] for it in entries}
    by_ann = [it["query"] for it in entries if it["who"] == "Ann"]
    assert by_ann == [f"code=EH05&page={it}" for it in reversed(range(PAGE_LENGTH + 5))]
    assert (entries[-1]["who"], entries[-1]["result"]) == ("Bob", "denied")
    assert len(found) > 1


def test_that_it_was_read_is_in_it_first(served: Served) -> None:
    latest = served.ask(f"{LOG}?who=someone&result=shown", AUDITOR).json()["entries"][0]
    assert (latest["route"], latest["query"]) == ("audit-log", "result=shown&who=someone")
    assert latest["roles"] == ["auditor"]


def test_it_is_looked_through_by_who_and_result(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [it["who"] for page in pages(served, "result=denied") for it in page] == ["Bob"]
    (first, *others) = pages(served, "who=Ann")
    assert [len(first), sum(map(len, others))] == [PAGE_LENGTH, 5]
    # However few are looked through for one question, what is there is found by going on.
    monkeypatch.setattr(audit_reading, "AT_ONCE", 7)
    monkeypatch.setattr(audit_reading, "MOST_READ", 20)
    assert [it["who"] for page in pages(served, "who=Bob") for it in page] == ["Bob"]


def test_the_page_has_what_the_answer_has_and_says_what_is_no_entry(served: Served) -> None:
    page, wrong = served.ask_all(
        [Asks("/audit-log?who=Ann", AUDITOR), Asks("/audit-log?who=Nobody+at+all", AUDITOR)]
    )
    assert page.text.count("code=EH05&amp;page=") == PAGE_LENGTH
    assert "Older entries" in page.text
    assert "1 of the records that were read are no entries" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "None" in wrong.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("result=eaten", "there are shown, denied"),
        ("cursor=x", "none that was given out here"),
        ("cursor=-1", "none that was given out here"),
        ("cursor=9999999999999999999", "none that was given out here"),
        ("who=Ann&who=Bob", "more than once"),
    ],
)
def test_what_there_cannot_be_is_refused(served: Served, query: str, said: str) -> None:
    answer = served.ask(f"{LOG}?{query}", AUDITOR)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
