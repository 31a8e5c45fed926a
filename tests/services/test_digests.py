"""Digests: once a day to each owner, over restarts, failures and refusals, on real services."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from processors.days.calendar import LONDON
from schemas.alerts import Reason
from streams.alerts.actions import Ack
from streams.alerts.channels.sending import NotNow
from streams.alerts.delivery.receiver_state import ReceiverState
from streams.alerts.messages.digest_text import REASONS
from tests.support.alerting import (
    LETTERS,
    Recorder,
    alert_id,
    change,
    life,
    receivers_file,
    silence,
    tell,
)
from tests.support.postbox import Postbox, taking_mail
from tests.support.topics import everything
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

EVENING = datetime(2015, 10, 23, 18, tzinfo=LONDON)  # the clocks go back on the 25th
DAY = timedelta(days=1)


@pytest.fixture
def box() -> Iterator[Postbox]:
    with taking_mail() as it:
        yield it


@pytest.fixture
def path(box: Postbox, tmp_path: Path) -> Path:
    text = f"""
        [[receiver]]
        name = "teams"
        kind = "smtp"
        host = "127.0.0.1"
        port = {box.port}
        tls = "none"
        sender = "caseline@kent.example"
        hour = 8
        first_retry = 0.01
        default_addresses = ["all@kent.example"]
        [[receiver.mailbox]]
        owner = "Unit B"
        addresses = ["b1@kent.example", "b2@kent.example"]
    """
    return receivers_file(tmp_path, text)


def test_each_owner_gets_one_digest_a_day_whatever_restarts(
    caseline: CommandLine, recorder: Recorder, box: Postbox, path: Path
) -> None:
    tell(caseline, path, EVENING)
    recorder.record(change(1), change(2, state="due-soon"), change(3, due="2015-10-01"))
    recorder.record(change(4, owner="Unit B", severity="critical"), *life(5))
    eight = datetime(2015, 10, 24, 8, tzinfo=LONDON)
    tell(caseline, path, eight - timedelta(seconds=1))
    assert not box.mails
    for minutes in (0, 1, 600):
        tell(caseline, path, eight + timedelta(minutes=minutes))
    assert box.to == ["all@kent.example", "b1@kent.example", "b2@kent.example"]
    assert box.mails[0]["Subject"] == "Unit A: 2 breached, 1 due soon, 0 resolved"
    text = box.body(0)
    assert text.index("case C3") < text.index("case C1") < text.index("Due soon")
    assert text.index("Due soon") < text.index("case C2")
    assert "C5" not in text
    assert "case C4" in box.body(1)
    assert "critical" in box.body(1)
    assert box.mails[1]["Message-ID"] == box.mails[2]["Message-ID"]

    recorder.record(change(1, 2, "resolved"), change(6), change(6, 2, "resolved"))
    after = datetime(2015, 10, 25, 8, tzinfo=LONDON)
    tell(caseline, path, after - timedelta(seconds=1))
    assert len(box.mails) == 3
    tell(caseline, path, after)
    assert box.to[3:] == ["all@kent.example", "b1@kent.example", "b2@kent.example"]
    text = box.body(3)
    over = text.index("Resolved since the last digest")
    assert text.index("case C1") > over > text.index("case C3")
    assert "done late" in text
    assert "C6" not in text
    ids = {str(mail["Message-ID"]) for mail in box.mails}
    assert len(ids) == 4

    recorder.record(change(2, 2, "resolved"), change(3, 2, "resolved"), change(4, 2, "resolved"))
    tell(caseline, path, after + DAY)
    assert "case C1" not in box.body(6)
    count = len(box.mails)
    tell(caseline, path, after + 4 * DAY)
    assert len(box.mails) == count, "there is nothing to tell"


def test_a_digest_fits_screen_readers_and_shows_no_markup_of_others(
    caseline: CommandLine, recorder: Recorder, box: Postbox, path: Path
) -> None:
    tell(caseline, path, EVENING)
    recorder.record(change(1, title="<b>First</b> contact"))
    tell(caseline, path, EVENING + DAY)
    html = box.body(0, "html")
    for part in ('<html lang="en-GB">', "Breached</h2>", 'scope="row"', 'scope="col"', "<h1>"):
        assert part in html
    assert "&lt;b&gt;First&lt;/b&gt;" in html
    assert box.mails[0]["Auto-Submitted"] == "auto-generated"


def test_a_digest_goes_out_when_the_mail_server_is_well_again_and_once(
    caseline: CommandLine,
    recorder: Recorder,
    box: Postbox,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tell(caseline, path, EVENING)
    recorder.record(change(1), change(2, owner="Unit B"))
    box.answer = lambda _: "451 Later"
    with pytest.raises(NotNow, match="SMTP reply 451"):
        tell(caseline, path, EVENING + DAY)
    assert box.attempts == 5
    box.answer = lambda _: "250 OK"

    async def dies(*_: object) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr(ReceiverState, "done", dies)
        with pytest.raises(RuntimeError, match="died"):
            tell(caseline, path, EVENING + DAY)
    for days in (1, 1, 2):
        tell(caseline, path, EVENING + days * DAY)
    first, again, *rest = (str(mail["Message-ID"]) for mail in box.mails)
    assert first == again
    assert len(rest) == 2 + 3


def test_what_a_mail_server_refuses_is_a_dead_letter_and_others_get_theirs(
    caseline: CommandLine, recorder: Recorder, box: Postbox, path: Path
) -> None:
    tell(caseline, path, EVENING)
    recorder.record(change(1, owner="Unit B"))
    box.answer = lambda mail: "550 No such user" if mail["To"] == "b1@kent.example" else "250 OK"
    tell(caseline, path, EVENING + DAY)
    assert box.to == ["b2@kent.example"]
    (letters,) = everything(caseline.settings.kafka_bootstrap, LETTERS).values()
    (letter,) = letters
    assert json.loads(letter.value or b"")["to"] == "b1@kent.example"
    assert dict(letter.headers)["__connect.errors.exception.class.name"] == b"smtp-550"


def test_what_is_acknowledged_is_told_apart_and_what_is_silenced_is_not_told(
    caseline: CommandLine, recorder: Recorder, box: Postbox, path: Path
) -> None:
    tell(caseline, path, EVENING)
    recorder.record(change(1), change(2), change(3))
    until = EVENING + 2 * DAY
    acks = f"caseline:{{{recorder.deployment}}}:alerts:acks"
    for number, state in ((1, "breached"), (2, "due-soon")):
        ack = Ack(
            alert=alert_id(number),
            state=state,
            by="T. Lead",
            reason="Seen",
            at=EVENING,
            until=until,
        )
        recorder.redis.hset(acks, ack.alert, ack.model_dump_json())
    silence(recorder, alerts=[alert_id(3)], at=EVENING, until=until)
    tell(caseline, path, EVENING + DAY)
    text = box.body(0)
    assert text.index("case C2") < text.index("Acknowledged") < text.index("case C1")
    assert "acknowledged by T. Lead until 25 October 2015: Seen" in text
    assert "C3" not in text
    tell(caseline, path, EVENING + 2 * DAY)
    assert "Acknowledged" not in box.body(1)
    assert "case C3" in box.body(1)


def test_every_reason_has_words() -> None:
    assert REASONS.keys() == set(get_args(Reason))
