"""What a receiver is told of, whatever comes twice and however the topic is cut into batches."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Specification

from schemas.alerts import AlertState, CaseChange
from schemas.receivers import Secret, Webhook
from streams.alerts.channels.posting import judge, seconds_asked
from streams.alerts.channels.sending import NotNow, Pace, RefusedByReceiver
from streams.alerts.channels.webhook import body_of, signed
from streams.alerts.messages.message import Item, Message, key_of, messages
from streams.alerts.messages.planning import Chooser, KnownAlert
from streams.alerts.topic.log import ChangeInTopic
from tests.support.alerting import KEY, change

STATES: list[AlertState] = ["due-soon", "breached", "resolved"]


def webhook(*states: AlertState) -> Webhook:
    return Webhook(
        kind="webhook",
        name="hook",
        url="http://hook",
        secret=Secret(variable="HOOK_SECRET"),
        states=states or tuple(STATES),
    )


@st.composite
def topics(draw: st.DrawFn) -> list[ChangeInTopic]:
    """A topic: alerts whose state and owner change, in any order, with repetitions."""
    versions: dict[int, int] = {}
    made: list[CaseChange] = []
    for number in draw(st.lists(st.integers(1, 3), max_size=12)):
        versions[number] = versions.get(number, 0) + 1
        state = draw(st.sampled_from(STATES))
        owner = draw(st.sampled_from(["Unit A", "Unit B"]))
        made.append(change(number, versions[number], state, owner=owner))
        if draw(st.booleans()):
            made.append(draw(st.sampled_from(made)))
    return [ChangeInTopic(offset, it) for offset, it in enumerate(made)]


def told_in_batches(
    receiver: Webhook, topic: list[ChangeInTopic], sizes: list[int], known: dict[str, KnownAlert]
) -> list[list[Item]]:
    """What is told of a topic that is read in batches of the sizes, the last again and again."""
    batches, position = [], 0
    while position < len(topic):
        size = sizes.pop() if len(sizes) > 1 else sizes[0]
        chooser = Chooser(receiver, lambda _: False, known)
        items, taken = chooser.choose(topic[position : position + size])
        assert taken > 0
        position += taken
        batches.append(items)
    return batches


@given(topics(), st.lists(st.integers(1, 5), min_size=1), st.sets(st.sampled_from(STATES)))
def test_each_change_is_told_once_and_an_end_only_to_who_was_told_of_a_beginning(
    topic: list[ChangeInTopic], sizes: list[int], states: set[AlertState]
) -> None:
    receiver = webhook(*sorted(states))
    told = [
        item.change.key
        for batch in told_in_batches(receiver, topic, sizes, {})
        for it in messages("d", "hook", batch, 3)
        for item in it.items
    ]
    expected: dict[str, list[str]] = {}
    seen: dict[str, int] = {}
    on: set[str] = set()
    for _, it, *_ in topic:
        if it.version <= seen.get(it.alert, 0):
            continue
        seen[it.alert] = it.version
        if it.state in receiver.states and (it.is_active or it.alert in on):
            expected.setdefault(it.alert, []).append(it.key)
            on.add(it.alert)
        if not it.is_active:
            on.discard(it.alert)
    found: dict[str, list[str]] = {}
    for key in told:
        found.setdefault(key.partition(":")[0], []).append(key)
    assert found == expected


def test_a_change_of_owner_waits_for_the_message_to_the_one_before() -> None:
    topic = [
        ChangeInTopic(0, change(1, 1)),
        ChangeInTopic(1, change(2, 1, owner="Unit B")),
        ChangeInTopic(2, change(1, 2, owner="Unit B")),
        ChangeInTopic(3, change(3, 1)),
    ]
    first, second = told_in_batches(webhook(), topic, [10], {})
    assert [item.offset for item in first] == [0, 1]
    assert [item.offset for item in second] == [2, 3]


def test_a_message_has_the_same_key_and_bytes_whenever_it_is_made_and_another_key_than_others() -> (
    None
):
    items = [Item(offset=5, change=change(1)), Item(offset=6, change=change(2))]
    (message,) = messages("kent", "hook", items, 10)
    again = Message.model_validate_json(message.model_dump_json())
    assert again.key == message.key == key_of("kent", "hook", items)
    assert body_of("kent", again) == body_of("kent", message)
    moved = [items[0].model_copy(update={"offset": 4}), items[1]]
    others = {
        key_of("medway", "hook", items),
        key_of("kent", "other", items),
        key_of("kent", "hook", items[:1]),
        key_of("kent", "hook", moved),
    }
    assert len(others | {message.key}) == 5


def test_a_signature_is_what_the_specifications_own_library_makes_of_it() -> None:
    body = json.dumps({"owner": "Größe"}, ensure_ascii=False).encode()
    now = datetime.now(UTC)
    other = "whsec_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    hooks = [Specification(secret) for secret in (KEY, other)]
    raw = [base64.b64decode(secret.removeprefix("whsec_")) for secret in (KEY, other)]
    headers = signed(raw, "msg1", int(now.timestamp()), body)
    wanted = [hook.sign("msg1", now, body.decode()) for hook in hooks]
    assert headers["webhook-signature"] == " ".join(wanted)
    for hook in hooks:
        assert hook.verify(body, headers) == {"owner": "Größe"}


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 422])
def test_an_answer_that_the_message_is_wrong_is_a_refusal(status: int) -> None:
    with pytest.raises(RefusedByReceiver, match=str(status)) as refused:
        judge(status, "")
    assert refused.value.reason == f"http-{status}"


@pytest.mark.parametrize("status", [301, 308, 408, 425, 429, 500, 502, 503, 504])
def test_an_answer_that_time_may_mend_is_tried_again(status: int) -> None:
    with pytest.raises(NotNow, match=str(status)) as later:
        judge(status, "7")
    assert later.value.after == (7.0 if status in {429, 503} else 0.0)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_answer_that_it_was_taken_is_enough(status: int) -> None:
    judge(status, "")


def test_retry_after_may_be_seconds_or_a_date_and_is_bounded() -> None:
    at = datetime.now(UTC) + timedelta(seconds=3_000)
    assert 0 < seconds_asked(at.strftime("%a, %d %b %Y %H:%M:%S GMT")) <= 3_000
    assert seconds_asked("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert seconds_asked("soon") == 0
    assert seconds_asked("-1") == 0
    assert NotNow("busy", seconds_asked("99999999999")).after == 3600


async def _paced(messages: int) -> float:
    pace, began = Pace(50), time.monotonic()
    for _ in range(messages):
        await pace.wait()
    return time.monotonic() - began


def test_no_more_messages_go_out_than_the_rate_allows() -> None:
    assert asyncio.run(_paced(6)) >= 5 / 50
