"""What a receiver is sent at once: changes of one owner's alerts, under one idempotency key."""

import hashlib
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from schemas.alerts import Change
from schemas.standards import OwnerKind
from snapshots.releases.canonical import canonical


class Item(BaseModel):
    """A change, its offset in the topic, and what the receiver was last told of the alert.

    `before` is None where that is nothing, or that the alert is over.
    """

    model_config = ConfigDict(frozen=True)

    offset: int
    change: Change
    before: Change | None = None


class Message(BaseModel):
    """Changes for one owner. The same changes have the same `key`, however often they are sent."""

    model_config = ConfigDict(frozen=True)

    key: str
    owner_kind: OwnerKind
    owner: str
    items: tuple[Item, ...]


def key_of(deployment: str, receiver: str, items: Sequence[Item]) -> str:
    """The idempotency key of the items' message, the same in every process and at all times."""
    told = [[item.offset, item.change.key] for item in items]
    return hashlib.sha256(canonical([deployment, receiver, told])).hexdigest()[:32]


def messages(deployment: str, receiver: str, items: Sequence[Item], most: int) -> list[Message]:
    """Items as messages to each owner, of at most so many, in the order in which owners come."""
    groups: dict[tuple[OwnerKind, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.change.owner_kind, item.change.owner), []).append(item)
    return [
        Message(
            key=key_of(deployment, receiver, part),
            owner_kind=kind,
            owner=owner,
            items=tuple(part),
        )
        for (kind, owner), group in groups.items()
        for part in _parts(group, most)
    ]


def _parts(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]
