"""What goes wrong, as programs and people are told: problem+json (RFC 9457), and a page."""

from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from schemas.outward import for_json


@dataclass
class Problem(Exception):  # noqa: N818 - what is told, whatever went wrong
    """An answer that is no success: the status, what is wrong and what to do about it."""

    status: HTTPStatus
    detail: str
    parameter: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status in words."""
        return self.status.phrase

    def as_json(self) -> str:
        """The text of application/problem+json."""
        told: dict[str, str | int] = {
            "type": "about:blank",
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.parameter:
            told["parameter"] = self.parameter
        return for_json(msgspec.json.encode(told).decode())


class NothingRead(Problem):
    """What was asked for rests on events, and none has been read; pages explain that."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})


def wrong_parameter(name: str, detail: str) -> Problem:
    """A parameter that is unknown, or whose value is."""
    return Problem(HTTPStatus.BAD_REQUEST, f"{name}: {detail}", name)


def away(detail: str) -> Problem:
    """A service that this one rests on is not there; what was asked may well work later."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
