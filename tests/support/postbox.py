"""A real mail server for tests, that notes what it gets, and refuses or fails as it is told."""

import email
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.ports import free_port

DONE = "250 OK"


class Postbox:
    """What a mail server took; `answer` says how it replies to a message's text."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer: Callable[[EmailMessage], str] = lambda _: DONE
        self.attempts = 0
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """A message has come."""
        message = email.message_from_bytes(envelope.content, policy=default)
        self.attempts += 1
        reply = self.answer(message)
        if reply == DONE:
            self.mails.append(message)
        return reply

    def body(self, number: int, kind: str = "plain") -> str:
        """The text, or the HTML, of a message."""
        part = self.mails[number].get_body((kind,))
        assert part is not None
        return str(part.get_content())

    @property
    def to(self) -> list[str]:
        """Who was written to, in order."""
        return [str(mail["To"]) for mail in self.mails]


@contextmanager
def taking_mail() -> Iterator[Postbox]:
    """A mail server on a port of its own."""
    box = Postbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
