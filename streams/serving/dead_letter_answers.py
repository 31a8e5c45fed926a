"""Dead letters: which there are and why, and one that is corrected and sent again.

What is in one may be of a child. So it is shown to who may see cases, once the audit log has that
it was; others see where it lies and why it is no event, and can send it again as it was, or send
what the source system made of it since.
"""

import asyncio
import hashlib
from collections import deque
from http import HTTPStatus
from typing import Annotated, Any, Self

from aiokafka.errors import KafkaError
from pydantic import BaseModel, ConfigDict, Field, model_validator
from redis.exceptions import RedisError

from streams.failures import Understood, described
from streams.kafka.batches import TP
from streams.kafka.deadletters import DeadLetter, read_dead_letters
from streams.kafka.eventfiles import as_line, judged
from streams.kafka.ingest import Sender
from streams.kafka.logreading import ReadTimedOut
from streams.kafka.sent_again import SentAgain, SentLetters, find_letter, letter_name
from streams.serving.answers import Answer, unkept
from streams.serving.bodies import is_form, not_understood, sent
from streams.serving.data_answers import as_json
from streams.serving.parameters import pages_of, part_of
from streams.serving.problems import Problem, away
from streams.serving.roles import HTML, JSON, SEE_CASES
from streams.serving.site import Call, LiveSite

# What is offered to be corrected on a page is no longer than this.
LONGEST_SHOWN = 100_000
# Of a partition the latest so many letters are listed, and of why one is none so much: whatever
# others may have put there.
MOST_LISTED, LONGEST_WHY = 1_000, 500
AWAY = (KafkaError, RedisError, OSError, TimeoutError, ReadTimedOut, Understood)
UNACKNOWLEDGED = "Kafka did not acknowledge it; send it again, which is safe"
# The topics are gone through by one question at a time.
_reading = asyncio.Lock()


