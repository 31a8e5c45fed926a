"""Contestant: Faust as its documentation teaches it, a `Table` counter changed once an event.

Run as a module with broker, topic, events and seconds; prints {"events", "seconds"} and ends when
it has counted so many events or counted for so long.
"""

import asyncio
import json
import sys
import tempfile
import time
import uuid
from typing import Any

import faust

PARTITIONS = 4
LOOK_SECONDS = 0.02


class Counter:
    """How many events were counted, and since when."""

    def __init__(self) -> None:
        self.events = 0
        self.began = 0.0

    def __call__(self) -> None:
        """Count one event; the clock starts with the first."""
        if not self.events:
            self.began = time.perf_counter()
        self.events += 1

    async def reaches(self, events: int, seconds: float) -> dict[str, float]:
        """Wait for so many events or seconds, whichever comes first, and tell both."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            elapsed = time.perf_counter() - self.began if self.events else 0.0
            if self.events >= events or elapsed >= seconds:
                return {"events": self.events, "seconds": elapsed}


def create_app(brokers: str, topic: str, folder: str, counted: Counter) -> faust.App:
    """The application: in-memory table, its changelog a topic on the broker, as Faust ships."""
    app = faust.App(
        f"plain-faust-{uuid.uuid4().hex[:8]}",
        broker=f"kafka://{brokers}",
        store="memory://",
        datadir=folder,
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        web_enabled=False,
    )
    events = app.topic(topic, key_type=bytes, value_serializer="json")
    counts: Any = app.Table("counts", default=int, partitions=PARTITIONS)

    async def count(stream: Any) -> None:
        async for event in stream:
            counts[event["partitionkey"]] += 1
            counted()

    app.agent(events)(count)
    return app


async def run(brokers: str, topic: str, events: int, seconds: float) -> None:
    """Count and print."""
    counted = Counter()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(brokers, topic, folder, counted)
        starting = asyncio.ensure_future(app.start())
        print(json.dumps(await counted.reaches(events, seconds)), flush=True)
        await app.stop()
        await asyncio.gather(starting, return_exceptions=True)


if __name__ == "__main__":
    brokers, topic, events, seconds = sys.argv[1:]
    asyncio.run(run(brokers, topic, int(events), float(seconds)))
