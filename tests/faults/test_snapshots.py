"""Releases on a real Kafka and a real Redis: frozen, explained, kept, and made exactly once."""

import asyncio
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from redis.asyncio import Redis

from examples.workload import case_events
from processors.fold import Settlement
from processors.ledger.tables import Touched, parts
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC, types_on
from schemas.settings import Settings
from snapshots.publish.writing import PublicationFormat
from snapshots.releases.chain import Sealed, requested, seal
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import NotPublished
from snapshots.releases.topic import PUBLIC_TRANSACTIONS, ReleasePublisher, public_record, published
from streams.jobs.publishing import AskedRelease, PublicChoice, Publishing
from streams.jobs.releasing import Releasing
from streams.kafka.batches import TP
from streams.serving.roles import Role
from streams.state.store import ShardStore
from tests.support.disclosing import step_downs
from tests.support.examples import LOGS, log_file
from tests.support.feeder import Feeder, feeding
from tests.support.october_events import OCTOBER_EVENTS, closures_achieved, late_plan, line_of
from tests.support.patience import SECONDS
from tests.support.releases import rewritten
from tests.support.served import Asks, Served, one_with
from tests.support.workers import CommandLine, RunningWorker, finished, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

KILLS = 6
CATALOGUE = Path(str(files("schemas") / "data/catalogue.toml"))
COUNTING_BY = Path(__file__).parents[1] / "support/counting_by.py"
DYING = Path(__file__).parents[1] / "support/dying_command.py"
DIED = 9
# After which step the process dies, or at it; in the order of streams.jobs.releasing.
POINTS = [
    "after streams.jobs.releasing:topic.ReleasePublisher",
    "after streams.jobs.releasing:Releasing.complete",
    "after streams.jobs.releasing:take_cut",
    "after streams.jobs.releasing:examine",
    "at snapshots.releases.topic:ReleasePublisher.publish",
    "at snapshots.releases.transactions:Committing.commit_transaction",
    "after snapshots.releases.topic:ReleasePublisher.publish",
    "after streams.jobs.releasing:ReleaseFolder.write",
]
OCTOBER = ("snapshot", "freeze", "--period", "2015-10", "--by", "analyst")
BOTH = ("2015-10/1", "2015-10/2")
# A day on which a release that is made now may be released, also when midnight passes meanwhile.
SOON = datetime.now(UTC).date() + timedelta(days=2)
SEPTEMBER = ("snapshot", "freeze", "--period", "2015-09", "--by", "analyst")


def folder_of(caseline: CommandLine) -> ReleaseFolder:
    return ReleaseFolder(caseline.folder / caseline.settings.releases)


def ingest(caseline: CommandLine, *lines: dict[str, Any]) -> None:
    path = caseline.folder / f"{len(list(caseline.folder.iterdir()))}.jsonl"
    path.write_text("".join(json.dumps(it) + "\n" for it in lines))
    caseline.run("ingest", path)


def event(**fields: object) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(line_of(**fields).message[1] or b"")
    return made


def drafted(settings: Settings, rules: Rules, released_on: date) -> Sealed:
    """The first release of October as another deployment makes it, not stored anywhere."""

    async def make() -> Sealed:
        async with Redis.from_url(settings.redis_url) as redis:
            releasing = Releasing(settings, rules, redis, lambda _: lambda *_: None)
            request = requested("2015-10", "first", "analyst", None)
            draft = await releasing.draft([], request, released_on, SECONDS)
            return await releasing.sealed(draft)

    return asyncio.run(make())


