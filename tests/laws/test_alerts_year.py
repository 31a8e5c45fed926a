"""A year of alerts, day by day: each change is told on the day on which it became true."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

import pytest

from examples.workload import EVENTS_A_CASE, case_events
from processors.alerts.changes import Told
from processors.alerts.judging import Judgement
from processors.days.calendar import LONDON, date_of, day_number
from processors.record.decoding import Message
from processors.rules import Rules
from schemas.alerts import CHANGE, AlertState
from schemas.events.registry import CASE_TOPIC
from streams.kafka.eventfiles import EventLine
from streams.state.alert_outbox import Outgoing, queue_changes
from tests.reference.alerts import About, alerts
from tests.support.agreement import parsed
from tests.support.durable import Worker
from tests.support.watched import true_of

CASES = 300
DAY = timedelta(days=1)
SHARE_AGAIN = 0.03
SERVICES = ("family-support", "neet-support")


def day_of(message: Message) -> date:
    """The day of a message's event, in London."""
    return datetime.fromisoformat(json.loads(message[1] or b"")["time"]).astimezone(LONDON).date()


def arrivals(seed: int) -> Iterator[tuple[date, list[Message]]]:
    """What arrives on each day of a year, some of it late, repeated or corrected.

    Some cases go to the services that providers hold.
    """
    chance = random.Random(seed)
    found: list[tuple[date, Message]] = []
    today = date.min
    for key, value in case_events(int(CASES * EVENTS_A_CASE), seed=seed):
        event = json.loads(value)
        if event["data"].get("service") == "other":
            event["data"]["service"] = SERVICES[int(event["subject"][1:]) % 2]
        message = (key, json.dumps(event).encode(), ())
        today = max(today, day_of(message))  # whatever is dated later has yet to come
        found.append((today, message))
        if chance.random() < SHARE_AGAIN:
            found.append((today, message))
    for day, group in groupby(found, key=lambda it: it[0]):
        yield day, [message for _, message in group]


class Year:
    """A worker whose clock goes from day to day, and all that has come to it."""

    def __init__(self, rules: Rules, seed: int) -> None:
        self.worker = Worker(rules, CASE_TOPIC)
        self.came: list[Message] = []
        self.days: defaultdict[str, set[date]] = defaultdict(set)
        self._chance = random.Random(seed)

    def pass_day(self, day: date, messages: list[Message]) -> None:
        """The clock passes midnight, then what arrives on the day does."""
        judgement = Judgement(day_number(day))
        self.worker.look(judgement)
        for message in messages:
            self.worker.take([message])
            self._mishap(judgement)
            self.days[(message[0] or b"").decode()].add(day)
        self.came += messages
        self.worker.commit(judgement)

    def _mishap(self, judgement: Judgement) -> None:
        chance = self._chance.random()
        if chance < 0.05:
            self.worker.restart()
        elif chance < 0.10:
            self.worker.state.forget(20)
        elif chance < 0.40:
            self.worker.commit(judgement)

    @property
    def expected(self) -> Iterator[EventLine]:
        """What came, as the reference reads it."""
        return (EventLine(0, message, (CASE_TOPIC,)) for message in self.came)


@pytest.mark.parametrize("seed", [1])
def test_alerts_of_a_year_are_those_of_brute_force_and_told_on_their_day(
    rules: Rules, seed: int
) -> None:
    year = Year(rules, seed)
    by_day = dict(arrivals(seed))
    day, end = min(by_day), min(by_day) + timedelta(days=400)
    changed: dict[tuple[About, int], date] = {}
    months = 0
    while day < end:
        known = len(year.worker.changes)
        year.pass_day(day, by_day.pop(day, []))
        for child, alert, _ in year.worker.changes[known:]:
            changed[(child, *alert.about), alert.version] = day
        if (day + DAY).day == 1:
            months += 1
            assert true_of(year.worker) == alerts(parsed(year.expected), day), day
        day += DAY
    assert months == 13
    _check_days(year, changed)


def _check_days(year: Year, changed: dict[tuple[About, int], date]) -> None:
    """What nothing late or corrected has touched was told on the very day it became true."""
    prompt: dict[AlertState, int] = {"due-soon": 0, "breached": 0, "resolved": 0}
    for child, alert, _ in year.worker.changes:
        day = changed[(child, *alert.about), alert.version]
        assert date_of(alert.since) <= day
        assert not alert.is_active or not alert.historic
        if date_of(alert.since) == day:
            prompt[alert.state] += 1
        else:
            # Later than it became true: only because something came of the child on that day.
            assert day in year.days[child], alert
    assert all(count > 100 for count in prompt.values()), prompt


class Kept:
    """What `queue_changes` keeps of active alerts, as Redis would."""

    def __init__(self) -> None:
        self.open: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self.outbox: list[bytes] = []
        self.named: set[str] = set()

    def eval(self, _script: str, _keys: int, _key: str, *changes: bytes) -> None:
        self.outbox += changes

    def hset(self, _: str, mapping: dict[str, bytes]) -> None:
        self.open |= mapping

    def hdel(self, _: str, *names: str) -> None:
        for name in names:
            self.open.pop(name, None)

    def hincrby(self, _: str, name: str, by: int) -> None:
        self.counts[name] += by

    def sadd(self, _: str, *names: str) -> None:
        self.named.update(names)

    def check(self) -> None:
        """What is counted is what is open, and that is what was told last."""
        found = [CHANGE.validate_json(text) for text in self.open.values()]
        assert +self.counts == Counter(f"{it.standard} {it.state}" for it in found)
        assert not -self.counts
        last = {it.alert: it for it in map(CHANGE.validate_json, self.outbox)}
        assert {name: it for name, it in last.items() if it.is_active} == {
            it.alert: it for it in found
        }
        assert {it.owner for it in last.values()} <= self.named


def outgoing(rules: Rules, changes: list[Told]) -> Iterator[Outgoing]:
    """Changes as they are queued."""
    for child, alert, before in changes:
        name, text = rules.wording.change(child, alert)
        yield Outgoing(name, alert.standard, before, alert.state, text)


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_follow_what_is_open_in_any_order_by_clocks_that_go_back_and_forth(
    rules: Rules, seed: int
) -> None:
    chance, kept, worker = random.Random(seed), Kept(), Worker(rules, CASE_TOPIC)
    messages = [message for _, of_day in arrivals(seed) for message in of_day]
    chance.shuffle(messages)
    day = latest = date(2015, 6, 1)
    known = 0
    for message in messages:
        worker.take([message])
        step = chance.random()
        if step < 0.3:
            share = chance.choice([0.0, 0.5, 1.0])
            judgement = Judgement(day_number(day), lambda _, share=share: chance.random() < share)  # type: ignore[misc]
            worker.commit(judgement if chance.random() < 0.8 else None)
        elif step < 0.4:
            worker.restart()
            worker.state.forget(10)
        elif step < 0.42:
            day += chance.choice([1, 1, 3, -2]) * DAY
            latest = max(latest, day)
        queue_changes(kept, str, outgoing(rules, worker.changes[known:]))
        known = len(worker.changes)
    kept.check()
    judgement = Judgement(day_number(latest))
    worker.commit(judgement)
    worker.look(judgement)
    queue_changes(kept, str, outgoing(rules, worker.changes[known:]))
    kept.check()
    lines = [EventLine(0, message, (CASE_TOPIC,)) for message in messages]
    assert true_of(worker) == alerts(parsed(lines), latest)
