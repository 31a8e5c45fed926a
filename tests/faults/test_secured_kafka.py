"""Every process on a real Kafka by TLS and SASL, with the rights in docs/operating.md alone."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from examples.workload import case_events
from processors.rules import Rules
from schemas.connection_settings import KafkaConnection
from schemas.events.registry import topic_names
from schemas.release import Position
from schemas.settings import Settings
from snapshots.releases import kafka_reading, topic
from snapshots.releases.chain import unseal
from snapshots.releases.log_clients import for_kafka_python
from snapshots.releases.release_failures import ReleaseError
from snapshots.releases.transactions import NotCommitted, transactional, write
from streams.clock import Clock
from streams.kafka.logreading import log_reader
from streams.serving.roles import ONE, Role
from streams.state.nights import read_outcome
from streams.state.reconcile import Nightly
from streams.state.redis_clients import connect_redis
from streams.terminal.console import Exit
from tests.support.secure_kafka import (
    ADMIN,
    CERTIFIED,
    PLAIN,
    SECRET,
    TOKEN,
    Grant,
    SecureKafka,
    secure_kafka,
)
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.workers import CommandLine, finished, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

DOCS = Path(__file__).parents[2] / "docs/operating.md"
STORED = Path(__file__).parents[1] / "data/release-format-1/release.json"
DEPLOYMENT = "secured"
USERS = ["topics-create", "ingest", "worker", "alerts-run", "snapshot", "doctor"]
USERS += ["serve", "operator"]
KINDS = {"Topic": "TOPIC", "Group": "GROUP", "Transactional id": "TRANSACTIONAL_ID"}


def documented() -> dict[str, list[Grant]]:
    """The table of rights in docs/operating.md."""
    text = DOCS.read_text("utf-8").partition("| user of | resource |")[2].partition("\n\n")[0]
    found: dict[str, list[Grant]] = defaultdict(list)
    for line in text.splitlines()[2:]:
        user, kind, name, operations = (it.strip() for it in line.strip("| ").split("|"))
        name = name.strip("`").replace("DEPLOYMENT", DEPLOYMENT)
        parts = re.findall(r"[A-Z][a-z]+(?:[A-Z][a-z]+)?", operations)
        words = tuple(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", it).upper() for it in parts)
        prefixed = name.endswith("*") and name != "*"
        grant = Grant(KINDS[kind], name.removesuffix("*") or "*", words, prefixed)
        found[user.replace(" ", "-")].append(grant)
    return found


@pytest.fixture(scope="module")
def secured(
    tmp_path_factory: pytest.TempPathFactory, services: dict[str, Server]
) -> Iterator[SecureKafka]:
    grants = documented()
    assert sorted(grants) == sorted(USERS)
    for other in (PLAIN, TOKEN, CERTIFIED):
        grants[other] = [Grant("TOPIC", "case-events", ("READ",))]
    with secure_kafka(tmp_path_factory.mktemp("secured"), USERS) as kafka:
        kafka.grant(grants)
        yield kafka


@pytest.fixture
def process(
    secured: SecureKafka, redis_server: Server, rules: Rules, tmp_path: Path
) -> Callable[[str], CommandLine]:
    """The command line of a process that connects as a user."""

    def of(user: str) -> CommandLine:
        given: dict[str, Any] = {"redis_url": redis_server.address, "deployment": DEPLOYMENT}
        # As a file, so that no secret is in the environment either.
        password = tmp_path / "password"
        password.write_text(SECRET)
        kafka = {**secured.settings(user), "kafka_sasl_password_file": password}
        del kafka["kafka_sasl_password"]
        return CommandLine(Settings(**given, **kafka, case_partitions=2), rules, tmp_path)

    return of


def ends(connection: KafkaConnection) -> dict[str, int]:
    consumer = KafkaConsumer(**for_kafka_python(connection))
    try:
        pairs = [
            TopicPartition(name, number)
            for name in topic_names()
            for number in consumer.partitions_for_topic(name) or ()
        ]
        return {
            f"{tp.topic}:{tp.partition}": end for tp, end in consumer.end_offsets(pairs).items()
        }
    finally:
        consumer.close()


def compared_by_night(caseline: CommandLine) -> list[str]:
    """What the night's comparison finds, as the process that is elected makes it."""

    async def compare() -> list[str]:
        clock = Clock()
        async with connect_redis(caseline.settings) as redis:
            await Nightly(redis, caseline.settings, caseline.rules, clock).compare(clock.now())
            found = await read_outcome(redis, caseline.settings.deployment)
        assert found is not None
        return found.wrong

    return asyncio.run(compare())