def assert_explained(
    settings: Settings, rules: Rules, differing: list[dict[str, Any]], moment: datetime
) -> None:
    """Differences are what entered a figure and what left it, with the events that they name."""
    names = {"code": "code", "place": "area", "level": "level"}
    asked = [{name: it[of] for name, of in names.items() if it[of]} for it in differing]
    against = {"against": "2015-10/1"}, {"against": moment.isoformat(), "as_of": "2015-10-31"}
    queries = [urlencode({**it, **at}) for at in against for it in asked]
    analyst = one_with(Role.ANALYST)
    # Of one process, which goes through the log once for each.
    answers = Served(settings, rules).ask_all(
        Asks(f"/api/v1/explanations?{query}", analyst) for query in queries
    )
    # Nothing came between the release and the moment.
    for released, known in zip(answers[: len(asked)], answers[len(asked) :], strict=True):
        was, now = ({**it.json(), "against": "", "view": ""} for it in (released, known))
        assert was == now
    answers = answers[: len(asked)]
    for it, answer in zip(differing, answers, strict=True):
        told = answer.json()
        for part in ("numerator", "denominator"):
            assert told["before"][part] == it[f"released_{part}"]
            assert told["now"][part] == it[f"live_{part}"]
            moves = told[f"{part}_moves"]
            by = sum(row[part] - row[f"{part}_before"] for row in told["rows"])
            assert by == moves["entered"] - moves["left"]
            if told["by"][part] is not None:
                assert told["by"][part] == by + told["of_no_case"][part]
        assert told["of_no_case"]["numerator"] == 0
        types = {event["type"] for row in told["rows"] for event in row["events"]}
        assert types
        assert types <= {cause.partition(" ")[2] for cause in it["causes"].split("; ")}


def live_changes_as_served(
    caseline: CommandLine, rules: Rules, moment: datetime
) -> dict[tuple[str, ...], set[str]]:
    """What is not as in the first release of October, with the types of the events behind it."""
    settings = caseline.settings.model_copy(update={"releases": folder_of(caseline).root})
    path = "/api/v1/releases/2015-10/1?show=causes"
    answer = Served(settings, rules).ask(path, one_with(Role.ANALYST))
    told = answer.json()
    assert told["causes_left_out"] is None
    of_cases = types_on(CASE_TOPIC)
    of_all = [
        it
        for it in told["differences"]
        if it["age_band"] == "all"
        and {cause.partition(" ")[2] for cause in it["causes"].split("; ")} <= of_cases
    ]
    assert of_all
    assert_explained(settings, rules, of_all[:6], moment)
    return {
        (it["code"], it["area"], it["level"], it["age_band"]): {
            cause.partition(" ")[2] for cause in it["causes"].split("; ")
        }
        for it in told["differences"]
    }


