"""Sending one message until it is taken: attempts, the time between them, and the pace."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_never,
    wait_random_exponential,
)

from schemas.receivers import Alertmanager, Smtp, Webhook
from streams.failures import Understood

# The longest that a receiver may ask us to wait, in seconds.
LONGEST_ASKED = 3600.0

log = logging.getLogger(__name__)


class NotNow(Understood):
    """The receiver did not take a message now; `after` is how many seconds it asks to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = min(after, LONGEST_ASKED)


class RefusedByReceiver(Understood):
    """The receiver will never take the message; `reason` is a class for counting."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DeliveryWatch(Protocol):
    """What is told of deliveries to whoever measures them."""

    def attempted(self, receiver: str, outcome: str, seconds: float) -> None:
        """An attempt: its outcome is `taken`, `failed` or `refused`."""

    def stands(self, receiver: str, behind: int) -> None:
        """How many offsets of the topic and fixed changes the receiver has yet to be told."""


class Unwatched:
    """Measures nothing."""

    def attempted(self, receiver: str, outcome: str, seconds: float) -> None:
        """Nothing."""

    def stands(self, receiver: str, behind: int) -> None:
        """Nothing."""


@dataclass
class Pace:
    """Lets no more than so many messages a second through."""

    per_second: float
    _next: float = 0.0

    async def wait(self) -> None:
        """Wait until the next message may go."""
        now = time.monotonic()
        await asyncio.sleep(max(0.0, self._next - now))
        self._next = max(now, self._next) + 1 / self.per_second


class Sending:
    """Sends one receiver's messages, one after another."""

    def __init__(
        self,
        receiver: Webhook | Alertmanager | Smtp,
        watching: DeliveryWatch,
        most_attempts: int | None = None,
    ) -> None:
        self._receiver = receiver
        self._watching = watching
        self._pace = Pace(receiver.messages_per_second)
        self._stop = stop_after_attempt(most_attempts) if most_attempts else stop_never
        self._backoff = wait_random_exponential(
            multiplier=receiver.first_retry, max=receiver.longest_retry
        )

    async def until_taken(self, send: Callable[[], Awaitable[None]]) -> None:
        """Send until it is taken. Raises Refused, or NotNow after the last attempt if limited."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(NotNow),
            wait=self._wait,
            stop=self._stop,
            before_sleep=self._note,
            reraise=True,
        )
        await retrying(self._attempt, send)

    async def _attempt(self, send: Callable[[], Awaitable[None]]) -> None:
        await self._pace.wait()
        began = time.monotonic()
        outcome = "failed"
        try:
            await send()
            outcome = "taken"
        except RefusedByReceiver:
            outcome = "refused"
            raise
        finally:
            self._watching.attempted(self._receiver.name, outcome, time.monotonic() - began)

    def _wait(self, state: RetryCallState) -> float:
        """A random time that may be the longer the more attempts failed, or what was asked for."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, NotNow) else 0.0
        return max(asked, self._backoff(state))

    def _note(self, state: RetryCallState) -> None:
        log.warning(
            "not taken, is tried again",
            extra={
                "receiver": self._receiver.name,
                "attempt": state.attempt_number,
                "reason": str(state.outcome.exception()) if state.outcome else "",
                "seconds": round(state.next_action.sleep, 1) if state.next_action else 0.0,
            },
        )
