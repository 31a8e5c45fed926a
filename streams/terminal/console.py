"""What every command needs of the terminal: consoles, exit codes, settings, progress."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn, TypeVar

from aiokafka.errors import KafkaError
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment

from processors.rules import Rules
from schemas.outward import for_terminal
from schemas.settings import Settings, load_settings
from snapshots.checking.question import Show
from snapshots.releases.release_failures import ReleaseError
from streams.clock import Clock, clock_of
from streams.failures import Understood, described
from streams.state.redis_clients import connect_redis, load_rules

T = TypeVar("T")

CLOSER = "`caseline doctor` looks closer"


class PlainConsole(Console):
    """A console on which text is only ever shown: the terminal obeys nothing that is in it."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of what is printed, each text cleaned."""
        for it in super().render(renderable, options):
            yield it if it.control else Segment(for_terminal(it.text), it.style)


out = PlainConsole(markup=False, emoji=False)
err = PlainConsole(stderr=True, highlight=False, markup=False, emoji=False)


class Exit(IntEnum):
    """Exit codes; 2, wrong usage, is given by the option parser."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 3
    UNWELL = 4


def fail(message: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Say what is wrong on standard error and end with a code."""
    err.print(f"caseline: {message}", style="red", markup=False, soft_wrap=True)
    sys.exit(code)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a user can do something about into a line that says what."""
    try:
        yield
    except (Understood, ReleaseError) as error:
        fail(str(error))
    except RedisError as error:
        fail(f"Redis: {described(error)}; is CASELINE_REDIS_URL right? {CLOSER}")
    except KafkaError as error:
        fail(f"Kafka: {described(error)}; is CASELINE_KAFKA_BOOTSTRAP right? {CLOSER}")
    except OSError as error:
        fail(f"{error.filename or ''} {error.strerror or error}".strip())


@contextmanager
def usable(what: str) -> Iterator[None]:
    """End with what is wrong with settings or rules that cannot be used, and where."""
    try:
        yield
    except ValidationError as error:
        wrong = (
            ": ".join(filter(None, (".".join(map(str, it["loc"])), it["msg"])))
            for it in error.errors()
        )
        fail(f"{error.title}: {'; '.join(wrong)}")
    except (ValueError, OSError) as error:
        fail(f"{what} cannot be used: {error}")


def settings_and_rules() -> tuple[Settings, Rules]:
    """The process's settings, and the rules in the files they name; ends with why not."""
    with usable("settings, catalogue, areas or standards"):
        settings = load_settings()
        return settings, load_rules(settings)


def the_clock(settings: Settings) -> Clock:
    """The deployment's clock; ends with why not."""
    with explained():
        return clock_of(settings)


def on_redis(settings: Settings, work: Callable[[Redis], Awaitable[T]]) -> T:
    """What the work gives on this deployment's Redis; ends with why not."""

    async def run() -> T:
        async with connect_redis(settings) as redis:
            return await work(redis)

    with explained():
        return asyncio.run(run())


def progress(unit: str) -> Progress:
    """A progress bar on standard error that counts `unit`s."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=err,
    )


@contextmanager
def log_progress() -> Iterator[Callable[[int], Show]]:
    """Two bars, of a log's records read and evaluated, for each time a number of them is told."""
    with progress("records") as bar:

        def begin(total: int) -> Show:
            tasks = [bar.add_task(name, total=total) for name in ("reading", "evaluating")]

            def show(*completed: int) -> None:
                for task, count in zip(tasks, completed, strict=True):
                    bar.update(task, completed=count)

            return show

        yield begin
