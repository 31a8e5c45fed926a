"""From the state of an earlier version: it is refused with what to do, and made anew in use."""

import json
from datetime import date
from importlib.resources import files
from itertools import islice
from typing import Any

import pytest
from redis import Redis

from examples.workload import case_events
from schemas.events.registry import CASE_TOPIC
from tests.support.examples import LOGS, log_file
from tests.support.feeder import feeding
from tests.support.patience import SECONDS
from tests.support.servers import Server
from tests.support.workers import CommandLine, cells, finished, wait_until

pytestmark = pytest.mark.services

DAY = date(2015, 10, 17)
EVENTS = 8_000
# What a head of version 0.1.0 had: one offset, as a shard had one topic, and the layout of then.
EARLIER_LAYOUT = "5f2b0c7d91ae4466"
EARLIER_FIELDS = ("generation", "latest", "commits")


def as_of_0_1_0(caseline: CommandLine) -> None:
    """Have the stored state be one of version 0.1.0."""
    with Redis.from_url(caseline.settings.redis_url) as redis:
        heads: Any = redis.keys(f"caseline:{{{caseline.settings.deployment}:*:head")
        for key in heads:
            stored: Any = redis.hgetall(key)
            topic = key.decode().partition("}")[0].split(":")[-2]
            kept: dict[str, Any] = {name: stored[name.encode()] for name in EARLIER_FIELDS}
            kept["offset"] = stored.get(f"offset:{topic}".encode(), 0)
            redis.delete(key)
            redis.hset(key, mapping={**kept, "layout": EARLIER_LAYOUT})


def test_a_state_of_an_earlier_layout_says_rebuild_and_is_made_anew_while_events_flow(
    caseline: CommandLine,
) -> None:
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    right, ends = cells(caseline.rows(DAY)), caseline.ends()
    as_of_0_1_0(caseline)
    old = caseline.heads()
    # Where it stood is still understood, so that a rebuild knows what it takes the place of.
    assert {tp: head.offset(tp.topic) for tp, head in old.items()} == {
        tp: ends.get(tp, 0) for tp in old
    }
    assert "`caseline rebuild`" in " ".join(caseline.run("scorecard", code=1).stderr.split())
    with caseline.worker() as worker:
        assert worker.ended() == 1
        assert "`caseline rebuild`" in worker.text
    assert caseline.heads() == old
    again = caseline.start("ingest", log_file(LOGS[0]))  # which changes no figure
    caseline.run("rebuild", "--yes")
    finished(again, code=3)
    with caseline.worker() as worker:
        worker.wait_to_hold(7)
        ends = caseline.wait_for_the_end([worker])
    assert cells(caseline.rows(DAY)) == right
    assert caseline.tally("messages") == sum(ends.values())
    assert {head.generation for head in caseline.heads().values()} == {
        head.generation + 1 for head in old.values()
    }
    shown = caseline.run("scorecard", "--as-of", f"{DAY}", "--format", "json").stdout
    assert len(json.loads(shown)) == len(right)


def test_a_rolling_upgrade_to_another_layout_loses_and_doubles_nothing_while_events_flow(
    caseline: CommandLine, kafka: Server
) -> None:
    """What has another layout is a version with another catalogue; the steps are those in docs."""
    text = (files("schemas") / "data" / "catalogue.toml").read_text()
    path = caseline.folder / "catalogue.toml"
    path.write_text(text.replace('any_of = ["SCS step-down"]', 'any_of = ["EHN"]'))
    new: dict[str, Any] = {"catalogue_file": path}
    messages = list(islice(case_events(2 * EVENTS, seed=6), EVENTS))
    with feeding(kafka.address, CASE_TOPIC, messages) as feeder, caseline.worker() as old:
        feeder.burst(EVENTS // 4).result()
        wait_until(lambda: sum(caseline.offsets().values()) > 0, "a first commit", [old])
        rebuild = caseline.start("rebuild", "--yes", **new)
        while rebuild.poll() is None and feeder.sent < EVENTS // 2:
            feeder.burst(200).result()
        _, told = rebuild.communicate(timeout=SECONDS)
        assert rebuild.returncode == 0, told
        with caseline.worker(**new) as worker:
            feeder.burst(EVENTS // 4).result()
            # What became of it is not silent, whether it ended by that or goes on trying.
            wait_until(lambda: "`caseline rebuild`" in old.text, "the old one says so", [worker])
            old.process.terminate()
            old.ended()
            feeder.burst().result()
            caseline.wait_for_the_end([worker])
            assert "Nothing wrong" in caseline.run("doctor", **new).stdout
    events = caseline.folder / "events.jsonl"
    events.write_bytes(b"".join(value + b"\n" for _, value in messages))
    options = ("--as-of", f"{date(2015, 10, 31)}", "--format", "csv")
    live = caseline.run("scorecard", *options, **new).stdout
    assert live == caseline.run("replay", events, *options, **new).stdout
    assert caseline.tally("messages") == EVENTS
