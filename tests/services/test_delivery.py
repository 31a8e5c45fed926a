"""Delivery on a real Kafka and a real Redis to real receivers that are down, slow, or failing."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from processors.days.calendar import LONDON
from schemas.alerts import ALERTS_TOPIC, CaseChange
from schemas.receivers import load_receivers
from streams.alerts.channels.sending import NotNow
from streams.alerts.teller import Teller
from streams.alerts.topic.publisher import AlertPublisher, NotTaken
from streams.kafka.batches import TP
from streams.kafka.deadletters import CLASS, EXCEPTION, MESSAGE, OFFSET, PARTITION, STAGE, TOPIC
from streams.state.election import TermOver
from tests.support.alerting import (
    KEY,
    LETTERS,
    Recorder,
    alert_id,
    change,
    keys,
    life,
    receivers_file,
    tell,
    telling,
    webhook,
)
from tests.support.inbox import TAKEN, Answer, Inbox, Request, serving
from tests.support.topics import everything
from tests.support.workers import CommandLine, wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("hook_secret")]

FAILED = Answer(500, is_taken=False)
BUSY = Answer(503, {"retry-after": "0"}, is_taken=False)
TAKEN_UNSAID = Answer(500)
TAKEN_SLOWLY = Answer(204, seconds=0.4)
NOW = datetime(2015, 10, 20, 12, tzinfo=LONDON)


def is_in_order(told: list[str], changes: list[CaseChange]) -> bool:
    """Whether everything was told exactly once, and each alert's changes in their order."""
    by_alert: dict[str, list[str]] = {}
    for key in told:
        by_alert.setdefault(key.partition(":")[0], []).append(key)
    wanted: dict[str, list[str]] = {}
    for it in changes:
        wanted.setdefault(it.alert, []).append(it.key)
    return by_alert == wanted


def many(alerts: int, seed: int) -> list[CaseChange]:
    """The lives of alerts interleaved; one in three passes to another owner on the way."""
    chance = random.Random(seed)
    lives = []
    for number in range(alerts):
        changes = life(number, owner=f"Unit {number % 4}")
        if number % 3 == 0:
            changes[1] = changes[1].model_copy(update={"owner": f"Unit {(number + 1) % 4}"})
        lives.append(changes)
    turns = [index for index in range(alerts) for _ in range(3)]
    chance.shuffle(turns)
    return [lives[index].pop(0) for index in turns]


def failing(seed: int) -> Callable[[Request], Answer]:
    """Half the answers are failures, some of which come although the message was taken."""
    chance = random.Random(seed)
    bad = (FAILED, FAILED, BUSY, TAKEN_UNSAID, TAKEN_SLOWLY)
    return lambda _: chance.choice(bad) if chance.random() < 0.5 else TAKEN


def test_a_message_is_signed_as_the_specification_says_and_holds_one_owners_changes(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url + "/alerts", "most_changes = 2"))
        tell(caseline, path)
        recorder.record(change(1), change(2, owner="Unit B"), change(3), change(4))
        recorder.record(change(5, standard="unit-plan"), place=None)
        tell(caseline, path)
    groups = []
    for request in inbox.requests:
        body = Webhook(KEY).verify(request.body, request.headers)
        assert request.path == "/alerts"
        assert request.headers["content-type"] == "application/json"
        assert body["deployment"] == caseline.settings.deployment
        assert {it["owner"] for it in body["changes"]} == {body["group"]["owner"]}
        groups.append((body["group"], [it["case"] for it in body["changes"]]))
    a, b = ({"owner_kind": "team", "owner": name} for name in ("Unit A", "Unit B"))
    assert groups == [(a, ["C5", "C1"]), (a, ["C3", "C4"]), (b, ["C2"])]
    assert recorder.waiting() == 0


