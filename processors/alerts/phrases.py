"""Changes of alerts, written as they go out (schemas.alerts)."""

import hashlib
import json
from datetime import UTC, datetime

import msgspec
import numpy as np

from processors.alerts.told import Alert
from processors.days.calendar import calendar, date_of
from schemas.alerts import FORMAT
from schemas.areas import Areas
from schemas.standards import Standard, Standards


def alert_id(*about: str | int) -> str:
    """The id of what an alert is about, as 20 hexadecimal digits.

    A hash, so that it can be a key and a label without saying which child it is about.
    """
    return hashlib.sha256(_as_json(about).encode()).hexdigest()[:20]


# Made once: `json.dumps` would make an encoder for each id.
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
        owner = {"team": alert.team, "provider": alert.provider, "area": area}[alert.owner]
        text = _encode_json(
            {
                "format": FORMAT,
                "kind": "case",
                "alert": name,
                "version": alert.version,
                "learnt": _moment(at),
                "stand": alert.stand or None,
                "stand_learnt": _moment(alert.stand_at),
                "standard": alert.standard,
                "title": standard.title if standard else alert.standard,
                "state": alert.state,
                "since": date_of(alert.since),
                "reason": alert.reason,
                "historic": alert.historic,
                "severity": alert.severity,
                "owner_kind": alert.owner if owner else "area",
                "owner": owner or area,
                "area": area,
                "provider": alert.provider,
                "child": child,
                "case": alert.case,
                "episode": alert.episode,
                "service": standard.service if standard else "",
                "team": alert.team,
                "worker": alert.worker,
                "due": date_of(alert.due),
                "breached_from": date_of(_breach(standard, alert.due)) if standard else None,
            }
        )
        return name, text


def _breach(standard: Standard, due: int) -> int:
    """The first day that breaks a standard of which a day is the last, or last working, to keep."""
    if standard.unit == "days":
        return due + 1
    return int(calendar().working_day_after(np.array([due]), 0)[0])


def _moment(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None


_encode_json = msgspec.json.Encoder().encode
