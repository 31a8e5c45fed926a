"""Whose events need be kept no longer: all of theirs is over, and has been since before a day."""

from collections.abc import Iterable

from processors.record.decoding import Event, in_order

# What begins and ends something of a child's, and what that is.
BEGINS = {
    "notification.received": "case",
    "case.allocated": "case",
    "case.reopened": "case",
    "scs.opened": "scs",
    "registration.recorded": "registration",
}
ENDS = {"case.closed": "case", "scs.closed": "scs", "registration.ended": "registration"}


def is_over(events: Iterable[Event], before: int) -> bool:
    """Whether a child with these events, those that count, is over since before a day's number.

    They have a case; of each case, and of what they have in social care and of registrations, the
    last that begins or ends it ends it; and nothing of theirs is of that day or later, known in
    advance or not. So what has no end that is known is kept, and so is what is no child's.
    """
    has_case, stands = False, dict[tuple[str, str], bool]()
    for event in in_order(events):
        if event.day >= before:
            return False
        if begun := BEGINS.get(event.type):
            stands[begun, event.subject] = True
            has_case = has_case or begun == "case"
        elif ended := ENDS.get(event.type):
            stands[ended, event.subject] = False
            has_case = has_case or ended == "case"
    return has_case and not any(stands.values())
