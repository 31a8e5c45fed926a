"""What a deployment has told of alerts, and whether all that is kept of them agrees."""

import json
import random
from collections import Counter
from datetime import date
from itertools import islice
from typing import Any

from redis import Redis as PlainRedis

from examples.workload import case_events
from processors.alerts.phrases import alert_id
from processors.alerts.told import Alert
from processors.alerts.toldalerts import is_apart, joined, read_told
from processors.days.calendar import date_of
from schemas.alerts import CHANGE, CaseChange
from schemas.events.registry import CASE_TOPIC
from tests.reference.alerts import About, Found
from tests.support.workers import CommandLine


class Alerts:
    """What a deployment's partitions have of alerts in Redis."""

    def __init__(self, caseline: CommandLine) -> None:
        self._redis = PlainRedis.from_url(caseline.settings.redis_url)
        self._prefix = f"caseline:{{{caseline.settings.deployment}:{CASE_TOPIC}:"

    def _keys(self, name: str) -> list[bytes]:
        keys: Any = self._redis.keys(f"{self._prefix}*:alerts:{name}")
        return sorted(keys)

    def told(self) -> dict[About, Alert]:
        """Every alert as it was told last."""
        found: dict[About, Alert] = {}
        for key in self._keys("told"):
            stored: Any = self._redis.hgetall(key)
            for child, encoded in stored.items():
                if is_apart(encoded):
                    apart: Any = self._redis.hvals(key + b":" + child)
                    encoded = joined(encoded, apart)
                for about, alert in read_told(encoded).alerts.items():
                    found[child.decode(), *about] = alert
        return found

    def true(self) -> dict[About, Found]:
        """What was told and still holds, as the reference has it."""
        return {
            about: Found(it.state, date_of(it.since), date_of(it.due), it.reason)
            for about, it in self.told().items()
            if not it.is_void
        }

    def changes(self) -> list[CaseChange]:
        """What waits in the outboxes, in order for each partition."""
        found = []
        for key in self._keys("outbox"):
            entries: Any = self._redis.xrange(key)
            for _, fields in entries:
                change = CHANGE.validate_json(fields[b"change"])
                assert isinstance(change, CaseChange)
                found.append(change)
        return found

    def open(self) -> dict[str, CaseChange]:
        """The active alerts by id."""
        found = {}
        for key in self._keys("open"):
            stored: Any = self._redis.hgetall(key)
            for name, text in stored.items():
                change = CHANGE.validate_json(text)
                assert isinstance(change, CaseChange)
                found[name.decode()] = change
        return found

    def counts(self) -> dict[str, int]:
        """How many are active by standard and state."""
        total: Counter[str] = Counter()
        for key in self._keys("counts"):
            stored: Any = self._redis.hgetall(key)
            total.update({field.decode(): int(count) for field, count in stored.items()})
        return {field: count for field, count in total.items() if count}


def check(found: Alerts, expected: dict[About, Found]) -> None:
    """What is told is what is true, each change once, and everything else kept agrees with it."""
    assert found.true() == expected
    told = {alert_id(*about): alert for about, alert in found.told().items()}
    versions: Counter[str] = Counter()
    latest: dict[str, CaseChange] = {}
    for change in found.changes():
        versions[change.alert] += 1
        assert change.version == versions[change.alert], change
        latest[change.alert] = change
    assert {name: it.version for name, it in latest.items()} == {
        name: alert.version for name, alert in told.items()
    }
    assert {name: it for name, it in latest.items() if it.is_active} == found.open()
    assert found.counts() == Counter(f"{it.standard} {it.state}" for it in found.open().values())


def messages_until(day: date, count: int, seed: int) -> list[tuple[bytes, bytes]]:
    """Case events of about a year up to a day, in disorder."""
    messages = list(islice(case_events(count, seed=seed), count))
    random.Random(seed).shuffle(messages)
    return [it for it in messages if json.loads(it[1])["time"][:10] <= str(day)]
