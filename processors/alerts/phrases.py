"""Changes of alerts, written as they go out (schemas.alerts)."""

import hashlib
from datetime import UTC, date, datetime
from functools import lru_cache

import msgspec
import numpy as np

from processors.alerts.told import Alert
from processors.days.calendar import calendar, date_of
from schemas.alerts import FORMAT, AlertState, Reason
from schemas.areas import Areas
from schemas.standards import OwnerKind, Severity, Standard, Standards

# Days of which it is remembered which working day follows: alerts of a time share them.
DAYS_KEPT = 4_096
# Moments that are remembered as they are written: all changes of a settlement share one.
MOMENTS_KEPT = 256


def alert_id(*about: str | int) -> str:
    """The id of what an alert is about, as 20 hexadecimal digits.

    A hash, so that it can be a key and a label without saying which child it is about.
    """
    return hashlib.sha256(_encode_json(about)).hexdigest()[:20]


class _CaseChangeOut(msgspec.Struct, frozen=True, gc=False):
    """A `CaseChange` in the order in which it is written."""

    format: int
    kind: str
    alert: str
    version: int
    learnt: datetime | None
    stand: int | None
    stand_learnt: datetime | None
    standard: str
    title: str
    state: AlertState
    since: date
    reason: Reason | None
    historic: bool
    severity: Severity
    owner_kind: OwnerKind
    owner: str
    area: str
    provider: str | None
    child: str
    case: str
    episode: int
    service: str
    team: str | None
    worker: str | None
    due: date
    breached_from: date | None


class Wording:
    """Writes changes as they go out (schemas.alerts)."""

    def __init__(self, standards: Standards, areas: Areas) -> None:
        self._standards = {standard.code: standard for standard in standards.standard}
        self._top = areas.top

    def change(self, child: str, alert: Alert, at: float = 0.0) -> tuple[str, bytes]:
        """The id of an alert and, as JSON, the `CaseChange` that made it what it is.

        `at` is when it was learnt, in seconds from 1970; 0 where that is not known.
        """
        name = alert_id(child, *alert.about)
        standard = self._standards.get(alert.standard)
        area = alert.area or self._top
        kind, owner = alert.owner, area
        if kind != "area":
            owner = (alert.team if kind == "team" else alert.provider) or ""
            if not owner:
                kind, owner = "area", area
        out = _CaseChangeOut(
            FORMAT,
            "case",
            name,
            alert.version,
            _moment(at),
            alert.stand or None,
            _moment(alert.stand_at),
            alert.standard,
            standard.title if standard else alert.standard,
            alert.state,
            date_of(alert.since),
            alert.reason,
            alert.historic,
            alert.severity,
            kind,
            owner,
            area,
            alert.provider,
            child,
            alert.case,
            alert.episode,
            standard.service if standard else "",
            alert.team,
            alert.worker,
            date_of(alert.due),
            date_of(_breach(standard, alert.due)) if standard else None,
        )
        return name, _encode_json(out)


def _breach(standard: Standard, due: int) -> int:
    """The first day that breaks a standard of which a day is the last, or last working, to keep."""
    return due + 1 if standard.unit == "days" else _working_day_after(due)


@lru_cache(maxsize=DAYS_KEPT)
def _working_day_after(day: int) -> int:
    return int(calendar().working_day_after(np.array([day]), 0)[0])


@lru_cache(maxsize=MOMENTS_KEPT)
def _moment(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None


_encode_json = msgspec.json.Encoder().encode
