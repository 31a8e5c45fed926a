"""How fresh figures are, as every page and answer says it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from processors.days.calendar import LONDON
from streams.serving.live_figures import Moment
from streams.serving.release_list import ReleaseAccount


@dataclass(frozen=True)
class Freshness:
    """Which view is shown, what it rests on, and whether that is old."""

    asked: date | None
    today: date
    now: datetime
    moment: Moment
    release: ReleaseAccount | None
    stale_after: timedelta

    @property
    def day(self) -> date:
        """The date that figures are for."""
        return self.asked or self.today

    @property
    def view(self) -> str:
        """Which view it is: live, or as at a date."""
        return "live" if self.asked is None else "as-at"

    @property
    def data_to(self) -> datetime | None:
        """The latest event time, in London; None before any event."""
        latest = self.moment.latest
        if latest is None:
            return None
        return datetime.fromtimestamp(latest / 1_000_000, UTC).astimezone(LONDON)

    @property
    def age(self) -> timedelta | None:
        """How long ago the latest event was; None before any event."""
        return None if self.data_to is None else self.now - self.data_to

    @property
    def is_stale(self) -> bool:
        """Whether there was no event for longer than is usual."""
        return self.age is not None and self.age > self.stale_after

    @property
    def ago(self) -> str:
        """How long ago the latest event was, in words."""
        return "no event yet" if self.age is None else ago(self.age)


def ago(age: timedelta) -> str:
    """A time that has passed, in words."""
    if age < timedelta(0):
        return "dated ahead of now"
    minutes = int(age / timedelta(minutes=1))
    if minutes < 1:
        return "less than a minute ago"
    for length, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= length:
            number = minutes // length
            return f"{number:,} {name}{'' if number == 1 else 's'} ago"
    raise AssertionError
