"""Releases: which there are, the figures of one beside live, and the files of its publication."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from processors.figures.figure_text import value_text
from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.outward import csv_text
from schemas.release import Change, Release, ReleaseCell
from snapshots.checking.differences import differences
from snapshots.making.freeze import released_cells
from snapshots.publish.text.wording import Profile, month_before
from snapshots.releases.release_failures import Damaged
from streams.failures import described
from streams.serving.answers import (
    Answer,
    accepted,
    attached,
    is_held,
    tag_of,
    unchanged,
    whole,
)
from streams.serving.data_answers import as_json, told_of
from streams.serving.live_figures import Moment
from streams.serving.problems import Problem, away, wrong_parameter
from streams.serving.publications import published_files
from streams.serving.release_list import ListedRelease, ReleaseList, release_list, whole_release
from streams.serving.roles import CSV, HTML, PUBLISH
from streams.serving.site import Call, LiveSite
from streams.serving.task_book import TaskEntry

PUBLIC: Profile = "public"
INTERNAL: Profile = "internal"
LIST_COLUMNS = ("period", "number", "kind", "as_of", "released_on", "stands")
# For who sees all figures: a reason may tell of one, and a hash tells whether a guess is right.
MORE_COLUMNS = ("sha256", "author", "reason")
DIFFERENCE_COLUMNS = (
    *("code", "area", "level", "age_band", "released", "live", "by"),
    *("released_numerator", "live_numerator", "released_denominator", "live_denominator"),
    "causes",
)
# What `show` asks for.
CAUSES = "causes"


@dataclass(frozen=True)
class Beside:
    """A released figure beside the live one; None where there is none of them."""

    released: ReleaseCell | None
    live: ReleaseCell | None
    causes: tuple[str, ...] = ()

    @property
    def cell(self) -> ReleaseCell:
        """The cell, as it was released if it was."""
        cell = self.released or self.live
        assert cell is not None
        return cell

    @property
    def by(self) -> float | None:
        """How much more it is live, to one decimal as figures are."""
        before, after = _value(self.released), _value(self.live)
        return None if before is None or after is None else round(after - before, 1)

    @property
    def row(self) -> tuple[object, ...]:
        """It in DIFFERENCE_COLUMNS."""
        cell, both = self.cell, (self.released, self.live)
        parts = (getattr(it, name, None) for name in ("numerator", "denominator") for it in both)
        where = cell.code, cell.area, cell.level, cell.age_band
        causes = "; ".join(self.causes)
        return *where, _value(self.released), _value(self.live), self.by, *parts, causes


async def releases(site: LiveSite, call: Call) -> Answer:
    """The releases of every month, the latest month first; who made one and why is for some."""
    taking, asked = call.taking, call.asked
    fresh = await site.freshness(asked)
    found = await _list(site, call)
    tasks = await _tasks(site, call)
    tag = site.tag(fresh, call, found, tasks)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    says_why = call.identity.sees_all
    if taking.media == HTML:
        text = site.page(
            "releases.html",
            call,
            call.identity,
            fresh=fresh,
            found=found,
            says_why=says_why,
            tasks=tasks,
            month_before=_month_before(fresh.today),
            live_address="/releases",
        )
        return whole(text, taking, tag)
    columns = (*LIST_COLUMNS, *(MORE_COLUMNS if says_why else ()))
    told = [_told(it) for it in found.releases]
    if taking.media == CSV:
        told = [{**row, "stands": "yes" if row["stands"] else "no"} for row in told]
        return whole(
            csv_text([columns, *([row[name] for name in columns] for row in told)]), taking, tag
        )
    rows = [{name: row[name] for name in columns} for row in told]
    return whole(as_json({"releases": rows, "troubles": found.troubles}), taking, tag)


async def _tasks(site: LiveSite, call: Call) -> list[TaskEntry] | None:
    """The latest tasks on releases, for who may have some done. Raises Problem."""
    if call.identity.roles.isdisjoint(PUBLISH):
        return None
    try:
        return await site.desk.book.entries()
    except RedisError as error:
        raise away(f"Redis does not answer: {described(error)}") from error


def _month_before(today: date) -> str:
    return month_before(f"{today:%Y-%m}", 1)


def _told(it: ListedRelease) -> dict[str, Any]:
    account = it.account
    return {
        "period": account.period,
        "number": account.number,
        "kind": account.kind,
        "as_of": account.as_of.isoformat(),
        "released_on": account.released_on.isoformat(),
        "stands": it.stands,
        "sha256": it.sha256,
        "author": account.author,
        "reason": account.reason,
    }


async def release_page(site: LiveSite, call: Call) -> Answer:
    """A release: its files, and for who sees all figures those of a place beside live, and why."""
    taking, asked = call.taking, call.asked
    listed = await _listed(site, call)
    _check_show(call)
    fresh = await site.freshness(asked)
    files = {
        profile: await asyncio.to_thread(_files, site, listed, profile)
        for profile in _profiles(call)
    }
    has_figures = call.identity.sees_all and listed.account.kind != "withdrawn"
    moment = await site.figures.moment(listed.account.as_of) if has_figures else fresh.moment
    tag = site.tag(fresh, call, listed, moment.version, {name: [*it] for name, it in files.items()})
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    figures = await _figures(site, call, listed, moment) if has_figures else None
    text = site.page(
        "release.html",
        call,
        call.identity,
        fresh=fresh,
        listed=listed,
        files=files,
        figures=figures,
        publishes=not call.identity.roles.isdisjoint(PUBLISH),
        has_folder=site.settings.public_folder is not None,
        has_internal_folder=site.settings.internal_folder is not None,
        live_address=listed.address,
    )
    return whole(text, taking, tag)


def _profiles(call: Call) -> tuple[Profile, ...]:
    return (PUBLIC, INTERNAL) if call.identity.sees_all else (PUBLIC,)


@dataclass(frozen=True)
class FigureLine:
    """A figure of the chosen place: as released, live, and whether they differ."""

    code: str
    title: str
    released: str
    live: str
    by: str
    differs: bool
    causes: str


@dataclass(frozen=True)
class ChangeLine:
    """A figure that differs from the release before, and how many events of each type did it."""

    code: str
    band: str
    before: str
    after: str
    causes: list[str]


@dataclass(frozen=True)
class ReleaseFigures:
    """What a page shows of a release's figures: those of one place, for all ages."""

    place: str
    places: list[str]
    lines: list[FigureLine]
    differing: int
    of: int
    changes: list[ChangeLine]
    changed: int
    is_explained: bool
    left_out: str


