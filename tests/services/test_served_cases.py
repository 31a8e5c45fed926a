"""Cases behind a figure over HTTP: as many as it counts, and none that the audit log lacks."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC
from streams.clock import Clock
from streams.kafka.audit_log import Audited, AuditLog
from streams.serving.identity import Identity
from streams.serving.parameters import PAGE_LENGTH
from streams.serving.roles import Role
from tests.support.patience import SECONDS
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.stored_state import StoredState
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)
ANALYST, VIEWER = one_with(Role.ANALYST), one_with(Role.VIEWER)
LIST = "/api/v1/cases?code=EH05&place=Kent"


@pytest.fixture(scope="module")
def served(shared: CommandLine, rules: Rules) -> Served:
    StoredState(shared.settings, rules).add_file(DATA / "all-21.jsonl.gz")
    return Served(shared.settings, rules, Clock(NOW - datetime.now(UTC)))


class Kept(NamedTuple):
    """What the audit log has: every line, and each as it reads."""

    lines: list[bytes]
    said: list[dict[str, Any]]


def kept(shared: CommandLine, folder: Path, *results: str) -> Kept:
    """The audit log, as an operator exports it; of what it says, what came of it thus."""
    file = folder / "audit.jsonl"
    shared.run("topics", "export", AUDIT_TOPIC, file)
    shared.run("audit", "verify", file)
    lines = file.read_bytes().splitlines()
    return Kept(lines, [it for it in map(json.loads, lines) if it["result"] in results])


def test_a_list_has_what_its_figure_counts_and_the_audit_log_has_every_page(
    served: Served, shared: CommandLine, tmp_path: Path
) -> None:
    scorecard = served.ask("/api/v1/scorecard?code=EH05&area=Kent&age_band=all", ANALYST).json()
    (figure,) = scorecard["rows"]
    first = served.ask(LIST, ANALYST)
    pages = range(1, first.json()["pages"] + 1)
    answers = served.ask_all(Asks(f"{LIST}&page={it}", ANALYST) for it in pages)
    rows = [row for answer in answers for row in answer.json()["rows"]]
    assert sum(row["counts"] for row in rows) == figure["numerator"] == first.json()["sum"]
    assert len({(row["child"], row["subject"]) for row in rows}) == len(rows) > PAGE_LENGTH
    for answer in (first, *answers):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
    lines, said = kept(shared, tmp_path, "shown")
    assert [it["cases"] for it in said] == [
        len(answer.json()["rows"]) for answer in (first, *answers)
    ]
    assert {it["total"] for it in said} == {len(rows)}
    assert {(it["who"], it["route"]) for it in said} == {("someone", "cases")}
    # Each process wrote a chain of its own; the command has seen that they are whole, and sees
    # where one is not.
    assert len({it["chain"] for it in said}) == 2
    assert len(pages) > 1
    altered = tmp_path / "altered.jsonl"
    gone = next(at for at, it in enumerate(lines) if said[1] == json.loads(it))
    altered.write_bytes(b"\n".join(lines[:gone] + lines[gone + 1 :]))
    assert "is missing" in shared.run("audit", "verify", altered, code=4).stdout


def test_each_form_has_the_same_cases(served: Served) -> None:
    path = "?code=EH14&place=Dover&part=denominator"
    table, page, whole = served.ask_all(
        [
            Asks(f"/api/v1/cases{path}", ANALYST, headers={"accept": "text/csv"}),
            Asks(f"/cases{path}", ANALYST),
            Asks(f"/api/v1/cases{path}", ANALYST),
        ]
    )
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["subject"] for row in rows] == [it["subject"] for it in whole.json()["rows"]]
    assert rows
    assert all(row["subject"] in page.text for row in rows)
    assert not any(row["child"] in str(page.url) for row in rows)


def test_the_audit_log_has_who_came_in_who_was_refused_and_what_was_taken_away(
    served: Served, shared: CommandLine, tmp_path: Path
) -> None:
    ann = Identity("Ann", frozenset({Role.VIEWER}))
    export = "/api/v1/scorecard?code=EH05&area=Dover"
    asked = [Asks(LIST, ann), Asks("/operations", ann), Asks(f"{export}&page=1", ann)]
    asked += [Asks(export, ann, headers={"accept": "text/csv"}), Asks(export, ann)]
    assert [it.status_code for it in served.ask_all(asked)] == [403, 403, 400, 200, 200]
    _, said = kept(shared, tmp_path, "signed-in", "denied", "exported")
    hers = [it for it in said if it["who"] == "Ann"]
    assert [(it["result"], it["route"], it["query"]) for it in hers] == [
        ("signed-in", "", ""),
        ("denied", "cases", LIST.partition("?")[2]),
        ("denied", "operations-page", ""),
        ("exported", "scorecard", "area=Dover&code=EH05"),
    ]
    assert {tuple(it["roles"]) for it in hers} == {("viewer",)}
    assert hers[0]["origin"] == "127.0.0.1"


def test_cases_of_odd_facts_are_named_once_the_audit_log_has_that(
    served: Served, shared: CommandLine, tmp_path: Path
) -> None:
    path = "/api/v1/quality/in-the-future?as_of=2016-02-29"
    counts, first, page, refused = served.ask_all(
        [
            Asks("/api/v1/quality?as_of=2016-02-29", ANALYST),
            Asks(path, ANALYST),
            Asks(path.replace("/api/v1", ""), ANALYST),
            Asks(path, one_with(Role.PUBLISHER)),
        ]
    )
    facts = next(it for it in counts.json()["odd_facts"] if it["kind"] == "in-the-future")
    assert facts["facts"] == first.json()["facts"] > PAGE_LENGTH == len(first.json()["rows"])
    assert all(it["case"] in page.text for it in first.json()["rows"])
    assert first.headers["cache-control"] == page.headers["cache-control"] == "no-store"
    assert refused.status_code == 403
    _, said = kept(shared, tmp_path, "shown", "denied")
    about = [it for it in said if it["route"].startswith("odd-facts")]
    assert [(it["route"], it["result"], it["cases"]) for it in about] == [
        ("odd-facts", "shown", PAGE_LENGTH),
        ("odd-facts-page", "shown", PAGE_LENGTH),
        ("odd-facts", "denied", 0),
    ]
    assert "kind=in-the-future" in about[0]["query"]


REFUSED = [
    ("", "which indicator"),
    ("code=EH99", "EH99: there are"),
    ("code=EH05&code=EH06", "one at a time"),
    ("code=EH05&part=half", "there are numerator, denominator"),
    ("code=EH05&part=denominator", "divided by nothing"),
    ("code=EH05&level=galaxy", "galaxy: there are"),
    ("code=EH05&level=district", "which place of that kind?"),
    ("code=EH05&page=0", "no number of a page"),
    ("code=EH05&page=-1", "no number of a page"),
    ("code=EH05&page=9999", "page: there are"),
    ("code=EH35", "supplied by others"),
    ("code=EH05&place=Atlantis", "no figure of"),
    ("code=EH05&age_band=99", "99: there are"),
]


def test_a_list_that_there_cannot_be_is_refused(served: Served) -> None:
    answers = served.ask_all(Asks(f"/api/v1/cases?{query}", ANALYST) for query, _ in REFUSED)
    for (query, said), answer in zip(REFUSED, answers, strict=True):
        assert answer.status_code == 400, query
        assert said in answer.json()["detail"], query


def test_no_case_is_shown_while_the_audit_log_cannot_be_written(
    served: Served, kafka: Server
) -> None:
    kafka.stop()
    for path in (LIST, LIST.replace("/api/v1", "")):
        answer = served.ask(path, ANALYST)
        assert answer.status_code == 503
        assert "audit log cannot be written" in answer.text
        assert "case-" not in answer.text
    assert served.ask("/api/v1/scorecard?code=EH05", ANALYST).status_code == 200
    assert served.ask(LIST, VIEWER).status_code == 403


def test_what_is_noted_while_kafka_is_away_is_written_once_it_is_back(
    shared: CommandLine, kafka: Server, tmp_path: Path
) -> None:
    settings = shared.settings

    async def noted() -> None:
        kafka.stop()
        now = Clock().now
        async with AuditLog(settings.kafka, settings.deployment, now) as audit:
            for number in range(3):
                audit.note(Audited("Bob", (), "cases", f"page={number}", "denied"))
            await asyncio.to_thread(kafka.start)
            async with asyncio.timeout(SECONDS):
                while audit.waiting:
                    await asyncio.sleep(0.05)

    asyncio.run(noted())
    _, said = kept(shared, tmp_path, "denied")
    his = [it["query"] for it in said if it["who"] == "Bob"]
    # One that Kafka did not confirm in time may be there twice.
    assert sorted(set(his)) == ["page=0", "page=1", "page=2"]


def test_an_operator_sees_what_doctor_finds_and_no_case(served: Served) -> None:
    operator = one_with(Role.OPERATOR)
    data, page, cases = served.ask_all(
        Asks(path, operator) for path in ("/api/v1/operations", "/operations", LIST)
    )
    found = data.json()["findings"]
    assert {"Redis"} <= {it["what"] for it in found}
    assert {it["verdict"] for it in found} <= {"good", "odd", "wrong"}
    assert not any(AUDIT_TOPIC in it["what"] and it["verdict"] == "wrong" for it in found)
    assert all(it["what"] in page.text for it in found)
    assert cases.status_code == 403
