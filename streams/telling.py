"""Changes of alerts on their way out: queued in Redis with the state they follow from."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from processors.alerts import Told
from processors.wording import Wording


def queue_changes(
    pipe: Any, key: Callable[[str], str], changes: Sequence[Told], wording: Wording
) -> None:
    """Queue what changes bring about: entries of the outbox, active alerts, and their counts."""
    active: dict[str, bytes] = {}
    over: list[str] = []
    counts: Counter[str] = Counter()
    for child, alert, before in changes:
        name, text = wording.change(child, alert)
        pipe.execute_command("XADD", key("outbox"), "*", "change", text)
        if alert.is_active:
            active[name] = text
            counts[f"{alert.standard} {alert.state}"] += 1
        elif before:
            over.append(name)
        if before and before != "resolved":
            counts[f"{alert.standard} {before}"] -= 1
    if active:
        pipe.hset(key("open"), mapping=active)
    if over:
        pipe.hdel(key("open"), *over)
    for field, by in counts.items():
        if by:
            pipe.hincrby(key("counts"), field, by)
