"""What a part of a worker is given that is tried on its own: what it does not use is not there."""

from typing import Any, cast

from processors.fold import Partition
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.state.store import Head, ShardStore
from streams.worker.given import Given, Limits
from streams.worker.held import Held, Read
from streams.worker.holdback import Calm

UNUSED = cast(Any, None)


def given_to(rules: Rules, limits: Limits, **others: Any) -> Given:
    """Rules and limits, and of the others those that are named."""
    unused = dict.fromkeys(
        ("redis", "clock", "metrics", "dead_letters", "logs", "consumer", "garbage"), UNUSED
    )
    return Given(**{**unused, "deployment": "", "rules": rules, "limits": limits, **others})


def held(
    shard: TP,
    state: Partition,
    reads: dict[str, Read] | None = None,
    store: ShardStore = UNUSED,
) -> Held:
    """A shard of which nothing is stored, with its state in memory."""
    return Held(shard, store, Head(), state, reads or {}, Calm(0.0, 0.0, 0.0), 0)
