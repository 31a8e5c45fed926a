"""Alerts on cases: what was told of each, and how what is true differs from it.

What is true of a day follows from the facts alone (processors.alerts.deadlines). What was told is
kept with the child's record, so that each change is told once however often it is worked out.
"""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from processors.alerts.deadlines import Spans
from processors.alerts.told import Alert
from processors.days.calendar import NEVER, Days
from processors.facts.columns import Columns
from schemas.alerts import AlertState, Reason


class Told(NamedTuple):
    """A change to be told of a child's alert, and the state that it was in before, if any."""

    child: str
    alert: Alert
    before: AlertState | None


@dataclass(slots=True)
class Run:
    """Spans of one alert that follow one another: a case moved within its service is one wait."""

    begin: int
    due: int
    breach: int
    end: int
    ended: int
    area: int

    def on(self, day: int) -> tuple[AlertState, int]:
        """The state on a day that is not before it begins, and since when."""
        if day >= self.end:
            return "resolved", self.end
        if day >= self.breach:
            return "breached", max(self.begin, self.breach)
        return "due-soon", self.begin

    def next_after(self, day: int) -> int:
        """The first later day on which the state changes, NEVER if on none."""
        found = NEVER
        for edge in (self.begin, self.breach, self.end):
            if day < edge <= self.end and edge < found:
                found = edge
        return found


def runs_by_case(
    found: Spans, rows: Columns, position: Days
) -> dict[int, dict[tuple[int, int], list[Run]]]:
    """Runs by the position of each group, left out where below 0, then by (standard, episode)."""
    group = position[rows.group[found.row]]
    kept = np.flatnonzero(group >= 0)
    row = found.row[kept]
    columns = (
        group[kept],
        found.standard[kept],
        rows.episode[row],
        found.begin[kept],
        found.due[kept],
        found.breach[kept],
        found.end[kept],
        found.ended[kept],
        rows.district[row],
    )
    runs: dict[int, dict[tuple[int, int], list[Run]]] = {}
    for case, standard, episode, *parts in zip(*(it.tolist() for it in columns), strict=True):
        of_alert = runs.setdefault(case, {}).setdefault((standard, episode), [])
        run = Run(*parts)
        if of_alert and of_alert[-1].end == run.begin:
            of_alert[-1].end, of_alert[-1].ended = run.end, run.ended
        else:
            of_alert.append(run)
    return runs


def succeed(told: Alert | None, now: Alert, at: float = 0.0) -> Alert | None:
    """The alert to be told in place of the one told before; None when it says nothing new.

    `at` is the time now, in seconds from 1970; 0 where that is not known.
    """
    if told is None:
        return msgspec.structs.replace(now, stand=1, stand_at=at)
    if told.state == now.state and told.content == now.content:
        return None
    version, stand, stand_at = told.version + 1, told.stand or told.version, told.stand_at
    if told.standing != now.standing:
        stand, stand_at = version, at
    return msgspec.structs.replace(
        now,
        version=version,
        historic=told.historic and now.historic,
        stand=stand,
        stand_at=stand_at,
    )


def is_raised(told: Alert | None, now: Alert) -> bool:
    """Whether a change raises an alert: makes it active, or breached when it was not."""
    if not now.is_active:
        return False
    return told is None or not told.is_active or (told.state, now.state) == ("due-soon", "breached")


def end(told: Alert, reason: Reason, day: int, at: float = 0.0) -> Alert | None:
    """The alert, made void because it no longer follows from the facts; None if nothing changes.

    That a standard is withdrawn makes nothing of what is over untrue.
    """
    if reason == "withdrawn" and not told.is_active:
        return None
    version = told.version + 1
    return msgspec.structs.replace(
        told,
        version=version,
        state="resolved",
        since=day,
        reason=reason,
        is_void=True,
        stand=version if told.is_active else told.stand,
        stand_at=at if told.is_active else told.stand_at,
    )
