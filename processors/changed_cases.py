"""Cases whose records changed, laid out to be worked out at once, of one shard or of several."""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, chain

import numpy as np

from processors.alerts.child import Child
from processors.alerts.judging import Judgement
from processors.days.calendar import Days
from processors.facts.cases import Cases, traits
from processors.facts.crowds import Crowd, Said, Traits, is_crowd
from processors.rules import Rules

# The rows before and now of each case of a record that changed.
Changes = Mapping[str, tuple[bytes, bytes]]


class ChangedCases:
    """Cases of a shard: those that changed, others to be judged, and their names in that order.

    Where cases of a child relate to one another, all of them change when one does; in a crowd only
    those do of which a relation says something else. Nobody asks for names, or for others, where
    nothing is judged. Of a child in `some` only the cases there are judged, as the outlook for the
    others says; of the rest all are.
    """

    def __init__(
        self, children: Mapping[str, Child], rules: Rules, judgement: Judgement | None
    ) -> None:
        self._rules = rules
        self.before: list[bytes] = []
        self.now: list[bytes] = []
        self.children: list[int] = []
        self.unchanged: list[bytes] = []
        self.names: list[tuple[str, str]] = []
        self.some: dict[str, Collection[str]] = {}
        self._other_names: list[tuple[str, str]] = []
        # The position of a case of a crowd, and what relations said of it and say.
        self.answers: list[tuple[int, Said, Said]] = []
        self._others = len(children)
        crowds: list[tuple[str, Child, Changes]] = []
        relates = bool(rules.wanted.relations)
        for number, (name, child) in enumerate(children.items()):
            changes, settled = child.record.settle(), child.record.settled
            if len(changes) < len(settled):
                if changes and relates and is_crowd(len(changes), len(settled)):
                    crowds.append((name, child, changes))
                    continue
                if changes and relates:
                    for case in [case for case in settled if case not in changes]:
                        changes[case] = settled[case], settled[case]
                elif judgement is not None:
                    self._add_others(name, child, changes, judgement)
            if changes:
                child.crowd = None
            for before, now in changes.values():
                self.before.append(before)
                self.now.append(now)
                self.children.append(number)
            if judgement is not None:
                self.names += [(name, case) for case in changes]
        for name, child, of_crowd in crowds:
            added = self._add_crowd(child, of_crowd)
            if judgement is not None:
                self.names += [(name, case) for case in added]
                self._add_others(name, child, added, judgement)
        self.names += self._other_names

    @property
    def numbers(self) -> int:
        """More than the number of any child."""
        return self._others + len(self.answers) + 1

    def _add_others(
        self, name: str, child: Child, changed: Collection[str], judgement: Judgement
    ) -> None:
        """Add the cases of a child to be judged beside those that changed."""
        settled, outlook = child.record.settled, child.outlook
        if outlook is None or judgement.day < outlook.day:
            others = [case for case in settled if case not in changed]
        else:
            due = outlook.due(judgement.day, is_withheld=judgement.is_withheld(name))
            others = [case for case in dict.fromkeys(due) if case not in changed]
            self.some[name] = [*changed, *others]
        self._other_names += [(name, case) for case in others]
        self.unchanged += [settled[case] for case in others]

    def _add_crowd(self, child: Child, changes: Changes) -> Collection[str]:
        """Add the cases of a crowd that changed, and those that it changes something of."""
        settled = child.record.settled
        if child.crowd is None:
            rows = {
                case: changes[case][0] if case in changes else settled[case] for case in settled
            }
            child.crowd = Crowd(self._rules.wanted.relations)
            child.crowd.add(self._traits(rows))
        change = child.crowd.change(self._traits({case: now for case, (_, now) in changes.items()}))
        for case, said in change.before.items():
            before, now = changes.get(case, (settled[case], settled[case]))
            self.answers.append((len(self.now), said, change.now[case]))
            self.before.append(before)
            self.now.append(now)
            # What its kin are for it is known: each case is looked at on its own.
            self.children.append(self._others + len(self.answers))
        return change.before.keys()

    def _traits(self, rows: Mapping[str, bytes]) -> dict[str, Traits]:
        rules = self._rules
        found = traits(
            list(rows.values()), rules.localities, rules.calendar, rules.unheld, rules.related
        )
        return dict(zip(rows, found, strict=True))


class CasesTogether:
    """Cases of several shards, to be worked out at once: `shard` has that of each group by number.

    Children of different shards are never kin.
    """

    def __init__(self, shards: Sequence[ChangedCases]) -> None:
        changed = [len(it.now) for it in shards]
        others = [len(it.unchanged) for it in shards]
        # In the order of groups: all before, all now, all unchanged.
        sizes = [*changed, *changed, *others]
        self._starts = list(accumulate(sizes, initial=0))
        self.shard: Days = np.repeat(np.tile(np.arange(len(shards)), 3), sizes)
        children, said, numbers = list[int](), dict[int, Said](), 0
        for index, it in enumerate(shards):
            children += [numbers + child for child in it.children] if numbers else it.children
            numbers += it.numbers
            before, now = self._starts[index], self._starts[len(shards) + index]
            for position, said_before, said_now in it.answers:
                said[before + position], said[now + position] = said_before, said_now
        self.cases = Cases(
            list(chain.from_iterable(it.before for it in shards)),
            list(chain.from_iterable(it.now for it in shards)),
            children,
            list(chain.from_iterable(it.unchanged for it in shards)),
            said,
        )

    def __bool__(self) -> bool:
        return len(self.shard) > 0

    def positions(self, shard: int) -> Days:
        """Where the names of a shard have the case of each group as it is now; -1 where nowhere."""
        shards = len(self._starts) // 3
        found: Days = np.full(len(self.shard), -1)
        named = 0
        for index in (shards + shard, 2 * shards + shard):
            start, end = self._starts[index], self._starts[index + 1]
            found[start:end] = np.arange(named, named + end - start)
            named += end - start
        return found
