"""Changes of alerts on their way out: queued in Redis with the state that they follow from."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from schemas.alerts import AlertState

# What of a change is kept of all there ever were, so that a name that is misspelt is known.
NAMES = ("owner", "provider")
# Puts changes into an outbox, in order: a command for each takes longer to send than all else.
ADD_CHANGES = """
for _, change in ipairs(ARGV) do redis.call('XADD', KEYS[1], '*', 'change', change) end
"""
# Changes a command: long commands hold up Redis's other clients.
CHANGES_AT_ONCE = 2_000


class _Named(msgspec.Struct):
    owner: str
    provider: str | None = None


class Outgoing(NamedTuple):
    """A change of an alert: the state it was in, None for a new one, and the change as JSON."""

    alert: str
    standard: str
    before: AlertState | None
    state: AlertState
    text: bytes


def queue_changes(pipe: Any, key: Callable[[str], str], changes: Iterable[Outgoing]) -> None:
    """Queue what changes bring about: outbox, active alerts, counts, and whom alerts are for."""
    active: dict[str, bytes] = {}
    over: list[str] = []
    counts: Counter[str] = Counter()
    names: dict[str, set[str]] = {name: set() for name in NAMES}
    texts: list[bytes] = []
    for it in changes:
        texts.append(it.text)
        named = _decode(it.text)
        for name in NAMES:
            names[name].add(getattr(named, name) or "")
        if it.state != "resolved":
            active[it.alert] = it.text
            counts[f"{it.standard} {it.state}"] += 1
        elif it.before:
            over.append(it.alert)
        if it.before and it.before != "resolved":
            counts[f"{it.standard} {it.before}"] -= 1
    for start in range(0, len(texts), CHANGES_AT_ONCE):
        pipe.eval(ADD_CHANGES, 1, key("outbox"), *texts[start : start + CHANGES_AT_ONCE])
    if active:
        pipe.hset(key("open"), mapping=active)
    if over:
        pipe.hdel(key("open"), *over)
    for field, by in counts.items():
        if by:
            pipe.hincrby(key("counts"), field, by)
    for name, there in names.items():
        if there := there - {""}:
            pipe.sadd(key(f"{name}s"), *there)


_decode = msgspec.json.Decoder(_Named).decode
