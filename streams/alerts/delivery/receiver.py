"""Delivery to one receiver: from the topic, through what it is to be told, to its taking it.

1. What is fixed to go out goes first, message by message, each until it is taken or refused.
2. Then what silences no longer withhold is fixed.
3. Then what has come to the topic is.

So a receiver that is down holds up its own messages and no others', and their order stays.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from redis.asyncio import Redis

from schemas.alerts import CaseChange, IndicatorChange
from schemas.receivers import Alertmanager, Webhook
from streams.alerts.actions import Actions, Silences
from streams.alerts.channels.alertmanager import AlertmanagerChannel
from streams.alerts.channels.sending import DeliveryWatch, NotNow, RefusedByReceiver, Sending
from streams.alerts.delivery.receiver_state import ReceiverState
from streams.alerts.delivery.refusals import Refusals, RefusedMessage
from streams.alerts.messages.message import Item, Message, messages
from streams.alerts.messages.planning import Chooser, KnownAlert, ends_states, latest
from streams.alerts.topic.log import AlertLog, ChangeInTopic
from streams.state.open_alerts import open_alerts, open_changes, parsed
from streams.state.replicas import Replicas

# Changes that are decided on, and fixed, in one step.
CHANGES_AT_ONCE = 2_000
# After what was not taken, an Alertmanager is told again of what is active so many seconds later.
AGAIN_SECONDS = 5.0

log = logging.getLogger(__name__)


class Channel(Protocol):
    """The way to a receiver."""

    async def send(self, message: Message) -> None:
        """Send a message. Raises Refused or NotNow unless it was taken."""


@dataclass(frozen=True)
class Desk:
    """What deliveries to all receivers share.

    `most_attempts` are made at a message, for ever if None; `wait_ms` is how long the topic is
    waited for where there is nothing new.
    """

    redis: Redis
    deployment: str
    term: int
    replicas: Replicas
    refusals: Refusals
    watching: DeliveryWatch
    now: Callable[[], datetime]
    most_attempts: int | None = None
    wait_ms: int = 500

    @property
    def actions(self) -> Actions:
        """What people decided."""
        return Actions(self.redis, self.deployment)

    def state(self, receiver: str) -> ReceiverState:
        """The stored state of a receiver."""
        return ReceiverState(self.redis, self.deployment, receiver, self.term)

    async def next_message(self, state: ReceiverState) -> bytes | None:
        """The message that is to go out next to a receiver; None for none.

        A replica has it as well, and what is noted of its being told: a receiver would never hear
        of the end of what nobody knows it to have been told. Raises NotReplicated or
        redis.RedisError.
        """
        if not await state.pending_count():
            return None
        pending: bytes | None
        [pending] = await self.replicas.read(state.queue_next)
        return pending


async def measure(desk: Desk, log: AlertLog, receivers: Iterable[str]) -> bool:
    """Tell how far receivers are behind: what is to be read for them, and what they have to take.

    Looked at beside the deliveries, which a receiver that is down holds up. There is never more to
    do at once. Raises redis.RedisError or aiokafka.errors.KafkaError.
    """
    end = await log.end()
    for receiver in receivers:
        fields = await desk.state(receiver).fields()
        if "next" in fields:
            behind = max(0, end - int(fields["next"])) + max(0, int(fields.get("waiting", 0)))
            desk.watching.stands(receiver, behind)
    return False


async def hand_over(
    desk: Desk, state: ReceiverState, receiver: str, outgoing: "OutgoingMessage", pending: bytes
) -> None:
    """Have a fixed message taken, or make a dead letter of it; then it is done with."""
    try:
        await outgoing.sending.until_taken(outgoing.send)
    except RefusedByReceiver as refused:
        await desk.refusals.write(receiver, outgoing.key, outgoing.letters, refused)
        log.error(
            "refused, kept as dead letters",
            extra={"receiver": receiver, "reason": refused.reason, "delivery": outgoing.key},
        )
    await state.done(pending, len(outgoing.letters), outgoing.told, desk.now())


@dataclass(frozen=True)
class OutgoingMessage:
    """A message on its way: how it is sent, its key, and what is kept of it if it is refused.

    `told` has the keys of the changes that it tells of.
    """

    key: str
    sending: Sending
    send: Callable[[], Awaitable[None]]
    letters: Sequence[RefusedMessage]
    told: Sequence[str] = ()


@dataclass
class Delivery:
    """Tells one receiver of changes as they come."""

    desk: Desk
    receiver: Webhook | Alertmanager
    log: AlertLog
    channel: Channel
    _silences: frozenset[str] | None = None
    state: ReceiverState = field(init=False)
    sending: Sending = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.desk.state(self.receiver.name)
        self.sending = Sending(self.receiver, self.desk.watching, self.desk.most_attempts)

    async def begin(self) -> None:
        """Take office. A new receiver is told of what is active, and from there of what comes."""
        await self.state.take_over()
        if "next" not in await self.state.fields():
            end = await self.log.end()
            active = await open_changes(self.desk.redis, self.desk.deployment)
            active.sort(key=lambda change: (change.since, change.alert))
            await self._take_in([ChangeInTopic(end, change) for change in active], end)

    async def turn(self) -> bool:
        """Do what is next; whether there may be more to do at once.

        Raises streams.failures.Understood, redis.RedisError or aiokafka.errors.KafkaError.
        """
        pending = await self.desk.next_message(self.state)
        if pending:
            await self._send(pending)
            return True
        await self.state.forget(time.time())
        silences = await self.desk.actions.in_force(self.desk.now())
        return await self._release(silences) or await self._read(silences)

    async def _send(self, pending: bytes) -> None:
        message = Message.model_validate_json(pending)
        letters = [
            RefusedMessage(item.change.alert, item.change.model_dump_json(), item.offset)
            for item in message.items
        ]
        told = [item.change.key for item in message.items]
        outgoing = OutgoingMessage(
            message.key, self.sending, lambda: self.channel.send(message), letters, told
        )
        await hand_over(self.desk, self.state, self.receiver.name, outgoing, pending)

    async def _release(self, silences: Silences) -> bool:
        """Fix what is no longer withheld; looked at only when other silences hold than before."""
        if silences.ids == self._silences:
            return False
        held = [item for item in await self.state.held() if not silences(item.change)]
        free = sorted(held, key=lambda item: item.offset)[:CHANGES_AT_ONCE]
        if not free:
            self._silences = silences.ids
            return False
        known = await self.state.known({item.change.alert for item in free})
        items = Chooser(self.receiver, silences, known).release(free)
        await self._fix(items, known, {})
        return True

    async def _read(self, silences: Silences) -> bool:
        start = int((await self.state.begun())["next"])
        found, after = await self.log.read(start, CHANGES_AT_ONCE, self.desk.wait_ms)
        if after > start:
            await self._take_in(found, after, silences)
        return after > start or self.log.behind > 0

    async def _take_in(
        self, found: Sequence[ChangeInTopic], after: int, silences: Silences | None = None
    ) -> None:
        """Fix what is told of changes, and that `after` is where to read on from."""
        if silences is None:
            silences = await self.desk.actions.in_force(self.desk.now())
        if ends_states(self.receiver):
            found = latest(found)
        known = await self.state.known({it.change.alert for it in found})
        items, taken = Chooser(self.receiver, silences, known).choose(found)
        seen = {it.change.alert for it in found[:taken]}
        goes_on = after if taken == len(found) else found[taken].offset
        changed = {alert: it for alert, it in known.items() if alert in seen}
        await self._fix(items, changed, {"next": goes_on})

    async def _fix(
        self, items: Sequence[Item], known: Mapping[str, KnownAlert], fields: Mapping[str, int]
    ) -> None:
        receiver = self.receiver
        fixed = messages(self.desk.deployment, receiver.name, items, receiver.most_changes)
        texts = [message.model_dump_json() for message in fixed]

        def queue(pipe: object) -> None:
            self.state.queue_known(pipe, known, time.time())
            self.state.queue_pending(pipe, texts, len(items))
            if fields:
                self.state.queue_fields(pipe, fields)

        await self.state.write(queue)


@dataclass
class StateDelivery(Delivery):
    """Tells an Alertmanager, and tells it again of all that is active before that lapses.

    What it was told and what is recorded as active, both, is told again, unless it is silenced:
    that lapses.
    """

    alertmanager: AlertmanagerChannel = field(kw_only=True)
    _next: float = 0.0

    async def turn(self) -> bool:
        """As every delivery; and what is active, when it is time."""
        if time.monotonic() >= self._next:
            await self._tell_again()
        return await super().turn()

    async def _tell_again(self) -> None:
        resend = self.alertmanager.receiver.resend
        try:
            await self.alertmanager.tell_again(await self._active())
        except (NotNow, RefusedByReceiver) as error:
            log.warning(
                "not told again", extra={"receiver": self.receiver.name, "reason": str(error)}
            )
            resend = min(resend, AGAIN_SECONDS)
        self._next = time.monotonic() + resend

    async def _active(self) -> list[CaseChange | IndicatorChange]:
        silences = await self.desk.actions.in_force(self.desk.now())
        active = await open_alerts(self.desk.redis, self.desk.deployment)
        told = [text for alert, text in (await self.state.told()).items() if alert in active]
        return [it for it in map(parsed, told) if it and not silences(it)]