def test_the_october_events_are_released_revised_explained_and_proved(
    caseline: CommandLine, rules: Rules, tmp_path: Path
) -> None:
    with gzip.open(OCTOBER_EVENTS) as file:
        events = [json.loads(line) for line in file]
    caseline.run("ingest", OCTOBER_EVENTS)
    folder, brokers = folder_of(caseline), caseline.settings.kafka_bootstrap
    with caseline.worker() as worker:
        refused = caseline.run(*OCTOBER, "--released-on", "1999-01-01", code=1).stderr
        assert "and not on 1999-01-01" in refused
        refused = caseline.run(*OCTOBER[:2], "--period", "2999-10", "--by", "me", code=1).stderr
        assert "2999-10 has not begun" in refused
        caseline.run(*SEPTEMBER, "--released-on", str(SOON))
        said = caseline.run(*OCTOBER, "--released-on", str(SOON)).stderr
        assert "2015-10/001 (first) released" in said
        (first,) = folder.read("2015-10")
        assert published(brokers).keys() == {"2015-09/001", "2015-10/001"}
        assert published(brokers)["2015-10/001"] == first.text
        moment = datetime.now(UTC)

        # Another machine: its own state, from the same offsets of the same log.
        other = caseline.settings.model_copy(update={"deployment": "elsewhere"})
        with CommandLine(other, rules, tmp_path).worker():
            assert drafted(other, rules, SOON).text == first.text

        _, plan = late_plan(events)
        closure = closures_achieved(events)[0]
        corrected = {**closure, "revision": 1, "data": {"outcome": "Disengaged"}}
        ingest(caseline, event(**plan), event(**plan), corrected)
        refused = caseline.run(*OCTOBER, "--kind", "revised", code=1).stderr
        assert "needs a reason" in refused
        refused = caseline.run(*OCTOBER, "--reason", "again", code=1).stderr
        assert "not first" in refused
        revise = (*OCTOBER, "--kind", "revised", "--reason", "Late.", "--released-on", str(SOON))
        live = live_changes_as_served(caseline, rules, moment)
        caseline.run(*revise)
        assert "was released already" in caseline.run(*revise).stderr
        worker.check()

    assert folder.read("2015-10")[0] == first
    second = folder.read("2015-10")[1].release
    assert second.previous_release == first.sha256
    causes = {cause.id for change in second.changes for cause in change.causes}
    assert causes == {plan["id"], closure["id"]}
    # What is said of the first release beside live is what the second says of itself.
    assert live == {
        (it.code, it.area, it.level, it.age_band): {cause.type for cause in it.causes}
        for it in second.changes
    }
    shown = json.loads(caseline.run("snapshot", "diff", *BOTH, "--format", "json").stdout)
    assert {(it["code"], it["area"], it["age_band"]) for it in shown} >= {
        (it.code, it.area, it.age_band) for it in second.changes
    }
    values = {
        (it["code"], it["area"], it["age_band"]): it for it in shown if it["field"] == "value"
    }
    for change in second.changes:
        if change.before != change.after:
            row = values[change.code, change.area, change.age_band]
            assert (row["before"], row["after"]) == (change.before, change.after)
            assert [it["offset"] for it in row["events"]] == [it.offset for it in change.causes]

    changed = tmp_path / "catalogue.toml"
    changed.write_text(CATALOGUE.read_text().replace("at_most = 28", "at_most = 35"))
    settings = caseline.settings.model_copy(update={"catalogue_file": changed})
    years_later = CommandLine(settings, rules, caseline.folder)
    said = years_later.run("snapshot", "verify", "--recompute").stdout
    assert "3 releases, nothing wrong" in said
    assert (
        years_later.run("snapshot", "diff", *BOTH, "--format", "json").stdout
        == json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
    )
    assert (
        caseline.run("snapshot", "show", "2015-10", "--number", "1", "--format", "json").stdout
        == first.text.decode() + "\n"
    )
    listed = caseline.run("snapshot", "list").stdout
    assert all(name in listed for name in ("2015-09/001", "2015-10/001", "2015-10/002"))

    altered = first.text.replace(b"101", b"102", 1)
    rewritten(folder.root / "2015-10/001/release.json", altered)
    assert "2015-10/001" in caseline.run("snapshot", "verify", code=4).stdout
    assert "2015-10/001" in caseline.run("snapshot", "verify", "--offline", code=4).stdout
    assert "2015-10/001" in caseline.run(*revise, code=1).stderr


@pytest.fixture
def small(caseline: CommandLine) -> CommandLine:
    """A deployment that has read a small, messy log and stands at its end; no worker runs."""
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    with caseline.worker():
        caseline.wait_for_the_end()
    return caseline


def forget_lock(caseline: CommandLine) -> None:
    """As if the time of a lock whose holder died had run out."""

    async def forget() -> None:
        async with Redis.from_url(caseline.settings.redis_url) as redis:
            await redis.delete(f"caseline:{{{caseline.settings.deployment}}}:release-lock")

    asyncio.run(forget())


def test_killed_at_any_moment_there_is_never_half_a_release_and_never_two(
    small: CommandLine,
) -> None:
    rng, folder = random.Random(11), folder_of(small)
    brokers = small.settings.kafka_bootstrap
    periods = (f"{year}-{month:02}" for year in count(2015, -1) for month in range(12, 0, -1))
    period = next(periods)
    began = time.monotonic()
    small.run("snapshot", "freeze", "--period", "2016-01", "--by", "analyst")
    length = time.monotonic() - began
    killed, completed = 0, 1
    while killed < KILLS:
        process = small.start("snapshot", "freeze", "--period", period, "--by", "analyst")
        # Half of the time towards the end, where a release is written.
        time.sleep(length * (rng.uniform(0.75, 1.05) if rng.random() < 0.5 else rng.random()))
        process.kill()
        process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        was_hit = process.returncode != 0
        killed += was_hit
        # A run takes as long as it takes: where one had ended already the next are struck sooner.
        length *= 1.1 if was_hit else 0.8
        forget_lock(small)
        stored = folder.read(period)  # raises for anything that is not whole
        inside = [name for name in published(brokers) if name.startswith(period)]
        assert len(stored) <= 1
        assert len(inside) <= 1
        assert inside or not stored  # the topic has it first
        if inside:
            said = small.run("snapshot", "freeze", "--period", period, "--by", "analyst").stderr
            assert "was released already" in said
            assert [it.text for it in folder.read(period)] == [published(brokers)[inside[0]]]
            period = next(periods)
            completed += 1
    small.run("snapshot", "freeze", "--period", period, "--by", "analyst")
    verified = small.run("snapshot", "verify", "--recompute").stdout
    assert f"{completed + 1} releases, nothing wrong" in verified
    assert not list(folder.root.glob(".incoming-*"))
    assert all(len(folder.names(period)) == 1 for period in folder.periods())