def test_a_receiver_that_is_down_slow_and_fails_half_the_time_misses_nothing(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    changes = many(40, seed=1)
    inbox, other = Inbox(answer=failing(2)), Inbox()
    with serving(inbox), serving(other):
        path = receivers_file(
            tmp_path,
            webhook("failing", inbox.url, "timeout = 0.2", "most_changes = 5"),
            webhook("well", other.url),
        )
        tell(caseline, path)
    with serving(other), telling(caseline, path) as process:
        recorder.record(*changes[:40])
        wait_until(lambda: len(other.told) == 40, "one receiver down holds no other", [process])
        assert not inbox.told
        with serving(inbox):
            recorder.record(*changes[40:80])
            wait_until(lambda: len(inbox.told) > 50, "the receiver catches up", [process])
        recorder.record(*changes[80:])
        with serving(inbox):
            wait_until(
                lambda: len(inbox.told) >= 120 and len(other.told) >= 120, "all are told", [process]
            )
    assert is_in_order(inbox.told, changes)
    assert is_in_order(other.told, changes)
    assert len(inbox.requests) > len(inbox.processed)


def test_kills_at_any_moment_lose_nothing_and_tell_nothing_twice(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    changes = many(60, seed=3)
    chance = random.Random(4)
    with serving(Inbox(answer=failing(5))) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url, "timeout = 0.2"))
        tell(caseline, path)
        for start in range(0, 180, 60):
            with telling(caseline, path) as process:
                for number in range(start, start + 60, 10):
                    recorder.record(*changes[number : number + 10])
                    time.sleep(0.05)
                wait_until(lambda: len(inbox.told) > start, "it tells", [process])  # noqa: B023
                time.sleep(chance.random() / 2)
                process.kill()
            recorder.expire_lock()
        tell(caseline, path)
    assert is_in_order(inbox.told, changes)


