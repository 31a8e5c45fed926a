"""Alerts as tests make them: changes, the outboxes that workers write, and who is told."""

import asyncio
import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis
from typer.testing import CliRunner, Result

from processors.days.calendar import LONDON
from schemas.alerts import ALERTS_TOPIC, CaseChange, IndicatorChange
from schemas.events.registry import CASE_TOPIC
from schemas.receivers import load_receivers
from streams.alerts.actions import Silence
from streams.alerts.teller import Teller
from streams.cli import app
from streams.kafka.batches import TP
from streams.state.reading import partitions_key
from tests.support.workers import CommandLine, RunningWorker

LETTERS = f"{ALERTS_TOPIC}.dead-letter"
NOON = datetime(2015, 10, 20, 12, tzinfo=LONDON)
HOUR = timedelta(hours=1)

KEY = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLACE = TP(CASE_TOPIC, 0)


def alert_id(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:20]


def change(number: int = 1, version: int = 1, state: str = "breached", **fields: Any) -> CaseChange:
    """A change of the alert of a number."""
    made: dict[str, Any] = {
        "alert": alert_id(number),
        "version": version,
        "standard": "unit-contact",
        "title": "First contact within 10 working days",
        "state": state,
        "since": date(2015, 10, 16),
        "reason": "done-late" if state == "resolved" else None,
        "severity": "warning",
        "owner_kind": "team",
        "owner": "Unit A",
        "area": "Thanet",
        "child": f"P{number}",
        "case": f"C{number}",
        "episode": 1,
        "service": "unit",
        "due": date(2015, 10, 15),
    }
    return CaseChange.model_validate({**made, **fields})


def indicator(number: int = 90, **fields: Any) -> IndicatorChange:
    """A change of the alert of a number, on an indicator."""
    made: dict[str, Any] = {
        "alert": alert_id(number),
        "version": 1,
        "standard": "open-within-20-weeks",
        "title": "80 % of open cases within 20 weeks",
        "state": "breached",
        "since": date(2015, 10, 20),
        "severity": "warning",
        "owner_kind": "area",
        "owner": "Dover",
        "area": "Dover",
        "indicator": "EH14",
        "period": None,
        "numerator": 10,
        "denominator": 20,
        "value": 50.0,
        "target": 80.0,
    }
    return IndicatorChange.model_validate({**made, **fields})


def life(number: int, **fields: Any) -> list[CaseChange]:
    """All that becomes of an alert."""
    states = ("due-soon", "breached", "resolved")
    return [change(number, version, state, **fields) for version, state in enumerate(states, 1)]


def keys(changes: Iterable[CaseChange]) -> list[str]:
    return [it.key for it in changes]


class Recorder:
    """Writes changes as a worker does: to the outbox, and to what is open, in one step."""

    def __init__(self, caseline: CommandLine) -> None:
        self.deployment = caseline.settings.deployment
        self.redis: Any = Redis.from_url(caseline.settings.redis_url)
        self.redis.sadd(partitions_key(self.deployment), f"{PLACE.topic}:{PLACE.partition}")
        self.judge(time.time())

    def judge(self, seconds: float) -> None:
        """Note that alerts were judged at a time, as a worker does."""
        base = f"caseline:{{{self.deployment}:{PLACE.topic}:{PLACE.partition}}}"
        self.redis.zadd(f"{base}:alerts:judged", {"at": seconds})

    def record(self, *changes: CaseChange | IndicatorChange, place: TP | None = PLACE) -> None:
        prefix = f"caseline:{{{self.deployment}}}"
        if place:
            prefix = f"caseline:{{{self.deployment}:{place.topic}:{place.partition}}}"
        with self.redis.pipeline(transaction=True) as pipe:
            for it in changes:
                pipe.xadd(f"{prefix}:alerts:outbox", {"change": it.model_dump_json()})
                if it.is_active:
                    pipe.hset(f"{prefix}:alerts:open", it.alert, it.model_dump_json())
                else:
                    pipe.hdel(f"{prefix}:alerts:open", it.alert)
                pipe.sadd(f"{prefix}:alerts:owners", it.owner)
            pipe.execute()

    def waiting(self) -> int:
        """How many changes are in the outbox."""
        key = f"caseline:{{{self.deployment}:{PLACE.topic}:{PLACE.partition}}}:alerts:outbox"
        return int(self.redis.xlen(key))

    def expire_lock(self) -> None:
        """Have the lock of a process that was killed end now rather than in 15 seconds."""
        self.redis.delete(f"caseline:{{{self.deployment}}}:alerts-lock")

    def delivery(self, receiver: str) -> dict[str, str]:
        stored = self.redis.hgetall(f"caseline:{{{self.deployment}}}:delivery:{receiver}")
        return {name.decode(): text.decode() for name, text in stored.items()}


@contextmanager
def recording(caseline: CommandLine) -> Iterator[Recorder]:
    recorder = Recorder(caseline)
    try:
        yield recorder
    finally:
        recorder.redis.close()


def webhook(name: str, url: str, *lines: str) -> str:
    """A webhook's part of the receivers' file, which retries quickly."""
    return "\n".join(
        [
            "[[receiver]]",
            f'name = "{name}"',
            'kind = "webhook"',
            f'url = "{url}"',
            'secret = { variable = "HOOK_SECRET" }',
            "first_retry = 0.02",
            "longest_retry = 0.2",
            "messages_per_second = 1000",
            *lines,
            "",
        ]
    )


def receivers_file(folder: Path, *parts: str) -> Path:
    path = folder / "receivers.toml"
    path.write_text("\n".join(parts), "utf-8")
    return path


@contextmanager
def telling(caseline: CommandLine, path: Path) -> Iterator[RunningWorker]:
    """`caseline alerts run`, stopped with SIGTERM in the end unless the test has killed it."""
    with caseline.worker("alerts", "run", receivers_file=path) as process:
        yield process


def tell(caseline: CommandLine, path: Path, now: datetime | None = None) -> None:
    """What `caseline alerts run --once` does, by a clock of the test's."""

    def clock() -> datetime:
        return now or datetime.now(LONDON)

    asyncio.run(Teller(caseline.settings, load_receivers(path), clock).run_once())


def asked(caseline: CommandLine, *arguments: str, code: int = 0, **changed: object) -> Result:
    """A command about alerts, run in this process."""
    environment = caseline.environment(**changed)
    run = CliRunner().invoke(app, ["alerts", *arguments], env=environment)
    assert run.exit_code == code, run.output
    return run


def silence(recorder: Recorder, **fields: object) -> None:
    """Store a silence as the command does."""
    made = Silence.model_validate(
        {"id": "aa", "by": "lead", "reason": "moving", "at": NOON, "until": NOON + HOUR, **fields}
    )
    key = f"caseline:{{{recorder.deployment}}}:alerts:silences"
    recorder.redis.hset(key, made.id, made.model_dump_json())
