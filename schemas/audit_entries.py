"""The audit log: who was shown what of whom, who was refused, and what was decided of alerts."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

AUDIT_TOPIC = "audit-log"
AuditResult = Literal["shown", "denied", "acknowledged", "silenced"]


class AuditEntry(BaseModel):
    """One entry: what was asked by whom, and what came of it.

    Each process writes a chain of its own: `previous` is the SHA-256 of the entry before it, as it
    lies in the log, and empty in the first. `cases` is how many were shown, of `total`.
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