def test_a_run_that_died_between_kafka_and_the_folder_is_completed_by_the_next(
    small: CommandLine,
) -> None:
    small.run(*OCTOBER)
    folder = folder_of(small)
    (sealed,) = folder.read("2015-10")
    path = folder.root / sealed.name
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    assert "2015-10/001" in small.run("snapshot", "verify", code=4).stdout
    assert "was released already" in small.run(*OCTOBER).stderr
    assert folder.read("2015-10") == [sealed]
    assert "nothing wrong" in small.run("snapshot", "verify").stdout


@pytest.mark.parametrize("point", POINTS)
def test_dead_between_any_two_steps_it_is_made_once_by_the_next(
    small: CommandLine, point: str
) -> None:
    finished(running(small, DYING, point, *OCTOBER), DIED)
    forget_lock(small)
    before = published(small.settings.kafka_bootstrap)
    said = small.run(*OCTOBER).stderr
    assert ("was released already" in said) == bool(before)
    (sealed,) = folder_of(small).read("2015-10")
    after = published(small.settings.kafka_bootstrap)
    assert after == {sealed.name: sealed.text}
    assert before in ({}, after)
    assert "1 releases, nothing wrong" in small.run("snapshot", "verify").stdout


def script(folder: Path, text: str) -> Path:
    path = folder / "script"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def freezing(caseline: CommandLine, program: Path | str) -> "subprocess.Popen[str]":
    """A freeze whose counting is done by two processes of a program, such as Python itself."""
    return running(caseline, COUNTING_BY, program, *OCTOBER)


