"""One run: services, traffic, faults for a while, quiet, and the verdict."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

from schemas.settings import Settings
from streams.kafka.topics import create_topics
from streams.state.redis_clients import load_rules
from tests.chaos.crew import BETWEEN, Crew
from tests.chaos.redis_pair import redis_pair
from tests.chaos.traffic import Traffic, messages
from tests.chaos.verdict import (
    Alerts,
    log_of,
    wrong_counts,
    wrong_logs,
    wrong_releases,
    wrong_tables,
)
from tests.support.alerting import KEY, receivers_file, webhook
from tests.support.inbox import Inbox, serving
from tests.support.servers import Server
from tests.support.workers import CommandLine, wait_until

TODAY = date(2017, 6, 17)
DAYS = [date(2016, 2, 29), TODAY, date(2017, 6, 30)]
NOON = datetime(2017, 6, 17, 12, tzinfo=UTC)
PERIOD = "2017-05"
# How many messages there are: more than brute force can take in a while would show nothing more.
MESSAGES_A_SECOND, MOST_MESSAGES = 140, 20_000
END_SECONDS = 600.0
# So few are kept in memory that most are read back from Redis, whatever that is doing.
FEW_RECORDS = 1_000

Say = Callable[[str], None]


def chaos(kafka: Server, folder: Path, seconds: float, seed: int, say: Say) -> list[str]:
    """Run for so many seconds, and until every kind of fault has struck; what is wrong."""
    rng = random.Random(seed)
    sent = messages(min(MOST_MESSAGES, int(seconds * MESSAGES_A_SECOND)))
    say(f"seed {seed}: {len(sent):,} messages over {seconds:g} s")
    with ExitStack() as stack:
        pair = stack.enter_context(redis_pair(folder))
        inbox = stack.enter_context(serving(Inbox()))
        settings = Settings(
            kafka_bootstrap=kafka.address,
            deployment=f"chaos-{seed}",
            session_timeout=2.0,
            clock_from=NOON,
            alert_calm_seconds=0,
            records_in_memory=FEW_RECORDS,
            receivers_file=receivers_file(folder, webhook("hook", inbox.url)),
            **pair.settings,
        )
        create_topics(settings)
        caseline = CommandLine(settings, load_rules(settings), folder)
        traffic = Traffic(kafka.address, sent, seconds, seed)
        stack.callback(traffic.close)
        crew = Crew(caseline, kafka, pair, traffic, inbox, rng, _timed(say), stack, PERIOD)
        crew.begin()
        traffic.start()
        _strike(crew, seconds, rng)
        _finish(crew)
        wrong = [*crew.wrong, *_verdict(crew, say)]
    say(_told(crew))
    return wrong


def _timed(say: Say) -> Say:
    began = time.monotonic()
    return lambda text: say(f"{time.monotonic() - began:7.1f} s  {text}")


def _strike(crew: Crew, seconds: float, rng: random.Random) -> None:
    """Faults one after another, each kind once before any comes again."""
    deadline = time.monotonic() + seconds
    bag: list[str] = []
    while time.monotonic() < deadline or len(crew.done) < len(crew.faults()):
        if not bag:
            bag = list(crew.faults())
            rng.shuffle(bag)
        crew.strike(bag.pop())
        time.sleep(rng.uniform(*BETWEEN))


def _finish(crew: Crew) -> None:
    """Nothing more befalls anyone: all that was sent is taken in."""
    crew.say("quiet")
    crew.traffic.finish()
    crew.pair.wait_to_follow()
    crew.caseline.wait_for_the_end()
    crew.collect(END_SECONDS)
    crew.ask(*crew.freeze_arguments())
    crew.collect(END_SECONDS)
    crew.replace_the_dead()
    if not any(it[0] == "snapshot freeze" and it[1] == 0 for it in crew.codes):
        crew.wrong.append("no freeze ended well")


def _verdict(crew: Crew, say: Say) -> list[str]:
    caseline = crew.caseline
    log = log_of(caseline.settings.kafka_bootstrap)
    told = Alerts(caseline, crew.inbox, log, TODAY)
    try:
        wait_until(told.agree, "the receiver has what is true", [*crew.workers, *crew.tellers])
    except AssertionError as error:
        say(str(error)[:200])
    wrong = [
        *wrong_tables(caseline, log, DAYS),
        *wrong_counts(caseline, log),
        *wrong_releases(caseline, log, PERIOD),
        *wrong_logs(caseline),
        *told.wrong(),
    ]
    for command in (("doctor",), ("snapshot", "verify", "--recompute")):
        done = caseline.start(*command)
        out, err = done.communicate(timeout=END_SECONDS)
        if done.returncode:
            wrong.append(f"{' '.join(command)}: exit {done.returncode}: {out}{err}")
    say(
        f"compared: scorecards of {len(DAYS)} days, {sum(map(len, log.values())):,} messages, "
        f"{len(told.active()):,} active alerts of {len(told.true):,}, "
        f"{len(list((caseline.folder / 'releases' / PERIOD).glob('*')))} releases"
    )
    for it in [*crew.workers, *crew.tellers]:
        it.stop()
    return wrong


def _told(crew: Crew) -> str:
    """How often each fault struck, and how often while messages waited."""
    lines = [f"  {times:4}  {name} ({crew.at_work[name]})" for name, times in crew.done.items()]
    return "\n".join(["faults (while messages waited):", *sorted(lines)])


__all__ = ["KEY", "chaos"]
