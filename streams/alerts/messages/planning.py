"""Which changes a receiver is told of, from what it knows of their alerts. Pure.

- A change no newer than one already seen is a repetition, and passed over.
- Whoever was told of an alert is told how it goes on, whatever they get otherwise; whoever was
  not, is not told of its end either. So what was over before it was known is told to nobody.
- A silence withholds what is active, never an end. What it withholds is kept, the latest of each
  alert, and dropped when a newer change comes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.alerts import AlertState, CaseChange, IndicatorChange
from schemas.receivers import Alertmanager, Smtp, Webhook
from streams.alerts.messages.message import Item
from streams.alerts.topic.log import ChangeInTopic

Silenced = Callable[[CaseChange | IndicatorChange], bool]


@dataclass
class KnownAlert:
    """What stands of an alert with a receiver: the version seen last, and what it was told.

    `told` is None unless it was told that the alert is active; `held` is what a silence withholds.
    """

    version: int = 0
    told: CaseChange | IndicatorChange | None = None
    held: Item | None = None


class Choice(NamedTuple):
    """What is to be told, and up to which of the changes given that decides."""

    items: list[Item]
    taken: int


@dataclass
class Chooser:
    """Decides for one receiver; `known` is brought up to date as it does."""

    receiver: Webhook | Alertmanager | Smtp
    silenced: Silenced
    known: dict[str, KnownAlert] = field(default_factory=dict)

    def choose(self, published: Sequence[ChangeInTopic]) -> Choice:
        """What is told of changes in the order of the topic.

        Ends before a change of an alert that is told of under another owner already: messages go
        by owner, and would overtake one another.
        """
        items: list[Item] = []
        owners: dict[str, tuple[str, str]] = {}
        for index, (offset, change, _) in enumerate(published):
            owner = (change.owner_kind, change.owner)
            if owners.setdefault(change.alert, owner) != owner:
                return Choice(items, index)
            item = self._judge(offset, change)
            if item:
                items.append(item)
        return Choice(items, len(published))

    def release(self, held: Iterable[Item]) -> list[Item]:
        """What is told of changes withheld, now that no silence withholds them any more."""
        free = [item for item in held if not self.silenced(item.change)]
        return [self._tell(it.offset, it.change) for it in sorted(free, key=lambda it: it.offset)]

    def _judge(self, offset: int, change: CaseChange | IndicatorChange) -> Item | None:
        known = self.known.setdefault(change.alert, KnownAlert())
        if change.version <= known.version:
            return None
        known.version, known.held = change.version, None
        if not self._is_for(change, known):
            if not change.is_active:
                known.told = None
            return None
        if change.is_active and self.silenced(change):
            known.held = Item(offset=offset, change=change, before=known.told)
            return None
        return self._tell(offset, change)

    def _is_for(self, change: CaseChange | IndicatorChange, known: KnownAlert) -> bool:
        if known.told:
            return raises(self.receiver, change.state) or ends_states(self.receiver)
        return (
            change.is_active
            and raises(self.receiver, change.state)
            and self.receiver.may_get(change)
        )

    def _tell(self, offset: int, change: CaseChange | IndicatorChange) -> Item:
        known = self.known.setdefault(change.alert, KnownAlert())
        item = Item(offset=offset, change=change, before=known.told)
        is_on = change.is_active and raises(self.receiver, change.state)
        known.told, known.held = (change if is_on else None), None
        return item


def raises(receiver: Webhook | Alertmanager | Smtp, state: AlertState) -> bool:
    """Whether a receiver is told of a state."""
    return state in receiver.states


def ends_states(receiver: Webhook | Alertmanager | Smtp) -> bool:
    """Whether a receiver keeps alerts by state, so that each must be ended, whatever follows."""
    return isinstance(receiver, Alertmanager)


def latest(published: Sequence[ChangeInTopic]) -> list[ChangeInTopic]:
    """The last change of each alert, in the order of the topic."""
    last = {it.change.alert: it for it in published}
    return sorted(last.values(), key=lambda it: it.offset)