def send_no_event(connection: KafkaConnection) -> None:
    """Send what will be a dead letter."""
    producer = KafkaProducer(**for_kafka_python(connection))
    producer.send("case-events", b"no event", b"P1", partition=0)
    producer.flush()
    producer.close()


def test_each_process_does_its_work_with_the_rights_that_are_documented_and_no_more(
    secured: SecureKafka, process: Callable[[str], CommandLine], tmp_path: Path, rules: Rules
) -> None:
    process("topics-create").run("topics", "create")
    events = tmp_path / "events.jsonl"
    lines = [value for _, value in islice(case_events(500, seed=8), 400)]
    events.write_bytes(b"\n".join([*lines, b""]))
    producing = process("ingest").run("ingest", events)
    assert "400 events sent" in producing.stderr

    send_no_event(process("ingest").settings.kafka)
    worker = process("worker")
    log = ends(Settings(**secured.settings(ADMIN)).kafka)
    with worker.worker() as running:

        def is_there() -> bool:
            stored = {f"{tp.topic}:{tp.partition}": at for tp, at in worker.offsets().items()}
            return all(stored.get(name, 0) >= end for name, end in log.items() if end)

        wait_until(is_there, "the state is at the end of the log", [running])
        doctor = process("doctor").run("doctor")
        process("snapshot").run("snapshot", "freeze", "--period", "2015-09", "--by", "me")
        logged = running.text
    asked = ("--as-of", "2015-10-31", "--format", "json")
    live = worker.run("scorecard", *asked).stdout
    assert json.loads(live) == json.loads(worker.run("replay", events, *asked).stdout)
    assert "Nothing wrong" in doctor.stdout
    telling = process("alerts-run")
    telling.run("alerts", "run", "--once")
    assert compared_by_night(telling) == []
    assert SECRET not in logged + doctor.stdout + doctor.stderr + producing.stderr

    frozen = process("snapshot")
    frozen.run("snapshot", "accept", "2015-09/1", "--text", "0", "--by", "me", "--reason", "read")
    assert "nothing wrong" in frozen.run("snapshot", "verify", "--recompute").stdout
    snapshots = frozen.settings.kafka
    positions = kafka_reading.log_ends(snapshots, list(topic_names()))
    assert sum(it.offset for it in positions) == 401
    assert sum(map(len, kafka_reading.read_log(snapshots, positions))) == 401
    sealed = unseal("2015-10/001", STORED.read_bytes())
    topic.ReleasePublisher(snapshots).publish(sealed)
    assert topic.published(snapshots).keys() == {"2015-09/001", sealed.name}
    assert topic.public_record(snapshots).keys() == {"public/00001"}

    # What is not theirs is refused, and nothing of it is in the log.
    reader = process("ingest").settings.kafka
    with pytest.raises(ReleaseError, match="uthoriz"):
        list(kafka_reading.read_log(reader, [Position(topic="case-events", partition=0, offset=1)]))
    with pytest.raises(NotCommitted, match=r"(?i)authoriz"):
        transactional(process("worker").settings.kafka, topic.TRANSACTIONS)
    own = transactional(snapshots, topic.TRANSACTIONS)
    with pytest.raises(NotCommitted):
        write(own, "case-events", [("P1", b"{}")])
    assert kafka_reading.log_ends(snapshots, list(topic_names())) == positions

    operator, bad = process("operator"), f"case-events:0:{log['case-events:0'] - 1}"
    who = ("--by", "me", "--reason", "why")
    assert "1 dead letters." in operator.run("dead-letters", "list").stderr
    operator.run("dead-letters", "quarantine", bad, *who)
    operator.run("alerts", "silence", "--area", "Kent", *who, "--for", "1h")
    operator.run("token", "create", "--name", "report", "--role", "viewer")
    operator.run("rebuild", "--yes")

    pages = process("serve").settings
    shown = Served(pages.model_copy(update={"releases": tmp_path / "releases"}), rules).ask_all(
        [  # the last of them puts an event into the log, which nobody takes in
            Asks("/api/v1/cases?code=EH01&as_of=2015-10-31", one_with(Role.ANALYST)),
            Asks("/api/v1/releases/2015-09/1?show=causes", one_with(Role.ANALYST)),
            Asks(f"/api/v1/alerts/{'0' * 20}", one_with(Role.ANALYST)),
            Asks("/api/v1/operations", one_with(Role.OPERATOR)),
            Asks("/api/v1/audit-log?result=token-made", one_with(Role.AUDITOR)),
            Asks("/api/v1/events", one_with(Role.INTAKE), "POST", {"content-type": ONE}, lines[0]),
        ]
    )
    assert [it.status_code for it in shown] == [200, 200, 404, 200, 200, 200]
    assert [it["route"] for it in shown[4].json()["entries"]] == ["caseline token create"]
    assert shown[1].json()["causes_left_out"] is None
    found = {it["what"]: it["verdict"] for it in shown[3].json()["findings"]}
    assert found["case-events"] == "good"
    assert "Kafka" not in found
    assert "1 dead letters sent again" in operator.run("dead-letters", "resend").stderr
    process("serve").run("alerts", "silence", "--area", "Kent", *who, "--for", "1h")