class SendAgain(BaseModel):
    """What is sent in the place of a dead letter: a corrected event, or it `as_it_was`."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    event: Annotated[str, Field(min_length=1)] | None = None
    as_it_was: bool = False

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.event is None) is not self.as_it_was:
            raise ValueError("give the corrected event, or say that it goes as_it_was")
        return self


async def dead_letters(site: LiveSite, call: Call) -> Answer:
    """Where each dead letter was, why it is none, and whether it was sent again; a page of them."""
    taking, number = call.taking, call.asked.page
    letters, total, marks = await _letters(site)
    pages = pages_of(len(letters), number)
    rows = [_row(it, marks.get(letter_name(it))) for it in letters[part_of(number)]]
    if taking.media == HTML:
        text = site.page(
            "dead_letters.html",
            call,
            call.identity,
            rows=rows,
            total=total,
            listed=len(letters),
            number=number,
            last=pages,
            here=lambda it: f"?page={it}",
        )
        return unkept(text, taking)
    told = {
        "dead_letters": total,
        "listed": len(letters),
        "page": number,
        "pages": pages,
        "rows": rows,
    }
    return unkept(as_json(told), taking)


async def dead_letter(site: LiveSite, call: Call) -> Answer:
    """A dead letter; what is in it for who may see cases."""
    taking = call.taking
    letter, mark = await _found(site, call)
    shows = not call.identity.roles.isdisjoint(SEE_CASES)
    await site.note(call, "shown", int(shows), 1)
    text = _text(letter) if shows else None
    if taking.media == HTML:
        return unkept(_page(site, call, letter, mark, text), taking)
    return unkept(as_json({**_row(letter, mark), "event": text}), taking)


def _page(
    site: LiveSite,
    call: Call,
    letter: DeadLetter,
    mark: SentAgain | None,
    text: str | None,
    wrong: str = "",
) -> str:
    """The page of a letter, with a text to correct; and what is wrong with it, if it was sent."""
    return site.page(
        "dead_letter.html",
        call,
        call.identity,
        row=_row(letter, mark),
        shows=not call.identity.roles.isdisjoint(SEE_CASES),
        text=text,
        is_stub=letter.is_stub,
        wrong=wrong,
    )


async def send_again(site: LiveSite, call: Call) -> Answer:
    """Send a dead letter again: as it was, or corrected, which is judged as any event is.

    The letter stays and is marked. To send twice is safe: the same event again changes nothing. A
    form whose correction cannot be sent comes back with what was typed, and why. Raises Problem.
    """
    _ = call.taking
    asked = sent(call, SendAgain)
    letter, earlier = await _found(site, call)
    name = letter_name(letter)
    if asked.event is None:
        if letter.is_stub:
            raise Problem(HTTPStatus.CONFLICT, "it was too large to be kept: send it corrected")
        value = letter.record.value or b""
        await site.note(call, "sent-again")
        await _send_as_it_was(site, letter)
    else:
        value = asked.event.strip().encode()
        try:
            await _send_corrected(site, call, value)
        except Problem as problem:
            if not is_form(call):
                raise
            text = _page(site, call, letter, earlier, asked.event, problem.detail)
            again = unkept(text, call.taking)
            headers = {**again.headers, **problem.headers}
            return Answer(problem.status, again.media, again.body, headers)
    mark = SentAgain(
        by=call.identity.name,
        at=site.figures.clock.now(),
        how="as it was" if asked.event is None else "corrected",
        sha256=hashlib.sha256(value).hexdigest(),
    )
    try:
        await SentLetters(site.figures.redis, site.settings.deployment).mark(name, mark)
    except RedisError as error:
        raise away(f"it was sent, and could not be marked: {described(error)}") from error
    headers = {"Cache-Control": "no-store"}
    if is_form(call):
        headers["Location"] = f"/operations/dead-letters/{name}"
        return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", headers)
    return Answer(HTTPStatus.OK, JSON, as_json(_row(letter, mark)).encode(), headers)


async def _send_as_it_was(site: LiveSite, letter: DeadLetter) -> None:
    def send() -> None:
        sender = Sender(site.settings.kafka)
        sender.send_again(letter)
        sender.finish()

    try:
        await asyncio.to_thread(send)
    except Understood as error:
        raise away(f"{UNACKNOWLEDGED}: {error}") from error


async def _send_corrected(site: LiveSite, call: Call, value: bytes) -> None:
    """Send a corrected event to where it belongs. Raises Problem for what is none."""
    good, bad = judged([(0, value)])
    if bad:
        await site.note(call, "refused", 1, 1)
        why = bad[0].rejection
        raise not_understood(f"it is still no event ({why.reason}): {why.message}")
    await site.note(call, "sent-again")
    if not all(await site.intake.send(good)):
        raise away(UNACKNOWLEDGED)


async def _letters(site: LiveSite) -> tuple[list[DeadLetter], int, dict[str, SentAgain]]:
    """The letters to list, without what is in them, the latest of each partition first.

    How many there are in all, and which were sent again. Raises Problem.
    """
    found: dict[TP, deque[DeadLetter]] = {}
    total = 0
    try:
        async with _reading:
            async for it in read_dead_letters(site.settings.kafka):
                found.setdefault(it.tp, deque(maxlen=MOST_LISTED)).append(_bare(it))
                total += 1
        marks = await SentLetters(site.figures.redis, site.settings.deployment).all()
    except AWAY as error:
        raise away(f"dead letters cannot be read: {described(error)}") from error
    letters = [it for tp in sorted(found) for it in reversed(found[tp])]
    return letters, total, marks


def _bare(letter: DeadLetter) -> DeadLetter:
    """A letter without its content, of which there may be much."""
    headers = letter.record.headers if letter.is_stub else ()
    return letter._replace(record=letter.record._replace(key=None, value=None, headers=headers))


async def _found(site: LiveSite, call: Call) -> tuple[DeadLetter, SentAgain | None]:
    """The letter that an address names, and its mark. Raises Problem."""
    name = str(call.path["letter"])
    try:
        async with _reading:
            letter = await find_letter(site.settings.kafka, name)
        marks = await SentLetters(site.figures.redis, site.settings.deployment).all()
    except AWAY as error:
        raise away(f"dead letters cannot be read: {described(error)}") from error
    if letter is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such dead letter")
    return letter, marks.get(name)


def _row(letter: DeadLetter, mark: SentAgain | None) -> dict[str, Any]:
    """Where a letter was, why it is none, and that it was sent again."""
    return {
        "letter": letter_name(letter),
        "topic": letter.tp.topic,
        "partition": letter.tp.partition,
        "offset": letter.offset,
        "reason": letter.reason[:LONGEST_WHY],
        "message": letter.message[:LONGEST_WHY],
        "sent_again": {
            "by": mark.by,
            "at": mark.at.isoformat(timespec="seconds"),
            "how": mark.how,
            "sha256": mark.sha256,
        }
        if mark
        else None,
    }


def _text(letter: DeadLetter) -> str | None:
    """What is in a letter, as an event to be corrected; None for what is no text, or too long."""
    value = as_line(letter.record.value, letter.record.headers).strip()
    if len(value) > LONGEST_SHOWN or letter.is_stub:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None
