"""What is written down of a failure: where and of what kind, and nothing of what it was about."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
from aiokafka.errors import KafkaStorageError, UnknownTopicOrPartitionError
from confluent_kafka import KafkaError, KafkaException
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, RedisError, ResponseError

from streams.failures import Understood, described
from streams.terminal.logs import JsonFormatter

CHILD = "CHILD-00042"


def in_a_pipeline(error: RedisError) -> RedisError:
    """The error as redis-py has it when a command of a pipeline is refused."""
    command = ("ZREM", "caseline:{a:case-events:0}:1:deadlines", CHILD)
    Redis().pipeline().annotate_exception(error, 1, command)
    assert CHILD in str(error)
    return error


def chained() -> Exception:
    try:
        try:
            raise in_a_pipeline(ResponseError("WRONGTYPE Operation against a key"))
        except RedisError as error:
            raise KeyError(CHILD) from error
    except KeyError as error:
        return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (in_a_pipeline(ResponseError("WRONGTYPE Operation against a key")), "WRONGTYPE"),
        (in_a_pipeline(OutOfMemoryError("command not allowed", status_code="OOM")), "OOM"),
        (ResponseError(f"ERR unknown command 'ZREM', with args: '{CHILD}'"), "ERR"),
        (ResponseError(f"{CHILD} of pipeline caused error: ('{CHILD} x"), "ResponseError"),
        (KafkaStorageError(), "a broker cannot write: is its disk full?"),
        (KafkaException(KafkaError(KafkaError.KAFKA_STORAGE_ERROR)), "is its disk full?"),
        (KeyError(CHILD), "KeyError"),
        (msgspec.ValidationError(f"Expected `int` - at {CHILD}"), "ValidationError"),
        (UnicodeDecodeError("utf-8", CHILD.encode(), 0, 1, CHILD), "UnicodeDecodeError"),
    ],
)
def test_a_failure_is_told_by_its_class_and_the_servers_code(error: Exception, words: str) -> None:
    assert words in described(error)
    assert type(error).__name__ in described(error)
    assert CHILD not in described(error)


def test_what_is_known_to_hold_no_data_speaks_for_itself() -> None:
    assert described(Understood("no such topic")) == "no such topic"
    assert "case-events" in described(UnknownTopicOrPartitionError("case-events"))
    refused = RedisConnectionError("Error 111")
    refused.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert described(refused) == "ConnectionError (Connection refused)"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What a logger writes."""
    written: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keeping()
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger("tests.failures"), logging.getLogger("asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


def test_no_line_of_the_log_says_more(lines: list[str]) -> None:
    log, error = logging.getLogger("tests.failures"), chained()
    log.warning("in an argument: %s, %r", error, error.__cause__)
    log.warning("by name: %(error)r", {"error": error.__cause__})
    log.warning("beside it", extra={"reason": error.__cause__})
    log.warning(error.__cause__)
    log.warning("with where it was", exc_info=error)
    log.warning("as a library words it: %r" % error.__cause__, exc_info=error)  # noqa: UP031
    assert len(lines) == 6
    for line in lines:
        assert CHILD not in line
        assert "WRONGTYPE" in line
    assert "in chained" in json.loads(lines[-1])["exception"]


def test_a_task_that_nobody_asked_for_its_error_says_no_more(lines: list[str]) -> None:
    async def fail() -> None:
        raise chained()

    async def run() -> None:
        task = asyncio.ensure_future(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(run())
    (line,) = lines
    assert "never retrieved" in line
    assert CHILD not in line


def test_what_nobody_catches_ends_the_command_without_data() -> None:
    program = f"""
import sys
from streams import cli
from streams.terminal.commands import running
def broken():
    raise KeyError("{CHILD}")
cli.app = broken
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "in broken" in done.stderr
    assert done.stderr.endswith("KeyError\n")
    assert CHILD not in done.stderr.replace(program, "")