async def _figures(
    site: LiveSite, call: Call, listed: ListedRelease, moment: Moment
) -> ReleaseFigures:
    """A place's figures as released and live, and what changed since the release before."""
    release = await _whole(site, listed)
    live = await _live(site, release, moment)
    found = [*differences(release.cells, live)]
    differing = {it.cell.key for it in found if it.is_of_the_figure}
    places = list(dict.fromkeys(it.area for it in release.cells))
    place = call.asked.single("place") or (places or [""])[0]
    if places and place not in places:
        raise wrong_parameter("place", f"{place}: there are {', '.join(places)}")
    why = await _why(site, call, release)
    indicators = {it.code: it for it in release.indicators}
    now = {it.key: it for it in live}
    lines = []
    for cell in release.cells:
        if cell.area != place or cell.age_band != ALL_AGES or cell.status == "not-at-this-level":
            continue
        indicator, it = indicators[cell.code], Beside(cell, now.get(cell.key))
        lines.append(
            FigureLine(
                code=cell.code,
                title=indicator.title,
                released=value_text(indicator, cell.value),
                live=value_text(indicator, _value(it.live)),
                by=f"{it.by:+,g}" if it.by else "",
                differs=cell.key in differing,
                causes=", ".join(why.of(cell)),
            )
        )
    own = [it for it in release.changes if it.area == place]
    changes = [
        ChangeLine(
            code=it.code,
            band=it.age_band,
            before=value_text(indicators[it.code], it.before),
            after=value_text(indicators[it.code], it.after),
            causes=_causes(it),
        )
        for it in own
        if it.code in indicators
    ]
    return ReleaseFigures(
        *(place, places, lines, len(differing), len(release.cells)),
        *(changes, len(release.changes), call.asked.one("show") == CAUSES, why.left_out),
    )


@dataclass(frozen=True)
class Why:
    """How many events of each type are behind figures that are not as released, where asked for."""

    causes: Mapping[CellKey, tuple[str, ...]]
    left_out: str = ""

    def of(self, cell: ReleaseCell) -> tuple[str, ...]:
        """Those behind a cell."""
        return self.causes.get(cell.key, ())


