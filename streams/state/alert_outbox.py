"""Changes of alerts on their way out: queued in Redis with the state that they follow from."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from schemas.alerts import AlertState


class Outgoing(NamedTuple):
    """A change of an alert: the state it was in, None for a new one, and the change as JSON."""

    alert: str
    standard: str
    before: AlertState | None
    state: AlertState
    text: bytes


def queue_changes(pipe: Any, key: Callable[[str], str], changes: Iterable[Outgoing]) -> None:
    """Queue what changes bring about: entries of the outbox, active alerts, and their counts."""
    active: dict[str, bytes] = {}
    over: list[str] = []
    counts: Counter[str] = Counter()
    for it in changes:
        pipe.execute_command("XADD", key("outbox"), "*", "change", it.text)
        if it.state != "resolved":
            active[it.alert] = it.text
            counts[f"{it.standard} {it.state}"] += 1
        elif it.before:
            over.append(it.alert)
        if it.before and it.before != "resolved":
            counts[f"{it.standard} {it.before}"] -= 1
    if active:
        pipe.hset(key("open"), mapping=active)
    if over:
        pipe.hdel(key("open"), *over)
    for field, by in counts.items():
        if by:
            pipe.hincrby(key("counts"), field, by)