def test_a_process_that_was_paused_and_replaced_tells_nothing_more_and_stands_by(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        with telling(caseline, path) as first:
            recorder.record(change(1))
            wait_until(lambda: len(inbox.told) == 1, "the first tells", [first])
            first.pause()
            recorder.expire_lock()
            with telling(caseline, path) as second:
                recorder.record(change(2))
                wait_until(lambda: len(inbox.told) == 2, "the second tells", [second])
                first.resume()
                recorder.record(change(3), change(2, 2, "resolved"))
                wait_until(lambda: len(inbox.told) == 4, "all are told", [second])
                wait_until(lambda: "standing by" in first.text, "it stands by", [first])
    assert inbox.told == keys([change(1), change(2), change(3), change(2, 2)])
    assert len(inbox.keys) == 3


def test_a_publisher_is_refused_once_another_has_begun(caseline: CommandLine) -> None:
    brokers, deployment = caseline.settings.kafka_bootstrap, caseline.settings.deployment
    first, second = (AlertPublisher(brokers, deployment) for _ in range(2))
    told = [(change(version=version).alert, change(version=version)) for version in (1, 2, 3)]
    messages = [(alert, it.model_dump_json().encode()) for alert, it in told]
    first.publish(messages[:1])
    second.publish(messages[1:2])
    with pytest.raises(TermOver):
        first.publish(messages[2:])
    (records,) = everything_committed(brokers).values()
    assert [json.loads(it)["version"] for it in records] == [1, 2]


def test_a_publisher_without_a_topic_says_what_to_do(bare: CommandLine) -> None:
    publisher = AlertPublisher(bare.settings.kafka_bootstrap, "x")
    with pytest.raises(NotTaken, match="caseline topics create"):
        publisher.publish([(alert_id(1), b"{}")])


@pytest.mark.parametrize("has_published", [False, True])
def test_a_publisher_that_dies_about_its_commit_loses_nothing_and_tells_nothing_twice(
    has_published: bool,
    caseline: CommandLine,
    recorder: Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish = AlertPublisher.publish

    def dies(publisher: AlertPublisher, changes: list[tuple[str, bytes]]) -> None:
        if has_published:
            publish(publisher, changes)
        raise RuntimeError("died")

    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
        recorder.record(*life(1))
        with monkeypatch.context() as patch:
            patch.setattr(AlertPublisher, "publish", dies)
            with pytest.raises(RuntimeError, match="died"):
                tell(caseline, path)
        tell(caseline, path)
    assert inbox.told == keys(life(1))
    assert recorder.waiting() == 0


def test_a_secret_that_has_gone_is_waited_for(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
        receivers = load_receivers(path)
        recorder.record(change())
        monkeypatch.delenv("HOOK_SECRET")
        with pytest.raises(NotNow, match="there is no secret in HOOK_SECRET"):
            asyncio.run(Teller(caseline.settings, receivers, lambda: NOW).run_once())
        monkeypatch.setenv("HOOK_SECRET", KEY)
        tell(caseline, path)
    assert inbox.told == keys([change()])


def test_what_is_refused_becomes_dead_letters_and_the_rest_goes_on(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    def answer(request: Request) -> Answer:
        return Answer(422, is_taken=False) if b'"C2"' in request.body else TAKEN

    with serving(Inbox(answer=answer)) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url, "most_changes = 1"))
        tell(caseline, path)
        recorder.record(*map(change, (1, 2, 3)))
        tell(caseline, path)
    assert inbox.told == keys([change(1), change(3)])
    (letters,) = everything(caseline.settings.kafka_bootstrap, LETTERS).values()
    (letter,) = letters
    assert (letter.key, json.loads(letter.value or b"")) == (
        alert_id(2).encode(),
        change(2).model_dump(mode="json"),
    )
    headers = {name: text.decode() for name, text in letter.headers}
    assert headers["caseline-receiver"] == "hook"
    assert (headers[TOPIC], headers[PARTITION], headers[OFFSET]) == (ALERTS_TOPIC, "0", "1")
    assert (headers[STAGE], headers[CLASS], headers[EXCEPTION]) == (
        "TASK_PUT",
        "streams.alerts",
        "http-422",
    )
    assert headers[MESSAGE] == "hook: refused with HTTP status 422"
    shown = caseline.run("alerts", "refused").stdout
    assert alert_id(2) in shown
    assert "hook: refused with HTTP status 422" in shown
    told = caseline.run("doctor", code=0).stdout
    assert "has dead letters: see `caseline alerts refused`" in told


def test_a_receiver_that_asks_to_wait_is_left_alone_as_long_as_it_asks(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    answers = [Answer(429, {"retry-after": "1"}, is_taken=False), TAKEN]
    with serving(Inbox(answer=lambda _: answers.pop(0))) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
        recorder.record(change())
        tell(caseline, path)
    first, second = inbox.requests
    assert second.at - first.at >= 1.0
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_repetitions_history_and_what_was_over_before_it_was_told_are_told_to_nobody(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    historic = change(1, 1, "resolved", historic=True)
    with serving(Inbox()) as inbox:
        only = webhook("hook", inbox.url, 'states = ["breached", "resolved"]')
        path = receivers_file(tmp_path, only)
        tell(caseline, path)
        recorder.record(historic, change(2), change(2), *life(3), change(2))
        recorder.record(change(4, 1, "due-soon"), change(4, 2, "resolved"))
        tell(caseline, path)
    assert inbox.told == keys([change(2), *life(3)[1:]])


def test_a_new_receiver_is_told_of_what_is_active_and_then_of_what_comes(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.record(*life(1), *life(2)[:2], change(3, 1, "due-soon"))
    tell(caseline, receivers_file(tmp_path))
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
        assert sorted(inbox.told) == sorted(keys([life(2)[1], change(3)]))
        recorder.record(life(2)[2])
        tell(caseline, path)
    assert inbox.told[2:] == keys([life(2)[2]])


def test_another_deployments_alerts_are_not_told(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
        brokers = caseline.settings.kafka_bootstrap
        AlertPublisher(brokers, "other").publish(
            [(alert_id(1), change().model_dump_json().encode())]
        )
        recorder.record(change(2))
        tell(caseline, path)
    assert inbox.told == keys([change(2)])


def everything_committed(brokers: str) -> dict[TP, list[bytes]]:
    """The values that transactions have committed."""
    from snapshots.releases.kafka_reading import read_committed

    records = [it for part in read_committed(brokers, ALERTS_TOPIC) for it in part]
    return {TP(ALERTS_TOPIC, 0): [it.value or b"" for it in records]}
