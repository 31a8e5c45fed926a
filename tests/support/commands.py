"""Commands of caseline, each in a process of its own, that need not import everything anew.

They are forked from a server that has imported the program, worked out the calendar and done
nothing else, which saves each a second of work. The console script itself is run by the tests of
the README.
"""

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

COMMAND = Path(sys.executable).with_name("caseline")

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.support.preloaded"])


class Command:
    """A command of caseline that runs, as `subprocess.Popen` has one with its output in pipes.

    `log` takes what it writes instead, to both its outputs.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        log: Path | None = None,
    ) -> None:
        self.args = [str(COMMAND), *map(str, arguments)]
        self._written = [log or _new_file(), log or _new_file()]
        self._process = FORKING.Process(
            target=be, args=(self.args, folder, dict(environment), *self._written), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, below 0 where a signal ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; what it wrote to its outputs. Raises subprocess.TimeoutExpired."""
        self.wait(timeout)
        out, err = (path.read_text() for path in self._written)
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.join()


def _new_file() -> Path:
    handle, path = tempfile.mkstemp(prefix="caseline-command-", dir=_outputs().name)
    os.close(handle)
    return Path(path)


@cache
def _outputs() -> "tempfile.TemporaryDirectory[str]":
    """A folder of this process alone: the commands import this too, and may be killed."""
    return tempfile.TemporaryDirectory(prefix="caseline-commands-")


def be(
    arguments: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    """Be the command, from the first line to the last of its process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for descriptor, path in enumerate((Path(os.devnull), out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), descriptor)
    sys.argv = arguments
    from streams.cli import main

    try:
        main()
    except Exception as error:  # shown as the interpreter shows what nobody catches
        sys.excepthook(type(error), error, error.__traceback__)
        raise SystemExit(1) from None
    finally:
        atexit._run_exitfuncs()
