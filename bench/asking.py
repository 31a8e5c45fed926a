"""Questions asked of a server by some readers at once, each as soon as it has its answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import Thread
from time import perf_counter, sleep
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.bed import BenchError

ANSWER_SECONDS = 300.0
# What is worked out of every record may take a while.
READY_SECONDS = 600.0
AWAY = "503"
NOTHING: Mapping[str, str] = {}


class Reply(NamedTuple):
    """An answer: its status, its headers and its body as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Asked(NamedTuple):
    """How long answers took, in seconds, how many a second all had, and how many were refused."""

    seconds: Sequence[float]
    rate: float
    refused: int


class Reader:
    """Asks on a connection of its own."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=ANSWER_SECONDS)
        self._headers = headers

    def ask(self, path: str, headers: Mapping[str, str] = NOTHING) -> Reply:
        """One answer."""
        try:
            return self._ask(path, headers)
        except ConnectionError:  # a server ends a connection that was not used for a while
            self._connection.close()
            return self._ask(path, headers)

    def _ask(self, path: str, headers: Mapping[str, str]) -> Reply:
        self._connection.request("GET", path, headers={**self._headers, **headers})
        answer = self._connection.getresponse()
        return Reply(answer.status, dict(answer.headers.items()), answer.read())

    def ask_until_ready(self, path: str) -> Reply:
        """The answer once what it rests on is ready. Raises BenchError."""
        deadline = perf_counter() + READY_SECONDS
        while (reply := self.ask(path)).status == HTTPStatus.SERVICE_UNAVAILABLE:
            if perf_counter() > deadline:
                raise BenchError(f"{path} was not ready within {READY_SECONDS:.0f} s")
            sleep(0.2)
        if reply.status != HTTPStatus.OK:
            raise BenchError(f"{path} is answered by {reply.status}")
        return reply

    def close(self) -> None:
        """Ask nothing more."""
        self._connection.close()


def ask_for(
    readers: Sequence[Reader], path: str, seconds: float, status: int, sent: Mapping[str, str]
) -> Asked:
    """What readers are given within a time that they ask for the same. Raises BenchError.

    Refused is what was answered by 503; any other answer than is expected ends it.
    """
    took: list[float] = []
    others = Counter[str]()
    began = perf_counter()

    def read(reader: Reader) -> None:
        while not others.keys() - {AWAY} and perf_counter() - began < seconds:
            asked = perf_counter()
            try:
                found = str(reader.ask(path, sent).status)
            except (OSError, HTTPException) as error:
                found = str(error) or type(error).__name__
            if found == str(status):
                took.append(perf_counter() - asked)
            else:
                others[found] += 1

    threads = [Thread(target=read, args=[it]) for it in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = others.pop(AWAY, 0)
    if others or (not took and not refused):
        raise BenchError(f"{path}: not {status} but {dict(others)}")
    return Asked(took, len(took) / (perf_counter() - began), refused)
