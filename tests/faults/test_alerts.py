"""Alerts told by real workers, on a real Kafka and Redis, under kills, rebalances and the clock."""

import json
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import islice
from typing import Any

import pytest

from examples.workload import case_events
from processors.alerts.phrases import alert_id
from schemas.events.registry import CASE_TOPIC
from streams.kafka.eventfiles import EventLine
from tests.reference.alerts import alerts
from tests.support.agreement import parsed
from tests.support.feeder import feeding
from tests.support.opencases import line, open_case, pushed
from tests.support.servers import Server
from tests.support.toldalerts import Alerts, check, messages_until
from tests.support.workers import CommandLine, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

TODAY = date(2015, 10, 31)
NOON = datetime(2015, 10, 31, 12, tzinfo=UTC)
EVENTS = 6_000
# Longer than a busy machine leaves between one event and the next.
CALM_SECONDS = 45


def test_alerts_are_those_of_brute_force_after_kills_and_rebalances(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = messages_until(TODAY, EVENTS, seed=5)
    settings: dict[str, Any] = {"clock_from": NOON.isoformat(), "alert_calm_seconds": 0}
    share = len(messages) // 4
    with feeding(kafka.address, CASE_TOPIC, messages) as feeder:
        for _ in range(3):
            with caseline.worker(**settings) as one, caseline.worker(**settings) as two:
                feeder.burst(share).result()
                one.wait_to_hold(1)
                two.kill()
                one.kill()
        feeder.burst().result()
    found = Alerts(caseline)
    lines = [EventLine(0, (key, value, ()), (CASE_TOPIC,)) for key, value in messages]
    expected = alerts(parsed(lines), TODAY)
    with caseline.worker(**settings) as worker:
        caseline.wait_for_the_end([worker])
        wait_until(lambda: found.true() == expected, "every alert told", [worker])
        check(found, expected)
    assert len(expected) > 500


def test_the_clock_alone_raises_an_alert_and_an_event_resolves_it(
    caseline: CommandLine, kafka: Server
) -> None:
    received = datetime(2015, 10, 2, 9, tzinfo=UTC)
    pushed(kafka, open_case(1, received))
    noon = datetime(2015, 10, 30, 12, tzinfo=UTC).isoformat()
    before_midnight = datetime(2015, 10, 30, 23, 59, 45, tzinfo=UTC).isoformat()
    found = Alerts(caseline)

    def states() -> set[tuple[str, str]]:
        return {(it.standard, it.state) for it in found.open().values()}

    contact_late, plan_soon = ("unit-contact", "breached"), ("unit-plan", "due-soon")
    with caseline.worker(clock_from=noon, alert_calm_seconds=0) as worker:
        wait_until(lambda: states() == {contact_late, plan_soon}, "as on 30 October", [worker])
    with caseline.worker(clock_from=before_midnight, alert_calm_seconds=0) as worker:
        wait_until(lambda: states() == {contact_late, ("unit-plan", "breached")}, "31st", [worker])
        done = datetime(2015, 10, 31, 0, 0, 1, tzinfo=UTC)
        pushed(kafka, [line("child-1", "case-1", "plan.completed", done)])
        wait_until(lambda: states() == {contact_late}, "the plan is done", [worker])
    plan = [it for it in found.changes() if it.standard == "unit-plan"]
    assert [(it.state, it.reason, it.version) for it in plan] == [
        ("due-soon", None, 1),
        ("breached", None, 2),
        ("resolved", "done-late", 3),
    ]
    assert {(it.owner_kind, it.owner, it.due) for it in plan} == {
        ("team", "Dover 1", date(2015, 10, 30))
    }


def test_events_of_last_year_read_again_raise_only_what_is_true_now(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = list(islice(case_events(EVENTS, seed=7), EVENTS))
    today = date(2016, 6, 1)
    messages = [it for it in messages if json.loads(it[1])["time"][:10] <= str(today)]
    lines = [EventLine(0, (key, value, ()), (CASE_TOPIC,)) for key, value in messages]
    expected = alerts(parsed(lines), today)
    settings: dict[str, Any] = {
        "clock_from": datetime(2016, 6, 1, 12, tzinfo=UTC).isoformat(),
        "alert_calm_seconds": CALM_SECONDS,
    }
    found = Alerts(caseline)
    with (
        feeding(kafka.address, CASE_TOPIC, messages) as feeder,
        caseline.worker(**settings) as worker,
    ):
        for _ in range(20):
            feeder.burst(len(messages) // 20).result()
            assert not found.open()
        feeder.burst().result()
        caseline.wait_for_the_end([worker])
        assert not found.open()
        wait_until(lambda: found.true() == expected, "every alert told", [worker])
    raised = {it.alert for it in found.changes() if it.is_active}
    assert raised == {alert_id(*about) for about, it in expected.items() if it.state != "resolved"}
    assert {it.alert for it in found.changes() if it.historic} == {
        alert_id(*about) for about, it in expected.items() if it.state == "resolved"
    }
    assert 0 < len(raised) < len(expected) / 2


def test_an_event_of_long_ago_raises_nothing_until_such_events_stop(
    caseline: CommandLine, kafka: Server
) -> None:
    found = Alerts(caseline)
    settings: dict[str, Any] = {
        "clock_from": NOON.isoformat(),
        "alert_calm_seconds": CALM_SECONDS,
    }
    with caseline.worker(**settings) as worker:
        worker.wait_to_hold(1)
        pushed(kafka, open_case(1, NOON - timedelta(days=60)))
        caseline.wait_for_the_end([worker])
        assert not found.changes()
        wait_until(lambda: len(found.open()) == 2, "contact and plan are late", [worker])
        assert {it.state for it in found.open().values()} == {"breached"}


def test_standards_that_are_changed_between_restarts_change_alerts_by_a_rebuild(
    caseline: CommandLine, kafka: Server
) -> None:
    other = (files("schemas") / "data/standards.toml").read_text()
    plan = other.index('code = "unit-plan"')
    other = other.replace('code = "unit-contact"', 'code = "unit-first-contact"')
    other = other[:plan] + other[plan:].replace('"warning"', '"critical"', 1)
    path = caseline.folder / "standards.toml"
    path.write_text(other)
    settings: dict[str, Any] = {"clock_from": NOON.isoformat(), "alert_calm_seconds": 0}
    changed = {**settings, "standards_file": path}
    found = Alerts(caseline)

    def states() -> set[tuple[str, str, str]]:
        return {(it.standard, it.state, it.severity) for it in found.open().values()}

    pushed(kafka, [it for n in (1, 2, 3) for it in open_case(n, NOON - timedelta(days=60))])
    contact, plan_late = ("unit-contact", "breached", "warning"), ("unit-plan", "breached")
    with caseline.worker(**settings) as worker:
        wait_until(lambda: len(found.open()) == 6, "all are late", [worker])
        assert states() == {contact, (*plan_late, "warning")}
    with caseline.worker(**changed) as worker:
        assert worker.ended() == 1
        assert "caseline rebuild" in worker.text
    caseline.run("rebuild", "--yes", **changed)
    with caseline.worker(**changed) as worker:
        renamed = ("unit-first-contact", "breached", "warning")
        wait_until(lambda: states() == {renamed, (*plan_late, "critical")}, "changed", [worker])
        wait_until(lambda: len(found.changes()) == 6 + 3 * 3, "all are told", [worker])
    assert found.counts() == {"unit-first-contact breached": 3, "unit-plan breached": 3}
    over = [it for it in found.changes() if not it.is_active]
    assert {(it.standard, it.reason, it.owner, it.version) for it in over} == {
        ("unit-contact", "withdrawn", "Dover 1", 2)
    }
    assert {it.version for it in found.open().values() if it.standard == "unit-plan"} == {2}
