"""Contestant: Quix Streams as its documentation teaches it, a stateful count by key.

Run as a module with Quix's packages (scripts/peers) first, and with broker, topic, group, events
and guarantee ("exactly-once" or "at-least-once"). Prints "counting" at its first event, and ends
when it has counted so many events and committed them. Its state is RocksDB, its changelog a topic.
"""

import sys
import tempfile
from typing import Any

from quixstreams import Application, State


class Counting:
    """Counts each key's events; says so when it begins."""

    def __init__(self) -> None:
        self._began = False

    def __call__(self, _: Any, state: State) -> int:
        """The key's next count, as state and as result."""
        if not self._began:
            self._began = True
            print("counting", flush=True)
        count = int(state.get("count", 0)) + 1
        state.set("count", count)
        return count


def run(brokers: str, topic: str, group: str, events: int, guarantee: Any) -> None:
    """Count."""
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            brokers,
            consumer_group=group,
            auto_offset_reset="earliest",
            state_dir=folder,
            processing_guarantee=guarantee,
            loglevel="ERROR",
        )
        source = app.topic(topic, key_deserializer="str", value_deserializer="json")
        app.dataframe(source).apply(Counting(), stateful=True)
        app.run(count=events, collect=False)


if __name__ == "__main__":
    brokers, topic, group, events, guarantee = sys.argv[1:]
    run(brokers, topic, group, int(events), guarantee)
