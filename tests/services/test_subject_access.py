"""`caseline export` on a real Kafka and Redis: all of one child, and nothing of another's."""

import asyncio
import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from processors.figures.series import months_until
from schemas.catalogue import ALL_AGES
from schemas.events.registry import VALIDATORS
from schemas.places import Place
from streams.jobs.series_by_month import live_series
from streams.state.redis_clients import connect_redis
from tests.support.alerting import asked
from tests.support.opencases import line, open_case, pushed
from tests.support.servers import Server
from tests.support.topics import Sent, send
from tests.support.workers import CommandLine, wait_until

pytestmark = pytest.mark.services

LONG_AGO = datetime.now(UTC) - timedelta(days=70)
CHILD, OTHER = "child-1", "child-12"
DEEP = b"[" * 900 + b'"child-1"' + b"]" * 900
HALF = b'{"partitionkey": "child-1", "half": "\\ud800"}'


def exported(caseline: CommandLine, child: str, to: Path) -> dict[str, Any]:
    run = caseline.run("export", "--child", child, "--to", to)
    assert child not in run.stdout + run.stderr
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    document: dict[str, Any] = json.loads(to.read_bytes())
    return document


def listed(caseline: CommandLine) -> list[dict[str, Any]]:
    out = caseline.start("alerts", "list", "--format", "json").communicate()[0]
    found: list[dict[str, Any]] = json.loads(out or "[]")
    return found


def alerts_of(caseline: CommandLine, child: str) -> list[str]:
    return [it["alert"] for it in listed(caseline) if it["child"] == child]


def test_all_of_a_child_is_exported_and_nothing_of_anyone_else(
    caseline: CommandLine, kafka: Server, tmp_path: Path
) -> None:
    brother = line(OTHER, "case-12", "case.closed", LONG_AGO, outcome=f"moved with {CHILD}")
    mine, others = open_case(1, LONG_AGO), [*open_case(12, LONG_AGO), brother]
    with caseline.worker(alert_calm_seconds=0) as worker:
        pushed(kafka, [*mine, *others])
        bad = [Sent(CHILD.encode(), it) for it in (b"no event", DEEP, HALF)]
        send(kafka.address, "case-events", [*bad, Sent(b"x", b"something of child-1, perhaps")])
        caseline.wait_for_the_end([worker])
        wait_until(lambda: bool(alerts_of(caseline, CHILD)), "the alert is raised", [worker])
    raised = set(alerts_of(caseline, CHILD))
    alert = min(raised)
    who = ("--by", "T. Lead", "--reason", "Visit booked", "--for", "3d")
    asked(caseline, "ack", alert, *who)

    found = exported(caseline, CHILD, tmp_path / "child.json")
    log, state = found["log"], found["state"]
    events = [it["value"] for it in log["case-events"] if isinstance(it["value"], dict)]
    assert [it["id"] for it in events if "id" in it] == [
        json.loads(it.message[1] or b"")["id"] for it in mine
    ]
    assert len(log["case-events"]) == len(mine) + len(bad)
    assert [it["value"] for it in log["case-events.dead-letter"]][:1] == ["no event"]
    assert len(log["case-events.dead-letter"]) == len(bad)
    assert all(dict(it["headers"]) for it in log["case-events.dead-letter"])
    ((record),) = state["records"]
    assert [it["subject"] for it in record["events"]] == ["case-1"] * len(mine)
    for kind in ("alerts", "active_alerts", "outgoing"):
        assert {it["alert"] for it in state[kind]} == raised, kind
        assert {it["child"] for it in state[kind]} == {CHILD}, kind
    (decided,) = log["alert-decisions"]
    assert decided["value"]["reason"] == "Visit booked"
    assert "case-12" not in json.dumps(found)
    # Where a child is only named is said by its place: the closing of the brother's case, and a
    # message and its dead letter that are nobody's.
    assert sorted(it["topic"] for it in found["named_in"]) == [
        *["case-events"] * 2,
        "case-events.dead-letter",
    ]
    ends = caseline.ends()
    searched = {(it["topic"], it["partition"]): it["end"] for it in found["searched"]}
    assert all(searched[tp] == end for tp, end in ends.items())
    assert not set(found["not_there"]) & set(VALIDATORS)

    other = exported(caseline, OTHER, tmp_path / "other.json")
    assert {it["key"] for it in other["log"]["case-events"]} == {OTHER}
    assert "Visit booked" not in json.dumps(other)
    nobody = caseline.run("export", "--child", "child-2", "--to", tmp_path / "nobody.json")
    assert "nothing of this child was found" in " ".join(nobody.stderr.split())
    again = caseline.run("export", "--child", CHILD, "--to", tmp_path / "child.json", code=2)
    assert "there already" in " ".join(again.stderr.replace("│", "").split())
    in_months(caseline)


def in_months(caseline: CommandLine) -> None:
    """The live series is what the command shows of it."""
    today = datetime.now(UTC).date()
    asked_for = ("--as-of", f"{today}", "--count", "4", "--format", "json")
    rows = json.loads(caseline.run("trend", "EH05", *asked_for).stdout)
    indicator = next(it for it in caseline.rules.catalogue.indicator if it.code == "EH05")

    async def read() -> list[tuple[date, Any]]:
        async with connect_redis(caseline.settings) as redis:
            (found,) = await live_series(
                redis,
                caseline.settings.deployment,
                caseline.rules,
                [(indicator, Place("county", "Kent"), ALL_AGES)],
                months_until(today, 4),
                today,
            )
        return [(it.day, it.figure.numerator) for it in found.months]

    assert [(it["as_of"], it["value"]) for it in rows] == [
        (str(day), value) for day, value in asyncio.run(read())
    ]
    assert [it["value"] for it in rows][-1] == 1
    assert rows[-1]["complete"] == "no"