@pytest.mark.parametrize(
    ("user", "mechanism"), [(PLAIN, "PLAIN"), ("", "OAUTHBEARER"), ("", "")], ids=str
)
def test_clients_of_each_library_connect_in_every_other_way(
    secured: SecureKafka, process: Callable[[str], CommandLine], user: str, mechanism: str
) -> None:
    process("topics-create").run("topics", "create")
    connection = Settings(**secured.settings(user, mechanism)).kafka

    async def bounds() -> int:
        async with log_reader(connection, ["case-events"]) as reader:
            return len(await reader.bounds())

    assert len(kafka_reading.log_ends(connection, ["case-events"])) == asyncio.run(bounds()) == 2
    # It comes to the transactional id, which is not this user's: so it got in.
    with pytest.raises(NotCommitted, match=r"(?i)transactional.?id.*authoriz"):
        transactional(connection, "another")


def test_whoever_has_the_wrong_password_or_authority_is_told_so_without_it(
    secured: SecureKafka, process: Callable[[str], CommandLine], tmp_path: Path
) -> None:
    caseline = process("doctor")
    wrong = tmp_path / "wrong"
    wrong.write_text("another-secret")
    unbelieved = replace(
        caseline,
        settings=caseline.settings.model_copy(update={"kafka_ssl_ca_file": secured.certificate}),
    )
    asked = [
        caseline.start("doctor", kafka_sasl_password_file=wrong),
        unbelieved.start("doctor"),
    ]
    for done in [finished(it, Exit.UNWELL) for it in asked]:
        assert "does not answer" in done.stdout
        assert "another-secret" not in done.stdout + done.stderr
    refused = [
        caseline.start("worker", kafka_sasl_password_file=wrong),
        caseline.start("alerts", "run", kafka_sasl_password_file=wrong),
        unbelieved.start("worker"),
    ]
    said = [finished(it, Exit.FAILED).stderr for it in refused]
    assert all("AuthenticationFailed" in it for it in said[:2]), said
    assert "certificate" in said[2]
    assert not any("another-secret" in it or "waited for" in it for it in said), said
