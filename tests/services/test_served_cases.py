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
from streams.serving.examinations import LEAST_SECONDS
from streams.serving.identity import Identity
from streams.serving.parameters import PAGE_LENGTH
from streams.serving.roles import Role
from tests.support.patience import SECONDS
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.stored_state import StoredState
from tests.support.workers import CommandLine

pytestmark = [pytest.mark.services, pytest.mark.long]

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


def test_a_case_is_opened_by_a_reference_that_says_nothing_of_it_and_the_audit_log_has_that(
    served: Served, shared: CommandLine, tmp_path: Path
) -> None:
    row = next(it for it in served.ask(LIST, ANALYST).json()["rows"] if it["team"])
    at = f"/cases/{row['reference']}"
    mine, other = ({"places": frozenset({it})} for it in (row["team"], "Unit nobody"))
    lead, stranger = one_with(Role.LEAD, **mine), one_with(Role.LEAD, **other)
    asked = [(f"/api/v1{at}", ANALYST), (at, ANALYST), (f"/api/v1{at}", lead), (at, stranger)]
    asked += [(at, VIEWER), ("/cases/" + "0" * 20, ANALYST), ("/cases/x", ANALYST)]
    answers = served.ask_all(Asks(*it) for it in asked)
    assert [it.status_code for it in answers] == [200, 200, 200, 404, 403, 404, 404]
    told, page = answers[0].json(), answers[1].text
    assert (told["subject"], told["child"]) == (row["subject"], row["child"])
    assert not {row["child"], row["subject"]} & set(at.split("/"))
    names = ("received", "closed", "service", "provider", "team")
    assert [told[it] for it in names] == [row[it] for it in names]
    assert answers[2].json()["events"] == told["events"]
    days = [it["day"] for it in told["events"]]
    assert days == sorted(days)
    assert row["received"] in days
    due = [it["due"] for it in told["standards"] if it["over"] is None]
    assert min(due, default=None) == row["next_due"]
    assert "Notification received" in page
    assert all(it["title"] in page for it in told["standards"])
    assert row["child"] not in answers[3].text
    for answer in answers[:3]:
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
    _, said = kept(shared, tmp_path, "shown", "denied")
    about = [it for it in said if it["route"] in {"case", "case-page"}]
    assert [(it["route"], it["result"]) for it in about] == [
        *(("case", "shown"), ("case-page", "shown"), ("case", "shown")),
        *(("case-page", "denied"), ("case-page", "denied")),
    ]
    assert row["reference"] in about[0]["query"]
    assert not any(row["child"] in it["query"] for it in about)


def test_a_past_day_of_a_case_has_what_had_happened_by_then(served: Served) -> None:
    rows = served.ask(LIST, ANALYST).json()["rows"]
    reference = next(it["reference"] for it in rows if it["received"] < "2017-06-01")
    path = f"/api/v1/cases/{reference}"
    now, then = (served.ask(it, ANALYST).json() for it in (path, f"{path}?as_of=2017-06-01"))
    by_then = [it for it in now["events"] if it["day"] <= "2017-06-01"]
    assert then["events"] == by_then
    assert then["later_events"] == len(now["events"]) - len(by_then) + now["later_events"]
    assert then["view"] == "as-at"


EXPLAINED = [
    "code=EH05&place=Kent&against=2017-05-31",
    "code=EH14&place=Kent&against=2017-06-15",
    "code=EH12&place=Kent&against=2017-05-31",
    "code=EH01&place=Kent&age_band=5-10&against=2017-05-31",
    "code=CEH01&against=2017-05-31",
]


@pytest.mark.parametrize("query", EXPLAINED)
def test_what_entered_and_left_a_figure_adds_up_to_the_difference(
    query: str, served: Served
) -> None:
    path = f"/api/v1/explanations?{query}"
    first = served.ask(path, ANALYST)
    told = first.json()
    pages = [Asks(f"{path}&page={it + 1}", ANALYST) for it in range(told["pages"])]
    rows = [row for answer in served.ask_all(pages) for row in answer.json()["rows"]]
    assert len(rows) == told["moved"] > 0
    for part in ("numerator", "denominator"):
        moves = told[f"{part}_moves"]
        by = sum(row[part] - row[f"{part}_before"] for row in rows)
        assert by == moves["entered"] - moves["left"]
        if told["now"][part] is not None and moves["entered"] + moves["left"]:
            assert told["by"][part] == by
            assert told["of_no_case"][part] == 0
    of_figure = "code={code}&place={place}&level={level}&age_band={age_band}".format(**told)
    for name, day in (("now", "2017-06-30"), ("before", told["against"])):
        (figure,) = served.ask(f"/api/v1/scorecard?{of_figure}&as_of={day}", ANALYST).json()["rows"]
        assert told[name] == {it: figure[it] for it in ("numerator", "denominator", "value")}
    cases = {day: counted(served, of_figure, day) for day in ("2017-06-30", told["against"])}
    now, before = cases.values()
    moved = {key for key in now.keys() | before.keys() if now.get(key, 0) != before.get(key, 0)}
    assert moved <= {(row["child"], row["subject"]) for row in rows}
    window = (told["against"], "2017-06-30")
    assert any(row["events"] for row in rows)
    assert all(window[0] < it["day"] <= window[1] for row in rows for it in row["events"])
    assert first.headers["cache-control"] == "no-store"


def counted(served: Served, of_figure: str, day: str) -> dict[tuple[str, str], int]:
    """How often whoever makes up a numerator counts, by list."""
    path = f"/api/v1/cases?{of_figure}&as_of={day}"
    pages = range(1, served.ask(path, ANALYST).json()["pages"] + 1)
    answers = served.ask_all(Asks(f"{path}&page={it}", ANALYST) for it in pages)
    rows = [row for answer in answers for row in answer.json()["rows"]]
    return {(row["child"], row["subject"]): row["counts"] for row in rows}


