"""The audit log in Kafka: the one way into it, and nothing is shown before its entry is there."""

import asyncio
import hashlib
import logging
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.audit_entries import AUDIT_TOPIC, AuditEntry, AuditResult
from schemas.connection_settings import Brokers
from streams.failures import Understood, described
from streams.kafka import private
from streams.kafka.clients import acknowledged_producer, stop_within
from streams.kafka.decided import find_topic

# An entry is in the log, or said not to be, within so many seconds.
AUDIT_SECONDS = 10.0
# Entries that wait for a Kafka that is away, and how long it is left alone between.
MOST_NOTED = 1_000
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0

log = logging.getLogger(__name__)


class NotAudited(Understood):
    """An entry could not be written, so what it is of must not be shown."""


class Audited(NamedTuple):
    """What an entry says of a question, besides where it stands in the log."""

    who: str
    roles: tuple[str, ...]
    route: str
    query: str
    result: AuditResult
    cases: int = 0
    total: int = 0
    origin: str = ""


class AuditLog:
    """Writes the entries of one process, one after another, as an unbroken chain.

    `write` is for what must not be shown without its entry. `note` is for what holds whether or not
    there is one: it waits for nobody, is tried again while Kafka is away, and may then be there
    twice.
    """

    def __init__(self, brokers: Brokers, deployment: str, now: Callable[[], datetime]) -> None:
        self._brokers, self._deployment, self._now = brokers, deployment, now
        self._turn = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._chain, self._number, self._previous = new_chain(), 0, ""
        self._noted: deque[Audited] = deque()
        self._noting: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if self._noting is not None:
            await asyncio.wait([self._noting], timeout=AUDIT_SECONDS)
            self._noting.cancel()
        if self._noted:
            log.error("audit entries were not written", extra={"entries": len(self._noted)})
        await self._let_go()

    @property
    def waiting(self) -> int:
        """How many entries are noted and not written yet."""
        return len(self._noted)

    def note(self, audited: Audited) -> None:
        """Have an entry written soon."""
        if len(self._noted) >= MOST_NOTED:
            log.error("an audit entry was not kept: too many wait", extra={"route": audited.route})
            return
        self._noted.append(audited)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._write_noted())

    async def _write_noted(self) -> None:
        """Write what is noted, in its order, for as long as there is any."""
        wait = FIRST_WAIT
        while self._noted:
            try:
                await self.write(self._noted[0])
            except NotAudited:
                if self._closing.is_set():
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._closing.wait()
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self._noted.popleft()
                wait = FIRST_WAIT

    async def write(self, audited: Audited) -> None:
        """Write an entry, and return once brokers have it. Raises NotAudited."""
        async with self._turn:
            entry = AuditEntry(
                deployment=self._deployment,
                chain=self._chain,
                number=self._number + 1,
                previous=self._previous,
                at=self._now(),
                **audited._asdict(),
            )
            text = entry.model_dump_json().encode()
            try:
                async with asyncio.timeout(AUDIT_SECONDS):
                    await self._send(text)
            except (KafkaError, Understood, OSError, TimeoutError) as error:
                log.error("an audit entry was not written", extra={"error": described(error)})
                # It may be in the log for all that is known, so none may follow it.
                self._chain, self._number, self._previous = new_chain(), 0, ""
                await self._let_go()
                raise NotAudited(
                    "the audit log cannot be written, and without its entry nothing of this is "
                    "shown; the operator's `caseline doctor` looks closer"
                ) from error
            self._number, self._previous = entry.number, hashlib.sha256(text).hexdigest()

    async def _send(self, text: bytes) -> None:
        if self._producer is None:
            self._producer = acknowledged_producer(self._brokers)
            await self._producer.start()
            known = self._producer
            await find_topic(AUDIT_TOPIC, lambda: private.partitions_of_known(known, AUDIT_TOPIC))
        key = self._deployment.encode()
        await self._producer.send_and_wait(AUDIT_TOPIC, text, key=key, partition=0)

    async def _let_go(self) -> None:
        """Have no producer, whatever became of the one there was."""
        producer, self._producer = self._producer, None
        await stop_within(AUDIT_SECONDS, producer, "the audit log")


def new_chain() -> str:
    """A name that no other chain has."""
    return secrets.token_hex(8)
