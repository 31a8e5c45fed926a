"""Alertmanager's API, version 2: an alert is its labels, active until its end or its lease is up.

Times are those of this machine's clock, since Alertmanager goes by its own; only the day on which
an alert began is the alert's.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from aiohttp import ClientSession

from processors.days.calendar import LONDON
from schemas.alerts import CaseChange, IndicatorChange
from schemas.receivers import Alertmanager
from streams.alerts.channels.posting import post
from streams.alerts.messages.message import Message
from streams.alerts.messages.planning import raises

PATH = "/api/v2/alerts"


@dataclass(frozen=True)
class AlertmanagerChannel:
    """Posts alerts to one Alertmanager."""

    receiver: Alertmanager
    session: ClientSession

    async def send(self, message: Message) -> None:
        """Post changes: what was told before ends, what is active is raised.

        Raises Refused or NotNow unless it was taken.
        """
        now = datetime.now(UTC)
        await self._post([alert for item in message.items for alert in self._alerts(item, now)])

    async def tell_again(self, changes: Sequence[CaseChange | IndicatorChange]) -> None:
        """Post what is active, so that it does not lapse. Raises Refused or NotNow."""
        now = datetime.now(UTC)
        for start in range(0, len(changes), self.receiver.most_changes):
            part = changes[start : start + self.receiver.most_changes]
            await self._post([self._active(change, now) for change in part])

    def _alerts(self, item: Any, now: datetime) -> Iterator[dict[str, Any]]:
        before, change = item.before, item.change
        is_raised = change.is_active and raises(self.receiver, change.state)
        if before and not (is_raised and labels(before) == labels(change)):
            yield self._alert(before, now, now, reason=change.reason)
        if is_raised:
            yield self._active(change, now)

    def _active(self, change: CaseChange | IndicatorChange, now: datetime) -> dict[str, Any]:
        return self._alert(change, now, now + timedelta(seconds=self.receiver.lease))

    def _alert(
        self,
        change: CaseChange | IndicatorChange,
        now: datetime,
        ends: datetime,
        reason: str | None = None,
    ) -> dict[str, Any]:
        alert = {
            "labels": labels(change),
            "annotations": annotations(change, reason),
            "startsAt": min(began(change.since), now).isoformat(),
            "endsAt": ends.isoformat(),
        }
        if self.receiver.generator_url:
            url = self.receiver.generator_url.replace("{alert}", change.alert)
            alert["generatorURL"] = url
        return alert

    async def _post(self, alerts: Iterable[dict[str, Any]]) -> None:
        body = json.dumps(list(alerts), ensure_ascii=False).encode()
        url = self.receiver.url.rstrip("/") + PATH
        await post(self.session, url, body, {}, self.receiver.timeout)


def labels(change: CaseChange | IndicatorChange) -> dict[str, str]:
    """What an alert is to Alertmanager; never a child or a case."""
    named = {
        "alertname": change.standard,
        "alert_id": change.alert,
        "state": change.state,
        "severity": change.severity,
        "owner_kind": change.owner_kind,
        "owner": change.owner,
        "area": change.area,
        "provider": change.provider or "",
    }
    if isinstance(change, CaseChange):
        named |= {"service": change.service, "team": change.team or ""}
    else:
        named |= {"indicator": change.indicator, "period": change.period or ""}
    return {name: text for name, text in named.items() if text}


def annotations(change: CaseChange | IndicatorChange, reason: str | None) -> dict[str, str]:
    """What is told besides."""
    told = {"summary": f"{change.title}: {change.state}", "since": change.since.isoformat()}
    if reason:
        told["reason"] = reason
    if isinstance(change, CaseChange):
        return {**told, "case": change.case, "due": change.due.isoformat()}
    return {**told, "value": change.value_text, "target": f"{change.target:g}"}


def began(day: date) -> datetime:
    """Midnight in London as a civil date begins."""
    return datetime.combine(day, time(), LONDON)
