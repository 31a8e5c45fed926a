"""Digests: once a day each owner is told by e-mail how their alerts stand.

A digest is fixed, with its Message-ID, in the step that notes the day as done; what is fixed goes
out until it is taken. So a restart sends none twice and none not at all; a server that took one
at the moment of a crash knows the second by its Message-ID. After days without a process there is
one digest, of the latest day.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from processors.days.calendar import LONDON
from schemas.alerts import CaseChange, IndicatorChange
from schemas.receivers import Smtp
from streams.alerts.channels.mail import MailServer
from streams.alerts.channels.sending import Sending
from streams.alerts.delivery.receiver import CHANGES_AT_ONCE, Desk, OutgoingMessage, hand_over
from streams.alerts.delivery.receiver_state import ReceiverState
from streams.alerts.delivery.refusals import RefusedMessage as DeadLetter
from streams.alerts.messages.digest_text import (
    Letter,
    Owner,
    OwnerDigest,
    as_html,
    as_text,
    by_owner,
    key_of,
    sections,
    subject_of,
)
from streams.alerts.topic.log import AlertLog, ChangeInTopic
from streams.state.open_alerts import open_changes, parsed


def latest_due(now: datetime, hour: int) -> date:
    """The latest day whose digest is due."""
    local = now.astimezone(LONDON)
    return local.date() if local.hour >= hour else local.date() - timedelta(days=1)


@dataclass
class Digests:
    """The digests of one mail server; `resolved` in its state is what the next one tells of."""

    desk: Desk
    receiver: Smtp
    log: AlertLog
    state: ReceiverState = field(init=False)
    sending: Sending = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.desk.state(self.receiver.name)
        self.sending = Sending(self.receiver, self.desk.watching, self.desk.most_attempts)

    async def begin(self) -> None:
        """Take office. A new mail server has its first digest when the next is due."""
        await self.state.take_over()
        if "next" not in await self.state.fields():
            end = await self.log.end()
            day = latest_due(self.desk.now(), self.receiver.hour)
            begun: dict[str, str | int] = {
                "next": end,
                "digest": day.isoformat(),
            }
            await self.state.write(lambda pipe: self.state.queue_fields(pipe, begun))

    async def turn(self) -> bool:
        """Do what is next; whether there may be more to do at once. Raises as Delivery does."""
        pending = await self.desk.next_message(self.state)
        if pending:
            await self._send(pending)
            return True
        await self.state.forget(time.time())
        fields = await self.state.begun()
        if await self._read(int(fields["next"])):
            return True
        day = latest_due(self.desk.now(), self.receiver.hour)
        if date.fromisoformat(fields["digest"]) >= day:
            return False
        await self._fix(day)
        return True

    async def _send(self, pending: bytes) -> None:
        letter = Letter.model_validate_json(pending)
        offset = int((await self.state.begun())["next"])
        kept = [DeadLetter(letter.key, letter.model_dump_json(), offset)]
        server = MailServer(self.receiver)
        outgoing = OutgoingMessage(
            letter.key, self.sending, lambda: server.send(letter), kept, letter.told
        )
        await hand_over(self.desk, self.state, self.receiver.name, outgoing, pending)

    async def _read(self, start: int) -> bool:
        """Note what is over of what a digest told of."""
        found, after = await self.log.read(start, CHANGES_AT_ONCE, self.desk.wait_ms)
        if after > start:
            await self._take_in(found, after)
        return after > start or self.log.behind > 0

    async def _take_in(self, found: Sequence[ChangeInTopic], after: int) -> None:
        known = await self.state.known({it.change.alert for it in found})
        resolved: dict[str, CaseChange | IndicatorChange | None] = {}
        for _, change, _ in found:
            it = known[change.alert]
            if change.version > it.version:
                it.version = change.version
                resolved[change.alert] = change if not change.is_active and it.told else None

        def queue(pipe: Any) -> None:
            self.state.queue_known(pipe, known, time.time())
            self.state.queue_fields(pipe, {"next": after})
            for alert, change in resolved.items():
                if change:
                    pipe.hset(self.state.key("resolved"), alert, change.model_dump_json())
                else:
                    pipe.hdel(self.state.key("resolved"), alert)

        await self.state.write(queue)

    async def _fix(self, day: date) -> None:
        """Fix the digests of a day, and what they told of."""
        owners = await self._listed()
        letters = [
            letter
            for owner, listed in owners.items()
            for letter in await self._to(owner, listed, day)
        ]
        told = {it.alert: it for listed in owners.values() for it in listed.active}
        over = [it.alert for listed in owners.values() for it in listed.resolved]
        known = await self.state.known({*told, *over})
        for alert, it in known.items():
            it.told = told.get(alert)

        def queue(pipe: Any) -> None:
            self.state.queue_known(pipe, known, time.time())
            for alert in over:
                pipe.hdel(self.state.key("resolved"), alert)
            texts = [letter.model_dump_json() for letter in letters]
            self.state.queue_pending(pipe, texts, len(texts))
            self.state.queue_fields(pipe, {"digest": day.isoformat()})

        await self.state.write(queue)

    async def _listed(self) -> dict[Owner, OwnerDigest]:
        """What each owner is to be told: what is silenced, or over and untold, is not."""
        receiver = self.receiver
        silences = await self.desk.actions.in_force(self.desk.now())
        active = await open_changes(self.desk.redis, self.desk.deployment)
        is_on = {it.alert for it in active}
        over = [parsed(text) for text in await self.state.values("resolved")]
        return by_owner(
            (
                it
                for it in active
                if it.state in receiver.states and receiver.may_get(it) and not silences(it)
            ),
            (it for it in over if it and it.alert not in is_on and "resolved" in receiver.states),
            lambda owner: bool(receiver.addresses(*owner)),
        )

    async def _to(self, owner: Owner, listed: OwnerDigest, day: date) -> list[Letter]:
        now = self.desk.now()
        parts = sections(listed, await self.desk.actions.acks(), now, self.receiver.most_changes)
        title = f"{owner[1]}: alerts on {day.day} {day:%B %Y}"
        domain = self.receiver.sender.rpartition("@")[2]
        return [
            Letter(
                key=key_of(self.desk.deployment, day, owner, domain),
                to=address,
                at=now,
                subject=subject_of(owner[1], listed),
                text=as_text(title, parts),
                html=as_html(title, parts),
                told=tuple(it.key for it in (*listed.active, *listed.resolved)),
            )
            for address in self.receiver.addresses(*owner)
        ]
