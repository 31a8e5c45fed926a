"""Contestant: Bytewax, Kafka source, `json.loads`, and `stateful_map` counting each child's events.

Run as a module with broker and topic; reads the topic to its end and prints {"events", "seconds"}.
Its state is in memory only: no recovery store is configured.
"""

import json
import sys
import time
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.run import cli_main


class TimedSource(KafkaSource):
    """Bytewax's Kafka source; knows when its first partition began to be read."""

    began = 0.0

    def build_part(self, *args: Any) -> Any:
        """Bytewax asks for each partition's reader once."""
        self.began = self.began or time.perf_counter()
        return super().build_part(*args)


class Tally(DynamicSink[Any], StatelessSinkPartition[Any]):
    """Output that keeps only how many results came and when the latest did."""

    def __init__(self) -> None:
        self.events = 0
        self.ended = 0.0

    def build(self, *_: Any) -> "Tally":
        """One worker, so one part: itself."""
        return self

    def write_batch(self, items: list[Any]) -> None:
        """Take a batch of results."""
        self.events += len(items)
        self.ended = time.perf_counter()


def keyed(message: Any) -> tuple[str, Any]:
    """The event by its child."""
    event = json.loads(message.value)
    return event["partitionkey"], event


def counted(count: int | None, _: Any) -> tuple[int, int]:
    """The child's next count, as state and as result."""
    count = (count or 0) + 1
    return count, count


def run(brokers: str, topic: str) -> None:
    """Count and print."""
    source, tally = TimedSource([brokers], [topic], tail=False), Tally()
    flow = Dataflow("count")
    messages = op.input("events", flow, source)
    counts = op.stateful_map("count", op.map("keyed", messages, keyed), counted)
    op.output("tally", counts, tally)
    cli_main(flow)  # type: ignore[no-untyped-call]
    print(json.dumps({"events": tally.events, "seconds": tally.ended - source.began}), flush=True)


if __name__ == "__main__":
    run(*sys.argv[1:])
