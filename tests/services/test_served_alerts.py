"""Alerts over HTTP: those of the command line, for who may see them, decided in the log."""

import csv
import io
import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from processors.days.calendar import LONDON
from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC
from streams.serving.parameters import PAGE_LENGTH
from streams.serving.roles import FORM, Role
from tests.support.alerting import Recorder, asked, change, indicator, receivers_file, tell, webhook
from tests.support.inbox import Inbox, serving
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

ANALYST, VIEWER = one_with(Role.ANALYST), one_with(Role.VIEWER)
LEAD = one_with(Role.LEAD, places=frozenset({"Unit A"}))
MANAGER = one_with(Role.MANAGER, places=frozenset({"Dover"}))
OURS, THEIRS = change(1, stand=1), change(2, owner="Unit B", area="Dover", stand=1)
BODY = b'{"note": "Visit booked", "for": "3d", "version": 1}'
JSON = {"content-type": "application/json"}


@pytest.fixture
def served(caseline: CommandLine, recorder: Recorder, rules: Rules) -> Served:
    recorder.judge(time.time())
    recorder.record(OURS, THEIRS)
    return Served(caseline.settings, rules)


def deciding(alert: str, action: str = "acknowledge", body: bytes = BODY) -> Asks:
    return Asks(f"/api/v1/alerts/{alert}/{action}", LEAD, "POST", JSON, body)


def entries(caseline: CommandLine, folder: Path) -> list[dict[str, object]]:
    caseline.run("topics", "export", AUDIT_TOPIC, folder / "audit.jsonl")
    kept = map(json.loads, (folder / "audit.jsonl").read_bytes().splitlines())
    return [it for it in kept if it["result"] != "signed-in"]