def running(caseline: CommandLine, *arguments: Path | str) -> "subprocess.Popen[str]":
    """A program of Python, begun where the command is run."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=caseline.folder,
        env=caseline.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_where_a_process_that_counts_is_killed_nothing_is_released_and_the_next_run_goes_through(
    small: CommandLine, tmp_path: Path
) -> None:
    killed = script(tmp_path, "kill -KILL $$")
    said = finished(freezing(small, killed), 1).stderr
    assert "one of the processes that count the log was ended by SIGKILL" in " ".join(said.split())
    assert folder_of(small).periods() == []
    assert published(small.settings.kafka_bootstrap) == {}
    assert "released" in finished(freezing(small, sys.executable), 0).stderr
    assert len(folder_of(small).read("2015-10")) == 1
    verified = small.run("snapshot", "verify", "--recompute")
    assert "1 releases, nothing wrong" in verified.stdout


def test_asked_to_end_in_the_middle_it_does_with_those_that_count_and_the_lock_is_free(
    small: CommandLine, tmp_path: Path
) -> None:
    silent = script(tmp_path, f'touch "{tmp_path}/$$.pid"\nexec sleep 1000')
    process = freezing(small, silent)
    wait_until(
        lambda: len(list(tmp_path.glob("*.pid"))) == 2 or process.poll() is not None, "they begin"
    )
    process.send_signal(signal.SIGINT)
    finished(process, 130)
    for path in tmp_path.glob("*.pid"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.stem), 0)
    assert folder_of(small).periods() == []
    assert "released" in small.run(*OCTOBER).stderr


def test_two_jobs_at_once_make_one_release(small: CommandLine) -> None:
    jobs = [small.start("snapshot", "schedule", "--once") for _ in range(3)]
    done = [finished(job, 0) for job in jobs]
    (period,) = folder_of(small).periods()
    assert folder_of(small).names(period) == [f"{period}/001"]
    assert len(published(small.settings.kafka_bootstrap)) == 1
    told = [it.stderr for it in done]
    assert sum("(first) released:" in it for it in told) == 1
    assert all("released" in it or "another process" in it for it in told)
    (sealed,) = folder_of(small).read(period)
    assert sealed.release.author == "scheduled job"
    assert "released already" in small.run("snapshot", "schedule", "--once").stderr


def test_one_who_was_thought_dead_is_refused_by_kafka(small: CommandLine) -> None:
    small.run(*OCTOBER)
    (sealed,) = folder_of(small).read("2015-10")
    brokers = small.settings.kafka_bootstrap
    old = ReleasePublisher(brokers)
    new = ReleasePublisher(brokers)
    again = seal(sealed.release.model_copy(update={"number": 2}))
    with pytest.raises(NotPublished, match="2015-10/002"):
        old.publish(again)
    assert published(brokers).keys() == {"2015-10/001"}
    new.publish(again)
    assert published(brokers).keys() == {"2015-10/001", "2015-10/002"}


def test_tables_that_do_not_agree_with_the_log_refuse_the_release_and_name_the_cells(
    small: CommandLine, rules: Rules
) -> None:
    found: list[str | None] = []

    async def falsify() -> None:
        async with Redis.from_url(small.settings.redis_url) as redis:
            store = ShardStore(redis, small.settings.deployment, TP(CASE_TOPIC, 0), rules)
            head = await store.head()
            assert head is not None
            tables = await store.tables(head)
            slots, localities, _ = parts(tables.cells)
            known = [it.district is not None for it in rules.localities.all]
            is_one = (slots == rules.slots.index("notifications")) & np.array(known)[localities]
            cell = np.flatnonzero(is_one)[:1]
            assert len(cell) == 1
            found.append(rules.localities.all[localities[cell[0]]].district)
            for month, checkpoint in tables.checkpoints.items():
                grown = np.zeros(len(tables.cells), dtype=np.int32)
                grown[: len(checkpoint)] = checkpoint
                grown[cell] += 1
                tables.checkpoints[month] = grown
            touched = Touched({}, dict.fromkeys(tables.months, cell), [], len(tables.cells))
            await store.write(head.generation, Settlement({}, touched), tables, head.kept)

    asyncio.run(falsify())
    said = small.run(*OCTOBER, code=1).stderr
    assert "are not what the log gives" in said
    assert f"EH01 {found[0]} " in said
    assert folder_of(small).periods() == []
    assert published(small.settings.kafka_bootstrap) == {}


@contextmanager
def trickle(feeder: Feeder) -> Iterator[None]:
    """Events coming all the time, for as long as the context lasts."""
    is_over = Event()

    def feed() -> None:
        while not is_over.wait(0.5):
            feeder.burst(100).result()

    with ThreadPoolExecutor(1) as pool:
        fed = pool.submit(feed)
        yield
        is_over.set()
        fed.result()


def wait_for_more(caseline: CommandLine, worker: RunningWorker) -> None:
    """Wait until the tables hold more of the log than they do now."""
    before = sum(caseline.offsets().values())
    wait_until(
        lambda: sum(caseline.offsets().values()) > before,
        "more events are in the tables",
        [worker],
    )


def test_a_cut_taken_while_events_keep_coming_is_one_that_the_log_agrees_with(
    caseline: CommandLine,
) -> None:
    brokers = caseline.settings.kafka_bootstrap
    with (
        caseline.worker() as worker,
        feeding(brokers, CASE_TOPIC, case_events(100_000)) as feeder,
        trickle(feeder),
    ):
        for number in range(3):
            wait_for_more(caseline, worker)
            why = ("--kind", "provisional", "--reason", f"number {number}")
            caseline.run("snapshot", "freeze", "--period", "2015-06", "--by", "analyst", *why)
        worker.check()
    chain = folder_of(caseline).read("2015-06")
    ends = [sum(it.offset for it in sealed.release.cut) for sealed in chain]
    assert ends[0] < ends[1] < ends[2]
    assert "3 releases, nothing wrong" in caseline.run("snapshot", "verify", "--recompute").stdout


def test_a_revision_is_made_again_after_news_withdrawn_and_begun_anew(
    small: CommandLine,
) -> None:
    revise = (*OCTOBER, "--kind", "revised", "--reason", "Late data.")
    small.run(*OCTOBER)
    with small.worker():
        born = {"notification_type": "EHN", "district": "Dover", "date_of_birth": "2010-01-01"}
        for number, code in enumerate(("002", "003")):
            late = {"id": f"late-{number}", "subject": f"late-{number}", "data": born}
            ingest(small, event(type="notification.received", **late))
            assert f"2015-10/{code} (revised) released" in small.run(*revise).stderr
            assert f"2015-10/{code} (revised) was released already" in small.run(*revise).stderr
        # News that changes nothing of this month makes no release.
        later = {"id": "later", "subject": "later", "time": "2015-12-20T12:00:00Z", "data": born}
        ingest(small, event(type="notification.received", **later))
        assert "2015-10/003 (revised) was released already" in small.run(*revise).stderr
        why = ("--period", "2015-10", "--by", "analyst", "--reason", "The feed was broken.")
        assert "2015-10/004 (withdrawn) released" in small.run("snapshot", "withdraw", *why).stderr
        said = small.run("snapshot", "withdraw", *why).stderr
        assert "2015-10/004 (withdrawn) was released already" in said
        assert "2015-10/005 (first) released" in small.run(*OCTOBER).stderr
    assert "5 releases, nothing wrong" in small.run("snapshot", "verify", "--recompute").stdout
    assert folder_of(small).read("2015-10")[-1].release.changes == ()


def test_what_goes_out_in_public_is_in_the_topic_and_comes_back_from_it(
    caseline: CommandLine,
) -> None:
    caseline.run("topics", "create")
    folder, brokers = folder_of(caseline), caseline.settings.kafka_bootstrap
    first = seal(step_downs(Alder_04=3))
    folder.write(first)
    ReleasePublisher(brokers).publish(first)
    settings = caseline.settings.model_copy(update={"releases": folder.root})
    publishing = Publishing(settings, load_catalogue(), SOON, print)
    asked = AskedRelease("2015-10", None, caseline.folder / "site", [PublicationFormat.JSON])
    publishing.public(asked, PublicChoice())
    entry = folder.root / "public/00001"
    kept = (entry / "entry.json").read_bytes()
    assert public_record(brokers) == {"public/00001": kept}
    assert published(brokers) == {"2015-10/001": first.text}
    said = caseline.run("snapshot", "verify").stdout
    assert "The public record has 1 entries." in said
    assert "1 releases, nothing wrong" in said
    shutil.rmtree(entry)
    assert "public/00001" in caseline.run("snapshot", "verify", code=4).stdout
    accept = ("snapshot", "accept", "2015-10/1", "--text", "0", "--by", "me", "--reason", "read")
    caseline.run(*accept)
    assert (entry / "entry.json").read_bytes() == kept
    assert public_record(brokers).keys() == {"public/00001", "public/00002"}

    # Freezing and publishing do not refuse each other; two that publish do.
    freezing = ReleasePublisher(brokers)
    old = ReleasePublisher(brokers, PUBLIC_TRANSACTIONS)
    ReleasePublisher(brokers, PUBLIC_TRANSACTIONS)
    freezing.write("2015-10/002", b"still allowed")
    with pytest.raises(NotPublished, match="public/00003"):
        old.write("public/00003", b"refused")


def test_a_state_that_is_behind_the_log_is_not_released(small: CommandLine) -> None:
    ingest(small, event(id="late", type="plan.completed", subject="x"))
    said = small.run(*OCTOBER, "--wait", "0.5", code=1).stderr
    assert "1 messages behind" in said
    assert folder_of(small).periods() == []
