"""Releases to publish: the months to October 2015 as the shipped events give them."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import BANDS, Catalogue, load_catalogue
from schemas.release import (
    FORMAT,
    Cause,
    Change,
    Commentary,
    Position,
    Rag,
    Release,
    ReleaseCell,
    ReleaseKind,
)
from schemas.scorecard import ScorecardRow
from snapshots.publish.text.wording import long_date
from snapshots.recount.days import bank_holidays
from snapshots.releases.chain import seal
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from tests.support.releases import released

EVENTS = Path("streams/october/events.jsonl.gz")
MONTHS = ("2015-04", "2015-05", "2015-06", "2015-07", "2015-08", "2015-09", "2015-10")
# Made up: the publication of October 2015 has no targets that this catalogue carries.
TARGETS = {"EH09": 20.0, "EH14": 80.0, "EH16": 75.0, "EH18": 10.0}
TOLERANCE = 5.0
LATE = Cause(
    topic="case-events",
    partition=3,
    offset=4711,
    source="/kent/early-help",
    id="late-closure-1",
    revision=1,
    type="case.closed",
    subject="case-0042",
)
NOTES = (
    Commentary(
        code=None,
        area="Kent",
        author_role="Head of Early Help",
        text="Notifications rose after the summer, as they do every autumn, and units closed "
        "more cases than in September.",
    ),
    Commentary(
        code="EH14",
        area="Kent",
        author_role="Performance manager",
        text="Districts are reviewing every case that has been open for longer than 20 weeks.",
    ),
    Commentary(
        code=None,
        area="Thanet",
        author_role="District manager",
        text="Thanet <b>&</b> its partners met many families at the autumn open day.",
    ),
)


def october() -> Release:
    """The first release of October 2015, with targets, ratings and commentary."""
    return release("2015-10")


def earlier_months() -> list[Release]:
    """The first releases of April to September 2015."""
    return [release(month) for month in MONTHS[:-1]]


def only(release: Release, *codes: str) -> Release:
    """A release of some of its indicators, which takes less time to protect than of all."""
    indicators = tuple(it for it in release.indicators if it.code in codes)
    cells = tuple(it for it in release.cells if it.code in codes)
    return release.model_copy(update={"indicators": indicators, "cells": cells})


@cache
def later(kind: ReleaseKind = "revised") -> Release:
    """A second release of October in which two cells changed, for a late closure."""
    first = october()
    changed = {("EH15", "Kent", "all"), ("EH15", "Dartford", "all")}
    cells = tuple(
        _one_more(cell) if (cell.code, cell.area, cell.age_band) in changed else cell
        for cell in first.cells
    )
    return first.model_copy(
        update={
            "number": 2,
            "kind": kind,
            "released_on": date(2015, 12, 7),
            "reason": "A closure of 29 October was entered in November.",
            "previous_release": seal(first).sha256,
            "cells": cells,
            "changes": tuple(_changes(first.cells, cells)),
        }
    )


def _one_more(cell: ReleaseCell) -> ReleaseCell:
    value = cell.counted[0] + 1
    return cell.model_copy(update={"numerator": value, "denominator": value, "value": value})


def _changes(before: tuple[ReleaseCell, ...], after: tuple[ReleaseCell, ...]) -> Iterator[Change]:
    for old, new in zip(before, after, strict=True):
        if old != new:
            yield Change(
                code=new.code,
                area=new.area,
                age_band=new.age_band,
                before=old.value,
                after=new.value,
                causes=(LATE,),
            )


@cache
def release(month: str) -> Release:
    """The first release of a month from April to October 2015."""
    as_of = _month_end(month)
    rules, replay = _replayed()
    return Release(
        format=FORMAT,
        period=month,
        number=1,
        kind="first",
        as_of=as_of,
        released_on=date(as_of.year, as_of.month + 1, 12),
        author="Performance team",
        reason=f"Month-end of {long_date(as_of)}.",
        previous_release=None,
        catalogue_version=rules.catalogue.version,
        calendar_version="holidays 0.109",
        direction_scheme=rules.catalogue.direction,
        indicators=rules.catalogue.indicator,
        areas=rules.areas,
        age_bands=tuple(BANDS),
        cut=tuple(
            Position(topic="case-events", partition=partition, offset=offset)
            for partition, offset in zip(range(4), count(5000, 13), strict=False)
        ),
        cells=tuple(_cell(row) for row in replay.rows(as_of)),
        commentary=NOTES,
        quality={"before-notification": 3, "no-notification": 0, "step-up-not-closed": 12},
        changes=(),
        measures=rules.catalogue.measure,
        bank_holidays=bank_holidays(as_of),
    )


def _month_end(month: str) -> date:
    first = date.fromisoformat(f"{month}-01")
    return first.replace(day=monthrange(first.year, first.month)[1])


def _cell(row: ScorecardRow) -> ReleaseCell:
    target = TARGETS.get(row.code)
    return released(row, target, _rag(row, target))


def _rag(row: ScorecardRow, target: float | None) -> Rag | None:
    if target is None or row.value is None:
        return None
    short = (row.value - target) if row.code == "EH18" else (target - row.value)
    return "Green" if short <= 0 else "Amber" if short <= TOLERANCE else "Red"


def first_twenty() -> Catalogue:
    """EH01 to EH20 alone, compared and rated in one way: enough for most of what pages do."""
    shipped = load_catalogue()
    chosen = [
        it.model_copy(update={"released": at < 20}) for at, it in enumerate(shipped.indicator)
    ]
    bare = shipped.model_copy(update={"indicator": tuple(chosen), "scheme": (), "target": ()})
    return bare.released


@cache
def _replayed() -> tuple[Rules, Replay]:
    rules = Rules(first_twenty(), load_areas())
    replay = Replay(rules)
    for judged in read_events(EVENTS):
        replay.add(judged.good)
    return rules, replay
