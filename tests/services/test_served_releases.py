"""Releases frozen, previewed and published by programs, and dead letters sent again: the same as
by commands, once, one at a time, and whatever becomes of the process that does it."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from processors.record.decoding import Rejection
from schemas.audit_entries import AUDIT_TOPIC, AuditEntry
from snapshots.releases.chain import seal
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.topic import published
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic, headers_of
from streams.serving.examples import EVENT
from tests.support.disclosing import step_downs
from tests.support.patience import SECONDS, wait_for
from tests.support.publishers import Publishers, keep, publishing
from tests.support.topics import Sent, everything, send
from tests.support.workers import CommandLine

pytestmark = [pytest.mark.services, pytest.mark.long]

TOPIC = "case-events"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # else every question reads all authorities first
FREEZE = {"period": "2017-04", "kind": "first", "reason": "Month-end."}
BAD = b'{"specversion": "1.0", "note": "Ann"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "publishing"
    made.mkdir()
    return made


@pytest.fixture
def served(caseline: CommandLine, folder: Path) -> Iterator[Publishers]:
    with publishing(caseline, folder) as it:
        yield it


class Program:
    """A program that asks in someone's name."""

    def __init__(self, served: Publishers, who: str = "P. Lisher") -> None:
        self._api = f"{served.address}/api/v1"
        self._headers = {"authorization": f"Bearer {served.tokens[who]}"}

    def get(self, path: str) -> httpx.Response:
        return self._ask("GET", path)

    def post(self, path: str, **sent: object) -> httpx.Response:
        return self._ask("POST", path, json=sent)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers, timeout = self._headers, SECONDS
        return httpx.request(
            method, self._api + path, headers=headers, timeout=timeout, verify=NO_TLS, **more
        )

    def form(self, path: str, **sent: str) -> httpx.Response:
        """What a page's form is answered."""
        here = self._api.removesuffix("/api/v1")
        headers = {**self._headers, "origin": here, "accept": "text/html"}
        return httpx.post(here + path, data=sent, headers=headers, timeout=SECONDS)

    def done(self, begun: httpx.Response) -> dict[str, Any]:
        """A task, once it has ended."""
        assert begun.status_code == 202, begun.text
        path = path_of(begun)
        ended: list[dict[str, Any]] = []

        def has_ended() -> bool:
            told = self.get(path).json()
            if told["state"] != "running":
                ended.append(told)
            return bool(ended)

        wait_for(has_ended, f"{path} has ended", lambda: None)
        return ended[0]


def path_of(begun: httpx.Response) -> str:
    """Where a program asks how a task goes."""
    return begun.headers["location"].removeprefix("/api/v1")


def audited(served: Publishers) -> list[tuple[str, str, str, str]]:
    records = everything(served.settings.kafka_bootstrap, AUDIT_TOPIC)
    entries = [
        AuditEntry.model_validate_json(record.value or b"")
        for found in records.values()
        for record in found
    ]
    own = [it for it in entries if it.deployment == served.settings.deployment]
    return [(it.who, it.route, it.query, it.result) for it in own]


