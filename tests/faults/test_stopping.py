"""`caseline alerts run` ends when it is asked to, whatever does not answer."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from redis import Redis

from tests.support.alerting import KEY, change, receivers_file, recording, telling, webhook
from tests.support.inbox import Inbox, serving
from tests.support.servers import Server
from tests.support.workers import SECONDS, CommandLine, wait_until


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", KEY)


@pytest.mark.services
def test_without_kafka_it_ends(caseline: CommandLine, kafka: Server, tmp_path: Path) -> None:
    with serving(Inbox()) as inbox, recording(caseline) as recorder:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        with telling(caseline, path) as process:
            recorder.record(change(1))
            wait_until(lambda: inbox.told == [change(1).key], "it tells", [process])
            kafka.kill()
            recorder.record(change(2))
            process.stop()
        kafka.start()
        recorder.expire_lock()
        with telling(caseline, path) as process:
            wait_until(lambda: len(inbox.told) == 2, "nothing is lost", [process])


@pytest.mark.services
def test_while_redis_does_not_answer_it_ends(caseline: CommandLine, tmp_path: Path) -> None:
    with (
        serving(Inbox()) as inbox,
        recording(caseline) as recorder,
        Redis.from_url(caseline.settings.redis_url) as redis,
    ):
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        with telling(caseline, path) as process:
            recorder.record(change(1))
            wait_until(lambda: inbox.told == [change(1).key], "it tells", [process])
            pid = redis.info("server")["process_id"]
            os.kill(pid, signal.SIGSTOP)
            try:
                process.stop()
            finally:
                os.kill(pid, signal.SIGCONT)


def test_what_no_thread_gives_up_is_left_behind(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import asyncio, time
        from streams.terminal import stopping

        stopping.GRACE_SECONDS = 0.5

        async def work():
            print("at work", flush=True)
            await asyncio.to_thread(time.sleep, 3600)

        stopping.run_until_asked(work())
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "at work\n"
        process.terminate()
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.communicate()