def test_an_explanation_names_cases_to_who_may_see_them_alone(
    served: Served, shared: CommandLine, tmp_path: Path
) -> None:
    path = f"/explanations?{EXPLAINED[1]}"
    refused = [one_with(it) for it in Role if it is not Role.ANALYST]
    answers = served.ask_all(Asks(path, it) for it in refused)
    assert {it.status_code for it in answers} == {403}
    page, table = served.ask_all(
        [Asks(path, ANALYST), Asks(f"/api/v1{path}", ANALYST, headers={"accept": "text/csv"})]
    )
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert rows
    assert all(row["subject"] in page.text for row in rows)
    _, said = kept(shared, tmp_path, "shown")
    shown = [it for it in said if it["route"].startswith("explanations")]
    assert shown[-1]["cases"] == len(rows)
    answers = served.ask_all(
        Asks(f"/api/v1/explanations?code=EH05&against={it}", ANALYST)
        for it in ("2017-06-30", "2018-01-01", "yesterday", "2017-05/1", "2017-02-30", "1-1")
    )
    assert {it.status_code for it in answers} == {400}


def test_changes_are_the_figures_that_differ_part_after_part(served: Served) -> None:
    path = "/api/v1/changes?against=2017-06-23&age_band=all"
    rows, following, parts = [], "", 0
    while following is not None:
        answer = served.ask(f"{path}&cursor={following}" if following else path, ANALYST)
        told = answer.json()
        rows += told["rows"]
        following, parts = told["next"], parts + 1
        assert ("link" in answer.headers) == (following is not None)
    assert parts > 1
    assert len(rows) == told["changed"]
    scorecard = "/api/v1/scorecard?age_band=all&as_of="
    both = (served.ask(f"{scorecard}{it}", ANALYST) for it in ("2017-06-30", "2017-06-23"))
    now, then = (
        {(it["code"], it["level"], it["area"]): it for it in answer.json()["rows"]}
        for answer in both
    )
    names = ("numerator", "denominator", "value", "status")
    assert [(it["code"], it["level"], it["place"]) for it in rows] == [
        key for key, it in now.items() if any(it[name] != then[key][name] for name in names)
    ]
    for it in rows:
        key = it["code"], it["level"], it["place"]
        assert (it["before"], it["now"]) == (then[key]["value"], now[key]["value"])
    few = served.ask(f"{path}&code=EH01&area=Dover", ANALYST).json()["rows"]
    assert few
    for it in few:
        told = served.ask(it["explanation"], ANALYST).json()
        assert told["numerator_moves"]["entered_subjects"] == it["entered"]
        events = {(e["source"], e["id"]) for row in told["rows"] for e in row["events"]}
        assert len(events) == sum(int(e.split()[0]) for e in it["events"].split("; ") if e)


def test_changes_and_forecasts_are_of_the_places_that_one_sees(served: Served) -> None:
    own = one_with(Role.MANAGER, places=frozenset({"Thanet"}))
    for path in ("/api/v1/changes?against=2017-06-23", "/api/v1/forecast?on=2017-07-31"):
        mine, all_places, viewer, unlike = served.ask_all(
            [Asks(path, own), Asks(path, ANALYST), Asks(path, VIEWER), Asks(f"{path}&on=x", own)]
        )
        places = {it.get("area") or it["place"] for it in mine.json()["rows"]}
        assert {it.partition(" / ")[2] or it for it in places} == {"Thanet"}
        assert len(all_places.json()["rows"]) > len(mine.json()["rows"])
        assert viewer.status_code == 403
        assert unlike.status_code == 400
        tag = {"if-none-match": mine.headers["etag"]}
        assert served.ask(path, own, headers=tag).status_code == 304
        assert served.ask(path, ANALYST, headers=tag).status_code == 200


def test_a_forecast_has_each_day_of_each_place(served: Served) -> None:
    path = "/api/v1/forecast?area=Kent&area=Dover&on=2017-07-31&on=2017-07-07"
    table, data, refused = served.ask_all(
        [
            Asks(path.replace("forecast", "forecast.csv"), ANALYST),
            Asks(path, ANALYST),
            Asks("/api/v1/forecast?on=2017-06-30", ANALYST),
        ]
    )
    assert refused.status_code == 400
    rows = data.json()["rows"]
    assert [it["cases"] for it in rows] == [
        int(it["cases"]) for it in csv.DictReader(io.StringIO(table.text))
    ]
    standards = served.rules.standards.standard
    assert [it["on"] for it in rows] == ["2017-06-30", "2017-07-07", "2017-07-31"] * (
        2 * len(standards)
    )
    assert any(it["more"] for it in rows)
    for at in range(0, len(rows), 3):
        today = rows[at]
        assert today["more"] == 0
        assert all(it["more"] == it["cases"] - today["cases"] for it in rows[at : at + 3])


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
        Asks(path, operator) for path in ("/api/v1/operations", "/operations?show=now", LIST)
    )
    found = data.json()["findings"]
    assert {"Redis"} <= {it["what"] for it in found}
    assert {it["verdict"] for it in found} <= {"good", "odd", "wrong"}
    assert not any(AUDIT_TOPIC in it["what"] and it["verdict"] == "wrong" for it in found)
    assert all(it["what"] in page.text for it in found)
    rates = {it["topic"]: it for it in data.json()["rates"]}
    assert rates["case-events"]["waiting"] >= 0
    assert data.json()["rates_over_seconds"] >= LEAST_SECONDS
    assert all(topic in page.text for topic in rates)
    assert "Data to" in page.text
    assert cases.status_code == 403
