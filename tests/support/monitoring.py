"""A real Prometheus and a real Alertmanager for tests, on free ports, in folders of their own."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.patience import SECONDS, wait_for
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "monitoring"
MONITORING = ROOT / "monitoring"
INSTALL_SECONDS = 420


class MissingError(Exception):
    """There is no Prometheus or no Alertmanager; the text is what `scripts/monitoring` said."""


class Programs(NamedTuple):
    """Where the programs are."""

    prometheus: str
    promtool: str
    alertmanager: str
    amtool: str

    def check(self, tool: str, *arguments: str | Path, text: str | None = None) -> str:
        """Run promtool or amtool; what it printed. Fails, saying why, unless all is well."""
        done = subprocess.run(
            [getattr(self, tool), *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{tool} {' '.join(map(str, arguments))}: {said}"
        return said


@cache
def programs() -> Programs:
    """Where the programs are, installed first if need be. Raises MissingError."""
    done = subprocess.run(
        [SCRIPT], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise MissingError(done.stderr.strip())
    return Programs(*done.stdout.split())


@dataclass(frozen=True)
class Running:
    """A program that answers at `url`."""

    url: str

    def get(self, path: str, **query: str) -> Any:
        """The JSON at a path."""
        text = f"?{urllib.parse.urlencode(query)}" if query else ""
        return json.loads(fetch(f"{self.url}{path}{text}"))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Prometheus: the series that a PromQL expression gives now. Fails if it is none."""
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=expression)["data"]["result"]
        return found


def fetch(url: str) -> str:
    """The text at a URL; fails, with what the server said, unless it answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.code} {error.read().decode()}") from error


@contextmanager
def prometheus_running(
    folder: Path, targets: Mapping[str, str], rules: Path | None = None
) -> Iterator[Running]:
    """Prometheus, scraping each job's host and port every second, evaluating a folder of rules."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{rules}/*.yml"] if rules else [],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [target]}]}
            for job, target in targets.items()
        ],
    }
    path, port = folder / "prometheus.yml", free_port()
    path.write_text(json.dumps(config))  # JSON is YAML
    options = [
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _running([programs().prometheus, *options], folder / "prometheus.log", port) as running:
        yield running


@contextmanager
def alertmanager_running(folder: Path, webhook: str) -> Iterator[Running]:
    """Alertmanager, telling a webhook of every alert, each on its own, at once."""
    config = {
        "route": {
            "receiver": "webhook",
            "group_by": ["..."],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [
            {"name": "webhook", "webhook_configs": [{"url": webhook, "send_resolved": True}]}
        ],
    }
    path, port = folder / "alertmanager.yml", free_port()
    path.write_text(json.dumps(config))
    options = [
        f"--config.file={path}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    command = [programs().alertmanager, *options]
    with _running(command, folder / "alertmanager.log", port) as running:
        yield running


@contextmanager
def _running(command: list[str], log: Path, port: int) -> Iterator[Running]:
    """A program that has said to be ready, in the end stopped."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, cwd=log.parent
        )
    try:
        wait_for(lambda: _is_ready(url, process, log), f"{command[0]} is ready")
        yield Running(url)
    finally:
        process.kill()
        process.wait()


def _is_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
