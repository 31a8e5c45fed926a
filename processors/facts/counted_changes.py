"""What a change of a record's events changes of what it adds as a person, or as sessions.

Each session counts on its own, and an attendance or an outcome only for some months. So only what
counts in the same months is looked at: all else is the same before and after, and cancels out.
"""

from collections.abc import Iterable
from typing import NamedTuple

from processors.facts.counting import Counted, Counting
from processors.record.decoding import Event
from processors.record.personal import Personal, is_passing, is_session


class CountedChange(NamedTuple):
    """What was counted that may have changed, and what is now; `whole` is all of it, if known."""

    before: tuple[Counted, ...]
    now: tuple[Counted, ...]
    whole: tuple[Counted, ...] | None


def counted_change(
    counting: Counting, personal: Personal, whole: tuple[Counted, ...] | None
) -> CountedChange:
    """The change since the record's events were looked at last; `whole` is what was counted then.

    None where that is not known.
    """
    before = [event for event in personal.was.values() if event]
    now = [event for identity in personal.was if (event := personal.get(identity))]
    of_people = [event for event in (*before, *now) if not is_session(event)]
    if not all(map(is_passing, of_people)) or (of_people and not counting.is_passing):
        if whole is None:
            whole = counting.counted(_earlier(personal, personal.events))
        after = counting.counted(personal.events)
        return CountedChange(whole, after, after)
    around = personal.around({event.day for event in of_people}, counting.reach).values()
    earlier = _earlier(personal, around) if of_people else filter(is_session, before)
    later = [*around, *filter(is_session, now)] if of_people else now
    return CountedChange(counting.counted(earlier), counting.counted(later), None)


def _earlier(personal: Personal, events: Iterable[Event]) -> list[Event]:
    """Events as they were, of which those that changed are now otherwise."""
    was = personal.was
    same = [event for event in events if (event.source, event.id) not in was]
    return [*same, *(event for event in was.values() if event)]