def _check_show(call: Call) -> None:
    """Raises Problem for what cannot be shown, or not to who asks."""
    shown = call.asked.one("show")
    if shown not in {None, CAUSES}:
        raise wrong_parameter("show", f"{shown}: there is {CAUSES}")
    if shown and not call.identity.sees_all:
        raise Problem(HTTPStatus.FORBIDDEN, "why figures differ is for analysts and publishers")


async def _why(site: LiveSite, call: Call, release: Release) -> Why:
    """The causes, where they are asked for: then the log is gone through. Raises Problem."""
    if call.asked.one("show") != CAUSES:
        return Why({})
    found = await site.figures.changes_since(release)
    return Why({it.key: tuple(_causes(it)) for it in found.changes}, found.left_out)


def _causes(change: Change) -> list[str]:
    """How many events of each type are behind a change; none of them is named."""
    counts = Counter(it.type for it in change.causes)
    more = [f"{change.more_causes:,} more"] if change.more_causes else []
    return [*(f"{number:,} {name}" for name, number in counts.items()), *more]


async def beside_live(site: LiveSite, call: Call) -> Answer:
    """Every figure of a release that is not the same live, as JSON or CSV."""
    taking = call.taking
    listed = await _listed(site, call)
    if listed.account.kind == "withdrawn":
        raise Problem(HTTPStatus.NOT_FOUND, "a withdrawal has no figures to compare with")
    _check_show(call)
    fresh = await site.freshness(call.asked)
    moment = await site.figures.moment(listed.account.as_of)
    tag = site.tag(fresh, call, listed, moment.version)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    release = await _whole(site, listed)
    found = differences(release.cells, await _live(site, release, moment))
    why = await _why(site, call, release)
    rows = [Beside(it.before, it.after, why.of(it.cell)).row for it in found if it.is_of_the_figure]
    if taking.media == CSV:
        return whole(csv_text([DIFFERENCE_COLUMNS, *rows]), taking, tag)
    named = [dict(zip(DIFFERENCE_COLUMNS, row, strict=True)) for row in rows]
    told = {
        **told_of(fresh),
        "release": _told(listed),
        "cells": len(release.cells),
        "causes_left_out": why.left_out or None,
    }
    return whole(as_json({**told, "differences": named}), taking, tag)


async def _live(site: LiveSite, release: Release, moment: Moment) -> list[ReleaseCell]:
    """The release's cells as they are live for its date."""
    scorecard = await site.figures.scorecard(release.as_of, moment)
    keys = {it.key for it in release.cells}
    return [it for it in released_cells(site.rules, scorecard.rows) if it.key in keys]


def _value(cell: ReleaseCell | None) -> float | None:
    return cell.value if cell else None


async def public_file(site: LiveSite, call: Call) -> Answer:
    """A file of what was published of a release. Raises Problem."""
    return await _file(site, call, PUBLIC)


async def internal_file(site: LiveSite, call: Call) -> Answer:
    """A file of a release for the council itself. Raises Problem."""
    return await _file(site, call, INTERNAL)


async def _file(site: LiveSite, call: Call, profile: Profile) -> Answer:
    listed = await _listed(site, call)
    files = await asyncio.to_thread(_files, site, listed, profile)
    if call.path["file"] not in files:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such file of that release")
    path, media = files[call.path["file"]]
    taking = accepted((media,), call.accept, call.encodings)
    try:
        body = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise away("the file is being replaced") from error
    tag = tag_of(body, taking)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    return attached(body, media, path.name, tag)


def _files(site: LiveSite, listed: ListedRelease, profile: Profile) -> dict[str, tuple[Path, str]]:
    settings, account = site.settings, listed.account
    folder = {PUBLIC: settings.public_folder, INTERNAL: settings.internal_folder}[profile]
    return published_files(folder, account.period, account.number, profile)


async def _list(site: LiveSite, call: Call) -> ReleaseList:
    """The releases there are, with their hashes for who sees all that these are of."""
    found = await asyncio.to_thread(release_list, site.settings.releases)
    if call.identity.sees_all:
        return found
    return ReleaseList([replace(it, sha256="") for it in found.releases], found.troubles)


async def _listed(site: LiveSite, call: Call) -> ListedRelease:
    """The release that an address names, of those there are. Raises Problem."""
    found = (await _list(site, call)).find(str(call.path["period"]), str(call.path["number"]))
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such release")
    return found


async def _whole(site: LiveSite, listed: ListedRelease) -> Release:
    try:
        return await asyncio.to_thread(whole_release, site.settings.releases, listed)
    except (Damaged, OSError) as error:
        raise away(f"the release cannot be read: {error}") from error
