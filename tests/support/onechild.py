"""One child's one case as a worker has it, and what is told of it day by day."""

import json
from datetime import UTC, date, datetime
from typing import Any

from processors.alerts.judging import Judgement
from processors.days.calendar import day_number
from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.alerts import CHANGE, CaseChange
from schemas.events.registry import CASE_TOPIC

UNIT: dict[str, Any] = {"service": "unit"}
FAMILY_SUPPORT: dict[str, Any] = {"service": "family-support"}
RECEIVED: dict[str, Any] = {"notification_type": "EHN", "district": "Dover"}


def event(kind: str, day: str, name: str = "", revision: int = 0, **data: object) -> Message:
    """A message of something that happened to the case; by day, or by minute."""
    made = {
        "specversion": "1.0",
        "id": name or f"{kind} {day}",
        "source": "urn:a",
        "type": kind,
        "subject": "C1",
        "time": f"{day}Z" if "T" in day else f"{day}T12:00:00Z",
        "partitionkey": "P1",
        "revision": revision,
        "data": data,
    }
    return b"P1", json.dumps(made).encode(), ()


def received(day: str = "2015-10-01") -> Message:
    return event("notification.received", day, "received", **RECEIVED)


def given(day: str, name: str = "given", revision: int = 0, **to: Any) -> Message:
    return event("case.allocated", day, name, revision, **to)


def retraction(of: str, day: str = "2015-10-19") -> Message:
    return event("event.retracted", day, f"not {of}", retracts=of)


def nine(day: str) -> datetime:
    """Nine o'clock on a day, by which it is judged."""
    return datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC)


class OneChild:
    """What a worker tells of the child; by standard and episode."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._state = rules, Partition(rules)
        self._state.admit("P1", None)

    def on(self, day: str, *messages: Message) -> dict[str, CaseChange]:
        """What is told on a day, once messages have come."""
        decoded = decode(CASE_TOPIC, messages)
        assert not decoded.rejected
        self._state.fold(decoded.events)
        self._state.look_at(["P1"])
        judgement = Judgement(day_number(date.fromisoformat(day)), at=nine(day).timestamp())
        telling = self._state.settle(judgement).telling
        found = {}
        for child, alert, _ in telling.changes:
            change = CHANGE.validate_json(self._rules.wording.change(child, alert, telling.at)[1])
            assert isinstance(change, CaseChange)
            found[f"{change.standard} {change.episode}"] = change
        return found
