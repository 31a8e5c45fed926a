"""Partitions that come one assignment after another: every message is handed over all the same."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from streams.kafka.app import Reading, create_app, run_until
from streams.kafka.batches import TP, Batch
from tests.support import patience
from tests.support.servers import Server
from tests.support.topics import Sent, remove_topics, send

pytestmark = pytest.mark.services

PARTITIONS = 8


class Noting:
    """Notes what it is handed; its partitions begin at 0."""

    def __init__(self) -> None:
        self.placed: set[TP] = set()
        self.values: list[bytes | None] = []

    async def assigned(self, tps: set[TP]) -> None:
        self.placed = tps

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        return dict.fromkeys(tps & self.placed, 0)

    async def revoked(self, tps: set[TP]) -> None:
        self.placed = self.placed - tps

    async def stopped(self, _tp: TP, reason: Exception) -> None:
        raise reason

    async def batch(self, batch: Batch) -> None:
        await asyncio.sleep(0.1)  # as storing takes
        self.values += [record.value for record in batch.records]

    async def idle(self) -> None:
        pass


def test_what_lies_in_a_topic_made_after_the_worker_has_begun_is_all_handed_over(
    kafka: Server, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_topics(kafka.address)
    reading = Reading(deployment, kafka.address, (deployment,), metadata_max_age=4.0)
    sent = [Sent(b"%d" % number, b"%d" % number) for number in range(40 * PARTITIONS)]

    async def run() -> list[bytes | None]:
        noting, asked = Noting(), asyncio.Event()
        app = create_app(reading, noting)
        running = asyncio.create_task(run_until(app, asked))
        while not app.flow_control.is_active():  # the first assignment, of no partitions
            await asyncio.sleep(0.05)
        seek_now = app.batches.seek

        async def seek(tp: TP, offset: int) -> None:
            await seek_now(tp, offset)
            await asyncio.sleep(0.1)  # as on a busy machine: what was placed first comes meanwhile

        monkeypatch.setattr(app.batches, "seek", seek)
        await asyncio.to_thread(make, kafka.address, deployment, sent)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.SECONDS):
                while len(noting.values) < len(sent) and not running.done():
                    await asyncio.sleep(0.05)
        asked.set()
        await running
        return noting.values

    values = asyncio.run(run())
    assert sorted(map(str, values)) == sorted(str(it.value) for it in sent)


def make(address: str, topic: str, sent: list[Sent]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    admin.close()
    send(address, topic, sent)
