"""A Redis that fails over: two servers that may die and come back, and three Sentinels."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import redis

from tests.support.programs import program
from tests.support.redis_servers import Watched, binary, wait_for, watched_redis


class RedisPair:
    """A master and its replica; whichever is which."""

    def __init__(self, watched: Watched, folder: Path, stack: ExitStack) -> None:
        self._watched, self._folder, self._stack = watched, folder, stack
        self._starts = count(1)
        self.settings = watched.settings

    @property
    def master(self) -> Any:
        """A client of the server that Sentinels name."""
        return self._watched.servers[self._watched.master()]

    def everywhere(self, **settings: object) -> None:
        """Set settings of both servers, as far as they answer."""
        for it in self._watched.servers:
            for name, value in settings.items():
                with contextlib.suppress(redis.RedisError, OSError):
                    it.config_set(name.replace("_", "-"), value)

    def signal_master(self, number: signal.Signals) -> int:
        """Send a signal to the master's process; its pid."""
        pid = int(self.master.info("server")["process_id"])
        os.kill(pid, number)
        return pid

    def kill_master(self) -> None:
        """`kill -9` the master, wait until the replica has taken over, and start the old one."""
        self.wait_to_follow()
        at = self._watched.master()
        self.signal_master(signal.SIGKILL)
        wait_for(lambda: self._watched.master() != at, "the Sentinels name the replica")
        self._start(at)

    def hand_over(self) -> None:
        """Have the Sentinels make the replica the master, in good order."""
        self.wait_to_follow()
        self._watched.hand_over()

    def wait_to_follow(self) -> None:
        """Wait until the one follows the other again, so that it can take over."""
        wait_for(self._watched.is_whole, "the replica follows the master")
        known = [it.sentinel_masters()["kent"] for it in self._watched.sentinels]
        assert all(int(it["num-other-sentinels"]) == 2 for it in known)

    def _start(self, number: int) -> None:
        client = self._watched.servers[number]
        port = client.connection_pool.connection_kwargs["port"]
        home = self._folder / f"redis-{port}"

        def answers() -> bool:
            with contextlib.suppress(redis.RedisError, OSError):
                return bool(client.ping())
            return False

        log = home / f"log-{next(self._starts)}"
        self._stack.enter_context(program([binary(), home / "redis.conf"], log, answers))


@contextmanager
def redis_pair(folder: Path) -> Iterator[RedisPair]:
    """A pair with its Sentinels, until the context ends."""
    with watched_redis(folder) as watched, ExitStack() as stack:
        yield RedisPair(watched, folder, stack)