def files(folder: Path) -> dict[str, bytes]:
    return {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*.*")}


def test_a_month_is_frozen_and_published_as_the_commands_do_it(
    served: Publishers, caseline: CommandLine, folder: Path
) -> None:
    program, root = Program(served), served.settings.releases
    frozen = program.done(program.post("/releases", **FREEZE))
    assert frozen["state"] == "done", frozen
    assert (frozen["release"], frozen["is_new"]) == ("2017-04/001", True)
    (sealed,) = ReleaseFolder(root).read("2017-04")
    assert (sealed.release.author, sealed.release.reason) == ("P. Lisher", "Month-end.")
    command = ("snapshot", "freeze", "--period", "2017-04", "--by", "P. Lisher")
    said = caseline.run(*command, "--reason", "Month-end.", releases=root).stderr
    assert f"was released already: {root / '2017-04/001'}" in said
    assert f"SHA-256 {sealed.sha256}" in said
    assert published(served.settings.kafka) == {"2017-04/001": sealed.text}

    keep(served.settings, seal(step_downs(Alder_04=3)))
    previewed = program.done(program.post("/releases/2015-10/1/preview"))["preview"]
    reasons = {it["reason"] for it in previewed["withheld"]}
    assert {"small-count", "secondary"} <= reasons
    assert not (root / "public").exists()
    body = {"preview": previewed["sha256"]}
    told = program.done(program.post("/releases/2015-10/1/publish", **body))
    assert told["state"] == "done", told
    command = ("snapshot", "publish", "--period", "2015-10", "--profile", "public")
    caseline.run(*command, "--to", folder / "by-command", releases=root)
    assert files(folder / "by-command") == files(folder / "public")
    assert len(list((root / "public").glob("0*"))) == 1

    told = program.done(program.post("/releases/2015-10/1/publish-internal"))
    assert told["state"] == "done", told
    command = ("snapshot", "publish", "--period", "2015-10", "--profile", "internal")
    caseline.run(*command, "--to", folder / "inside", releases=root)
    assert files(folder / "inside") == files(folder / "internal")

    entries = audited(served)
    done = [(route, result) for who, route, _, result in entries if who == "P. Lisher"]
    assert {("freeze", "begun"), ("publish-task", "done")} <= {*done}
    assert {("publish-internal", "begun"), ("publish-internal-task", "done")} <= {*done}
    assert not any("Month-end" in query for _, _, query, _ in entries)
    viewer = Program(served, "V. Iewer")
    assert viewer.post("/releases", **FREEZE).status_code == 403
    assert viewer.post("/releases/2015-10/1/publish", **body).status_code == 403
    assert viewer.post("/releases/2015-10/1/publish-internal").status_code == 403


def test_one_task_is_done_at_a_time_and_one_whose_server_ends_has_left_nothing(
    served: Publishers, caseline: CommandLine, folder: Path
) -> None:
    # Nothing reads the log, so a freeze waits for what is in it.
    send(served.settings.kafka_bootstrap, TOPIC, [Sent(b"child-1", BAD)])
    program = Program(served)
    begun = program.post("/releases", **FREEZE)
    assert (begun.status_code, begun.json()["state"]) == (202, "running")
    same = program.post("/releases", **FREEZE)
    assert same.headers["location"] == begun.headers["location"]
    other = program.post("/releases", **{**FREEZE, "period": "2017-03"})
    assert other.status_code == 409
    assert "the freeze of 2017-04 for P. Lisher" in other.json()["detail"]
    served.process.terminate()
    assert served.process.wait(SECONDS) == 0
    assert "ended in the middle" not in served.log.read_text()
    with publishing(caseline, folder) as anew:
        program = Program(anew)
        told = program.get(path_of(begun)).json()
        assert (told["state"], told["ended"] is None) == ("stopped", False)
        begun = program.post("/releases", **FREEZE)
        anew.process.kill()
        anew.process.wait()
    with publishing(caseline, folder) as anew:
        program = Program(anew)
        wait_for(
            lambda: program.get(path_of(begun)).json()["state"] == "stopped",
            "it is said to have stopped",
            lambda: None,
        )
        assert ReleaseFolder(anew.settings.releases).periods() == []
        assert published(anew.settings.kafka) == {}
        with caseline.worker():
            caseline.wait_for_the_end()
            told = program.done(program.post("/releases", **FREEZE))
        assert (told["state"], told["is_new"]) == ("done", True), told


def test_a_dead_letter_is_corrected_and_sent_and_stays_marked(served: Publishers) -> None:
    brokers = served.settings.kafka_bootstrap
    record = KafkaRecord(b"child-1", BAD, (("trace", b"7"),), 0, 7)
    rejection = Rejection("schema", "there is no type")
    added = headers_of(TP(TOPIC, 0), record, rejection)
    letter = Sent(record.key, record.value, tuple(added))
    send(brokers, dead_letter_topic(TOPIC), [letter])
    operator, both = Program(served, "O. Perator"), Program(served, "B. Oth")
    (listed,) = operator.get("/dead-letters").json()["rows"]
    assert (listed["letter"], listed["reason"], listed["sent_again"]) == (
        f"{TOPIC}:0:7",
        "schema",
        None,
    )
    path = f"/dead-letters/{listed['letter']}"
    assert operator.get(path).json()["event"] is None
    assert "Ann" in both.get(path).json()["event"]
    assert Program(served).get(path).status_code == 403
    assert operator.get("/dead-letters/case-events:0:8").status_code == 404

    refused = operator.post(f"{path}/send-again", event=BAD.decode())
    assert (refused.status_code, "Ann" in refused.text) == (422, False)
    assert not any(everything(brokers, TOPIC).values())
    # A form comes back with what was typed, so that it need not be typed again.
    page = operator.form(f"/operations{path}/send-again", event='{"a": "<b>\u00e9"}')
    assert page.status_code == 422
    assert "it is still no event" in page.text
    assert "{&#34;a&#34;: &#34;&lt;b&gt;\u00e9&#34;}</textarea>" in page.text
    corrected = httpx.Response(200, json=EVENT).text
    told = operator.post(f"{path}/send-again", event=corrected).json()
    assert (told["sent_again"]["how"], told["sent_again"]["by"]) == ("corrected", "O. Perator")
    found = [it for records in everything(brokers, TOPIC).values() for it in records]
    assert [(it.key, it.value) for it in found] == [(b"child-1", corrected.encode())]

    told = operator.post(f"{path}/send-again", as_it_was=True).json()
    assert told["sent_again"]["how"] == "as it was"
    found = [it for records in everything(brokers, TOPIC).values() for it in records]
    assert (BAD, (("trace", b"7"),)) in [(it.value, it.headers) for it in found]
    (kept,) = [
        it for records in everything(brokers, dead_letter_topic(TOPIC)).values() for it in records
    ]
    assert (kept.value, kept.headers) == (BAD, tuple(added))
    (marked,) = operator.get("/dead-letters").json()["rows"]
    assert marked["sent_again"]["how"] == "as it was"
    results = [(who, result) for who, _, _, result in audited(served)]
    assert ("B. Oth", "shown") in results
    assert results.count(("O. Perator", "sent-again")) == 2
    assert ("O. Perator", "refused") in results
