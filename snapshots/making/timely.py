"""When a release may be made: official figures once the month is over, dated as they are made."""

from datetime import date, timedelta

from schemas.release import ReleaseKind
from snapshots.making.freeze import as_of_period
from snapshots.releases.release_failures import NotAllowed

# How long before the day that it is made for a release may be made.
LONGEST_AHEAD = timedelta(days=92)


def check_timely(period: str, kind: ReleaseKind, released_on: date, today: date) -> None:
    """Raises NotAllowed for a release that must not be made today.

    1. Of a month that has not begun there is nothing to release.
    2. Before a month is over its figures can only be provisional, and are marked so.
    3. A release is dated the day that it is made, or one soon after, and never one before.
    """
    if today < date.fromisoformat(f"{period}-01"):
        raise NotAllowed(f"{period} has not begun: today is {today}")
    if kind != "provisional" and today <= as_of_period(period):
        raise NotAllowed(
            f"{period} is not over until the end of {as_of_period(period)}, and today is {today}: "
            "until then only a provisional release can be made (--kind provisional)"
        )
    if not today <= released_on <= today + LONGEST_AHEAD:
        raise NotAllowed(
            f"a release made today is released on {today}, or within {LONGEST_AHEAD.days} days "
            f"after it, and not on {released_on}"
        )
