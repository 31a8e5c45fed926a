"""Failures that a user can do something about, and what of any failure may be written down.

`described` is the one place that words an exception for logs and the terminal. A library's own text
may hold what it was working on: redis-py quotes the command that failed, and with it the ids of
children; a KeyError is the key. So only those families speak for themselves whose texts say what
and where, and never what was in it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from snapshots.releases.release_failures import ReleaseError

# Whose own texts name topics, partitions, offsets and addresses, and never a message.
KAFKA_CLIENTS = {"aiokafka", "kafka", "confluent_kafka", "cimpl"}
# The first word of what a Redis says when it refuses, and all of it that is written down. Those of
# commands Caseline sends; another one is told by its class alone.
REDIS_CODES = (
    *("ASK", "BUSY", "BUSYGROUP", "BUSYKEY", "CLUSTERDOWN", "CROSSSLOT", "ERR", "EXECABORT"),
    *("LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOGROUP", "NOPERM", "NOREPLICAS"),
    *("NOSCRIPT", "OOM", "READONLY", "TRYAGAIN", "UNKILLABLE", "WRONGPASS", "WRONGTYPE"),
)
ANNOTATED = "of pipeline caused error: ('"


class Understood(Exception):  # noqa: N818 - a family of conditions, each named for itself
    """A condition whose text says all that a user needs: what, where, and what to do."""


class GivenUp(Understood):
    """A client gave up what was waited for, without saying why."""

    def __init__(self) -> None:
        super().__init__("a client of Kafka or Redis gave up what it was asked for")


@contextmanager
def given_up() -> Iterator[None]:
    """Turn a cancellation that nobody asked for into GivenUp.

    Clients cancel what they gave up. Let through, that would end whoever waits as if they had been
    asked to end, and in silence.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise GivenUp from error


# What Kafka's clients call a broker that cannot write to its disk.
DISK_FAILED = ("KafkaStorageError", "KAFKA_STORAGE_ERROR")


def described(error: BaseException) -> str:
    """A failure in words that may be logged and shown: nothing in them comes from data."""
    if isinstance(error, (Understood, ReleaseError)):
        return str(error)
    name = type(error).__name__
    if isinstance(error, RedisError):
        why = _redis_code(error) or _system_says(error)
    elif type(error).__module__.partition(".")[0] in KAFKA_CLIENTS:
        why = str(error)
        if any(name in why for name in DISK_FAILED):
            why += ": a broker cannot write: is its disk full?"
    elif isinstance(error, OSError):
        why = " ".join(str(it) for it in (error.filename, error.strerror) if it)
    else:
        why = ""
    return f"{name} ({why})" if why else name


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """A failure, what it came of, and what that came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _redis_code(error: RedisError) -> str:
    if error.status_code in REDIS_CODES:
        return error.status_code
    # In a pipeline redis-py puts its own text, and the command's arguments, before the server's.
    said = str(error).rpartition(ANNOTATED)[2].partition(" ")[0]
    return said if said in REDIS_CODES else ""


def _system_says(error: RedisError) -> str:
    """What the system said of a connection, if that is what the failure came of."""
    texts = (it.strerror for it in chain_of(error) if isinstance(it, OSError) and it.strerror)
    return next(texts, "")
