"""A receiver's end: a real HTTP server that notes what it gets, and misbehaves as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """How a request is answered: the status, headers, after how long, and whether it was taken."""

    status: int = 204
    headers: Mapping[str, str] = {}
    seconds: float = 0.0
    is_taken: bool = True


class Request(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


TAKEN = Answer()


@dataclass
class Inbox:
    """A receiver. `processed` is what it made of what it took, each key once."""

    answer: Callable[[Request], Answer] = lambda _: TAKEN
    requests: list[Request] = field(default_factory=list)
    processed: list[Request] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The changes it has processed, in order."""
        with self.lock:
            bodies = [json.loads(it.body) for it in self.processed]
        return [change for body in bodies for change in body["changes"]]

    @property
    def told(self) -> list[str]:
        """The keys of the changes it has processed, in order."""
        return [f"{it['alert']}:{it['version']}" for it in self.changes]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts it was posted as an Alertmanager, in order."""
        with self.lock:
            return [alert for it in self.processed for alert in json.loads(it.body)]

    def receive(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            answer = self.answer(request)
            key = request.headers.get("webhook-id")
            if answer.is_taken and (key is None or key not in self.keys):
                self.processed.append(request)
                self.keys.add(key or "")
        time.sleep(answer.seconds)
        return answer


@contextmanager
def serving(inbox: Inbox) -> Iterator[Inbox]:
    """The inbox on a port of its own: the same one each time."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): text for name, text in self.headers.items()}
            answer = inbox.receive(Request(self.path, headers, body, time.monotonic()))
            try:
                self.send_response(answer.status)
                for name, text in answer.headers.items():
                    self.send_header(name, text)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients are killed here."""

    with Server(("127.0.0.1", inbox.port), Handler) as server:
        inbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()
