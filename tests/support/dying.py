"""Work in a process of its own that dies, without any clearing up, in the middle of it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snapshots.publish import writing
from tests.support.commands import COMMAND, FORKING, be
from tests.support.dying_command import arm
from tests.support.patience import SECONDS
from tests.support.workers import CommandLine

DIED = 9
TOUCHING = frozenset(
    {
        "open",
        "os.chmod",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "tempfile.mkdtemp",
    }
)


def dies(fatal: int, work: Callable[..., object], *arguments: object) -> bool:
    """Do the work until its nth call that touches the file system; whether it came to that one."""
    process = FORKING.Process(target=_do, args=(fatal, work, arguments))
    process.start()
    process.join(SECONDS)
    assert process.exitcode in (0, DIED)
    return process.exitcode == DIED


def command_dies(caseline: CommandLine, strike: str, *arguments: str, **changed: object) -> None:
    """Run a command that ends at, or after, one of its steps; fails unless it came to that.

    `strike` is such as "at MODULE:NAME".
    """
    of = [str(COMMAND), *arguments], caseline.folder, caseline.environment(**changed)
    (caseline.folder / "dying.log").touch()
    process = FORKING.Process(target=_do_command, args=(strike, *of), daemon=True)
    process.start()
    process.join(SECONDS)
    assert process.exitcode == DIED, f"{strike}: {(caseline.folder / 'dying.log').read_text()}"


def _do_command(strike: str, arguments: list[str], folder: Path, environment: Any) -> None:
    when, _, point = strike.partition(" ")
    arm(when, point)
    be(arguments, folder, environment, folder / "dying.log", folder / "dying.log")


def publish_text(folder: Path, text: str) -> None:
    """Publish October 2015 as two small files that have this text."""
    kind = writing.PublicationFormat.JSON
    files = [(name, text.encode()) for name in ("a.json", "b.json")]
    writing.WRITERS[kind] = lambda _: iter(files)
    release = SimpleNamespace(period="2015-10", number=1, kind="first")
    view: Any = SimpleNamespace(release=release, profile="internal")
    writing.publish(view, folder, [kind])


def _do(fatal: int, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    left = fatal

    def die(event: str, _: object) -> None:
        nonlocal left
        left -= event in TOUCHING
        if not left:
            os._exit(DIED)

    sys.addaudithook(die)
    work(*arguments)
    os._exit(0)
