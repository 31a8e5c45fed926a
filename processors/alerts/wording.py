"""Changes of alerts, written as they go out (schemas.alerts)."""

import hashlib
import json

import msgspec

from processors.alerts.told import Alert
from processors.days.calendar import date_of
from schemas.alerts import FORMAT
from schemas.areas import Areas
from schemas.standards import Standards


def alert_id(*about: str | int) -> str:
    """The id of what an alert is about, as 20 hexadecimal digits.

    A hash, so that it can be a key and a label without saying which child it is about.
    """
    text = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Wording:
    """Writes changes as they go out (schemas.alerts)."""

    def __init__(self, standards: Standards, areas: Areas) -> None:
        self._standards = {standard.code: standard for standard in standards.standard}
        self._top = areas.top

    def change(self, child: str, alert: Alert) -> tuple[str, bytes]:
        """The id of an alert and, as JSON, the `CaseChange` that made it what it is."""
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
                "due": date_of(alert.due),
            }
        )
        return name, text


_encode_json = msgspec.json.Encoder().encode