def test_programs_and_pages_list_what_the_command_does_and_a_lead_their_own(
    served: Served, caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.record(*(change(n, owner="Unit B") for n in range(10, 10 + PAGE_LENGTH)))
    first, second, table, page, own, unit, wrong, beyond = served.ask_all(
        [
            Asks("/api/v1/alerts", ANALYST),
            Asks("/api/v1/alerts?page=2", ANALYST),
            Asks("/api/v1/alerts.csv", ANALYST),
            Asks("/alerts", ANALYST),
            Asks("/api/v1/alerts", LEAD),
            Asks("/api/v1/alerts?owner=Unit+A&standard=unit-contact&area=Kent", ANALYST),
            Asks("/api/v1/alerts?standard=unit-contct", ANALYST),
            Asks("/api/v1/alerts?page=3", ANALYST),
        ]
    )
    command = json.loads(asked(caseline, "list", "--format", "json").stdout)
    assert [*first.json()["rows"], *second.json()["rows"]] == command
    assert first.json()["cases"] == PAGE_LENGTH + 2
    assert [it["case"] for it in csv.DictReader(io.StringIO(table.text))] == [
        it["case"] for it in first.json()["rows"]
    ]
    assert all(f">{it['case']}<" in page.text for it in first.json()["rows"])
    assert [it["alert"] for it in own.json()["rows"]] == [OURS.alert]
    assert [it["alert"] for it in unit.json()["rows"]] == [OURS.alert]
    assert (wrong.status_code, beyond.status_code) == (400, 400)
    assert {it.headers["cache-control"] for it in (first, table, page, own)} == {"no-store"}
    said = entries(caseline, tmp_path)
    assert [(it["route"], it["cases"], it["total"]) for it in said] == [
        ("alerts", PAGE_LENGTH, PAGE_LENGTH + 2),
        ("alerts", 2, PAGE_LENGTH + 2),
        ("alerts.csv", PAGE_LENGTH, PAGE_LENGTH + 2),
        ("alerts-page", PAGE_LENGTH, PAGE_LENGTH + 2),
        ("alerts", 1, 1),
        ("alerts", 1, 1),
    ]


def test_an_alert_is_acknowledged_and_silenced_once_the_audit_log_has_it(
    served: Served, caseline: CommandLine, tmp_path: Path
) -> None:
    form = {"content-type": FORM, "origin": "http://localhost"}
    silence = b"note=Away+until+Monday&for=1w&version=1"
    by_program, by_form, account, page = served.ask_all(
        [
            deciding(OURS.alert),
            Asks(f"/alerts/{OURS.alert}/silence", LEAD, "POST", form, silence),
            Asks(f"/api/v1/alerts/{OURS.alert}", LEAD),
            Asks(f"/alerts/{OURS.alert}", LEAD),
        ]
    )
    assert by_program.json()["result"] == "acknowledged"
    assert (by_form.status_code, by_form.headers["location"]) == (303, f"/alerts/{OURS.alert}")
    told = account.json()
    assert (told["acknowledgement"]["by"], told["acknowledgement"]["stand"]) == ("someone", 1)
    assert [it["reason"] for it in told["silences"]] == ["Away until Monday"]
    assert "Acknowledged by someone" in page.text
    rows = json.loads(asked(caseline, "list", "--format", "json").stdout)
    (row,) = [it for it in rows if it["alert"] == OURS.alert]
    assert row["acknowledged_by"] == "someone"
    assert row["silenced_until"]
    said = entries(caseline, tmp_path)
    assert [it["result"] for it in said] == ["acknowledged", "silenced", "shown", "shown"]
    assert {it["query"] for it in said} == {f"alert={OURS.alert}"}


def test_what_is_not_theirs_has_changed_or_is_over_is_not_decided(
    served: Served, caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.record(change(3), change(3, version=2, state="resolved"))
    other, looked, stale, over, analyst = served.ask_all(
        [
            deciding(THEIRS.alert),
            Asks(f"/alerts/{THEIRS.alert}", one_with(Role.LEAD)),
            deciding(OURS.alert, body=BODY.replace(b"1}", b"7}")),
            deciding(change(3).alert),
            deciding(OURS.alert)._replace(who=ANALYST),
        ]
    )
    assert (other.status_code, looked.status_code) == (404, 404)
    assert "P2" not in looked.text
    assert (stale.status_code, over.status_code) == (409, 409)
    assert "look again" in stale.text
    assert analyst.status_code == 403
    rows = json.loads(asked(caseline, "list", "--format", "json").stdout)
    assert {it["acknowledged_by"] for it in rows} == {None}
    assert [it["result"] for it in entries(caseline, tmp_path)].count("denied") == 3


def test_what_somebody_wrote_in_a_form_that_is_refused_comes_back_to_them_alone(
    served: Served,
) -> None:
    form = {"content-type": FORM, "origin": "http://localhost", "accept": "text/html"}
    stale = b"note=Rang+%26+%3Cb%3Ewrote%3C%2Fb%3E&for=3d&version=7"
    acknowledging = Asks(f"/alerts/{OURS.alert}/acknowledge", LEAD, "POST", form, stale)
    elsewhere = {**form, "origin": "http://elsewhere.example"}
    refused, odd, no_form, from_elsewhere = served.ask_all(
        [
            acknowledging,
            acknowledging._replace(body=stale + b"&note=twice"),
            acknowledging._replace(headers={**form, "content-type": "text/plain"}),
            acknowledging._replace(headers=elsewhere),
        ]
    )
    assert refused.status_code == 409
    assert "Rang &amp; &lt;b&gt;wrote&lt;/b&gt;</textarea>" in refused.text
    assert [it.status_code for it in (odd, no_form, from_elsewhere)] == [400, 415, 403]
    assert not any("wrote" in it.text for it in (odd, no_form, from_elsewhere))


def test_today_names_no_case_and_says_to_others_only_what_gives_none_away(
    served: Served, recorder: Recorder
) -> None:
    recorder.record(*(change(n, standard="unit-plan", area="Dover") for n in range(10, 17)))
    for who, shown in ((ANALYST, True), (LEAD, True), (VIEWER, False), (MANAGER, False)):
        page = served.ask("/", who)
        assert page.status_code == 200
        assert not any(f"{kind}{n}<" in page.text for kind in "PC" for n in (1, 2, *range(10, 17)))
        assert (OURS.alert in page.text) == (shown and who is not MANAGER)
        again = served.ask("/", who, headers={"if-none-match": page.headers["etag"]})
        assert again.status_code == 304
        contact = page.text.partition("First contact within 10 working days")[2][:60]
        assert ("[c]" in contact) == (who is VIEWER)
        plans = page.text.partition("Plan within 28 days")[2][:60]
        assert ">7<" in plans or who is LEAD


@pytest.mark.usefixtures("hook_secret")
def test_an_alert_is_shown_with_its_history_whatever_it_is_about(
    served: Served, caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    figure = indicator()
    recorder.record(change(3), change(3, version=2, state="resolved"), figure)
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
    settings = caseline.settings.model_copy(update={"receivers_file": path})
    over, page, of_figure, figure_page, listed, ours, ours_page = replace(
        served, settings=settings
    ).ask_all(
        [
            Asks(f"/api/v1/alerts/{change(3).alert}", ANALYST),
            Asks(f"/alerts/{change(3).alert}", ANALYST),
            Asks(f"/api/v1/alerts/{figure.alert}", ANALYST),
            Asks(f"/alerts/{figure.alert}", ANALYST),
            Asks("/alerts", ANALYST),
            Asks(f"/api/v1/alerts/{OURS.alert}", LEAD),
            Asks(f"/alerts/{OURS.alert}", LEAD),
        ]
    )
    assert over.json()["alert"]["state"] == "resolved"
    assert [it["version"] for it in over.json()["history"]] == [1, 2]
    published = datetime.fromisoformat(over.json()["history"][0]["published"])
    assert f"{published.astimezone(LONDON):%Y-%m-%d %H:%M:%S}" in page.text
    assert "resolved, done-late" in page.text
    (step,) = ours.json()["history"]
    taken = datetime.fromisoformat(step["taken"]["hook"]).astimezone(LONDON)
    assert f"hook {taken:%Y-%m-%d %H:%M:%S}" in ours_page.text
    assert ours.json()["told"] == {"hook": f"told: breached since {OURS.since}"}
    assert of_figure.json()["alert"]["indicator"] == figure.indicator
    assert figure.value_text in figure_page.text
    assert figure.value_text in listed.text


def test_nothing_is_shown_or_decided_while_the_audit_log_cannot_be_written(
    served: Served, caseline: CommandLine, kafka: Server
) -> None:
    kafka.stop()
    answers = served.ask_all([Asks("/alerts", ANALYST), deciding(OURS.alert), Asks("/", LEAD)])
    assert [it.status_code for it in answers] == [503, 503, 200]
    assert "C1" not in answers[0].text
    rows = json.loads(asked(caseline, "list", "--format", "json").stdout)
    assert {it["acknowledged_by"] for it in rows} == {None}
