"""The audit log: who came in, was shown, took away or decided what, and who was refused."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

AUDIT_TOPIC = "audit-log"
# `exported` is a CSV of figures, `refused` events that were sent and are none; `acknowledged` and
# `silenced` are of alerts, `begun`, `done` and `not-done` of tasks on releases, `sent-again` of
# dead letters, `token-made` and `token-revoked` of tokens, and `erased` of a child,
# who is named by a keyed hash.
AuditResult = Literal[
    "shown",
    "denied",
    "exported",
    "refused",
    "signed-in",
    "sign-in-refused",
    "signed-out",
    "sign-out-refused",
    "acknowledged",
    "silenced",
    "begun",
    "done",
    "not-done",
    "sent-again",
    "token-made",
    "token-revoked",
    "erased",
]


class AuditEntry(BaseModel):
    """One entry: what was asked by whom, and what came of it.

    Each process writes a chain of its own: `previous` is the SHA-256 of the entry before it, as it
    lies in the log, and empty in the first. `cases` is how many were shown, or how many events were
    refused, of `total`. `origin` is the address that one who signs in does so from.
    """

    model_config = ConfigDict(frozen=True)

    deployment: str
    chain: str
    number: int
    previous: str
    at: AwareDatetime
    who: str
    roles: tuple[str, ...]
    route: str
    query: str
    result: AuditResult
    cases: int = 0
    total: int = 0
    origin: str = ""
