"""What figures are held against: a day, as it is known now, a release, or a moment."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from processors.days.calendar import FIRST_YEAR, LAST_YEAR
from schemas.release import Release
from snapshots.releases.release_failures import Damaged
from streams.serving.freshness import Freshness
from streams.serving.parameters import Query, day_in, within_calendar
from streams.serving.problems import away, wrong_parameter
from streams.serving.release_list import release_list, whole_release
from streams.serving.site import LiveSite

NAMED = re.compile(r"(\d{4}-\d{2})/(\d{1,4})")


@dataclass(frozen=True)
class Against:
    """A day; a release and the day that it is of; or a day as it was known at a moment."""

    name: str
    day: date
    earlier: Release | datetime | None = None


async def held_against(site: LiveSite, asked: Query) -> tuple[Against, Freshness]:
    """What a question's live figures are held against, and how fresh those are. Raises Problem.

    Those held against a release are of its day, and a day is held against one before it.
    """
    against = await _against_asked(site, asked)
    if isinstance(against.earlier, Release):
        asked = replace(asked, values={**asked.values, "as_of": (against.day.isoformat(),)})
    fresh = await site.freshness(asked)
    if against.earlier is None and against.day >= fresh.day:
        raise wrong_parameter("against", f"{against.name} is not before {fresh.day}")
    return against, fresh


async def _against_asked(site: LiveSite, asked: Query) -> Against:
    """What a question holds its figures against: yesterday where it does not say. Raises Problem.

    A release is held against live figures of its own day, and what was known at a moment against
    what is known now of the same day.
    """
    text = asked.one("against")
    if text is None:
        day = (asked.as_of or site.figures.clock.today()) - timedelta(days=1)
        return _of_day(day)
    if "T" in text:
        day = asked.as_of or site.figures.clock.today()
        return Against(text, day, _moment(text, site.figures.clock.now()))
    named = NAMED.fullmatch(text)
    if named is None:
        return _of_day(_day(text))
    found = await asyncio.to_thread(release_list, site.settings.releases)
    listed = found.find(named[1], named[2])
    if listed is None:
        raise wrong_parameter("against", f"there is no release {text}")
    if listed.account.kind == "withdrawn":
        raise wrong_parameter("against", f"{text} is a withdrawal, which has no figures")
    if asked.as_of not in {None, listed.account.as_of}:
        raise wrong_parameter("as_of", f"{text} is of {listed.account.as_of}: leave this out")
    try:
        release = await asyncio.to_thread(whole_release, site.settings.releases, listed)
    except (Damaged, OSError) as error:
        raise away(f"the release cannot be read: {error}") from error
    return Against(text, release.as_of, release)


def _moment(text: str, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        said = "is no moment such as 2015-10-31T09:00:00Z, with an offset"
        raise wrong_parameter("against", f"{text} {said}")
    if not FIRST_YEAR < found.year < LAST_YEAR or found >= now:
        raise wrong_parameter("against", f"{text} is not before now")
    return found.astimezone(UTC)


def _of_day(day: date) -> Against:
    return Against(day.isoformat(), within_calendar("against", day))


def _day(text: str) -> date:
    return day_in(
        "against",
        text,
        ", no moment such as 2015-10-31T09:00:00Z, and no release such as 2015-10/1",
    )
