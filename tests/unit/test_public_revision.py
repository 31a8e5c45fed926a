"""A month released, revised for late and corrected events, and published twice in public."""

import csv
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from typer.testing import CliRunner

from processors.ledger.tables import parts
from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, ALL_AGES
from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.public_record import record_of
from snapshots.disclosure.record_folder import RecordFolder
from snapshots.making.freeze import as_of_period
from snapshots.releases.chain import Sealed
from snapshots.releases.folder import ReleaseFolder
from streams.kafka.eventfiles import read_events
from streams.terminal.commands.publish import publish
from tests.support.attack import Attack, Unknown
from tests.support.disclosing import Sums, pinned, withheld
from tests.support.frozenlogs import FrozenLog, changed_cells
from tests.support.october_events import (
    OCTOBER_EVENTS,
    Fields,
    closures_achieved,
    late_plan,
    line_of,
)
from tests.support.record_topic import RecordTopic

pytestmark = pytest.mark.long

PERIOD = "2015-10"
# Sums tried at random, besides all those that the revision bears on.
TRIED = 40


class Twice(NamedTuple):
    """Two releases of October, what is kept of their public sides, and where they went."""

    releases: tuple[Release, Release]
    public: tuple[PublicRelease, PublicRelease]
    rise: dict[Unknown, int]
    site: Path


def late_and_corrected(events: list[Fields]) -> Iterator[Fields]:
    """A late plan and notification, a corrected closure, and one that was never true."""
    _, plan = late_plan(events)
    yield plan
    born = {"notification_type": "EHN", "district": "Sevenoaks", "date_of_birth": "2013-02-03"}
    new = {"partitionkey": "new", "subject": "new", "type": "notification.received"}
    yield {**new, "id": "late-notification", "data": born}
    corrected, never = closures_achieved(events)[:2]
    yield {**corrected, "revision": 1, "data": {"outcome": "Disengaged"}}
    gone = {key: never[key] for key in ("source", "partitionkey")}
    yield {**gone, "id": "gone", "type": "event.retracted", "data": {"retracts": never["id"]}}


def tables_of(log: FrozenLog) -> Counter[Unknown]:
    """What the log's tables count, by slot, district (or none) and age band."""
    rules, stock = log.rules, log.cut(as_of_period(PERIOD)).stocks[0]
    found: Counter[Unknown] = Counter()
    cells = zip(*(it.tolist() for it in (*parts(stock.cells), stock.amounts)), strict=True)
    for slot, locality, band, amount in cells:
        at = rules.localities.all[locality]
        if at.only is None:
            found[PERIOD, rules.slots[slot], at.district, AGE_BANDS[band]] += amount
    return found


@pytest.fixture(scope="module")
def twice(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    """Both releases, each published in public by the command, the second after the first."""
    with pytest.MonkeyPatch.context() as patch:
        RecordTopic(patch)
        yield published_twice(rules, tmp_path_factory)


def published_twice(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    root = tmp_path_factory.mktemp("revised")
    lines = [line for judged in read_events(OCTOBER_EVENTS) for line in judged.good]
    log = FrozenLog(rules, lines)
    first, before = log.release(PERIOD), tables_of(log)
    publish_in_public(root, first)
    events = [json.loads(line.message[1] or b"") for line in lines]
    log.add(line_of(**event) for event in late_and_corrected(events))
    second = log.release(PERIOD, "revised", [first], "Late events.")
    publish_in_public(root, second)
    one, other = record_of(RecordFolder(root / "releases").texts()).let_out.values()
    after = tables_of(log)
    rise = {it: after[it] - before[it] for it in after.keys() | before.keys()}
    return Twice((first.release, second.release), (one, other), rise, root / "site")


def publish_in_public(root: Path, sealed: Sealed) -> None:
    ReleaseFolder(root / "releases").write(sealed)
    app = typer.Typer()
    app.command()(publish)
    options = ["--period", PERIOD, "--to", str(root / "site"), "--profile", "public"]
    options += ["--accept-narrow", "A. Statistician"]
    environment = {"CASELINE_RELEASES": str(root / "releases")}
    result = CliRunner().invoke(app, [*options, "--formats", "json,csv"], env=environment)
    assert result.exit_code == 0, result.output


def scorecard(twice: Twice, number: int) -> dict[CellKey, dict[str, Any]]:
    path = twice.site / f"{PERIOD}-{number:03}-public/json/scorecard.json"
    found = json.loads(path.read_bytes())
    return {
        CellKey(it["code"], it["area"], it["age_band"], it["level"]): it for it in found["cells"]
    }


@pytest.mark.parametrize("number", [1, 2])
def test_files_say_no_more_than_what_was_cleared(twice: Twice, number: int) -> None:
    cleared = twice.public[number - 1].by_key
    for key, shown in scorecard(twice, number).items():
        if cleared[key].status == "suppressed":
            assert shown["figure"] == {"value": None, "symbol": "c"}
            assert (shown["numerator"], shown["denominator"]) == (None, None)
            assert (shown["direction"], shown["rag"], shown["marks"]) == (None, None, [])
        elif cleared[key].status == "reported":
            assert shown["figure"]["value"] == cleared[key].value
    folder = twice.site / f"{PERIOD}-{number:03}-public/csv"
    with (folder / "early_help_2015_10.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert any("c" in row.values() for row in rows)


def test_what_the_first_release_withheld_the_revision_does_not_show(twice: Twice) -> None:
    one, other = twice.public
    assert changed_cells(twice.releases[1])
    for key, cell in one.by_key.items():
        if cell.status == "suppressed":
            assert other.is_suppressed(key), key


def test_the_log_of_changes_names_no_figure_that_either_withholds_or_that_moved_by_few(
    twice: Twice,
) -> None:
    one, other = twice.public
    path = twice.site / f"{PERIOD}-002-public/json/scorecard.json"
    *_, last = json.loads(path.read_bytes())["releases"]
    shown = {
        key
        for key in changed_cells(twice.releases[1])
        if not (one.is_suppressed(key) or other.is_suppressed(key))
    }
    assert CellKey("EH15", "Kent", ALL_AGES) in shown
    assert shown < changed_cells(twice.releases[1])
    # A handful of late events: each figure moved by few.
    assert last["changes"] == []
    assert last["unlisted"] == len(shown)
    assert other.changes == ()


def test_whoever_has_both_and_knows_all_that_changed_works_out_nothing_withheld(
    twice: Twice,
) -> None:
    """A change of what is known to have changed is itself known; the counts must not be."""
    before, after = twice.releases
    attack = Attack(after.indicators, after.areas, after.age_bands)
    attack.read(twice.public[0], twice.rise)
    attack.read(twice.public[1])
    attack.know_definitions(PERIOD)
    moved = {slot for (_, slot, _, _), by in twice.rise.items() if by}
    for release, public in zip((before, after), twice.public, strict=True):
        sums = withheld(release, public)
        assert len(sums) > 500
        assert pinned(attack, PERIOD, chosen(sums, twice, moved)) == []


def chosen(sums: Sums, twice: Twice, moved: set[str]) -> Sums:
    """Those whose own cell changed, and as many at random of those in the same tables."""
    changed = changed_cells(twice.releases[1])
    near = [it for it in sums if it[0] in changed]
    others = [it for it in sums if it[0] not in changed and moved & it[1].keys()]
    return near + random.Random(2015).sample(others, TRIED)


def test_without_care_for_the_first_release_the_revision_would_be_no_secret(twice: Twice) -> None:
    """The attack is able to find something: with every cell shown once, all is known."""
    before, after = twice.releases
    attack = Attack(after.indicators, after.areas, after.age_bands)
    shown = twice.public[0].model_copy(
        update={
            "cells": tuple(
                it.model_copy(update={"numerator": was.numerator, "status": "reported"})
                for it, was in zip(twice.public[0].cells, before.cells, strict=True)
            )
        }
    )
    attack.read(shown, twice.rise)
    attack.read(twice.public[1])
    sums = [it for it in withheld(after, twice.public[1]) if it[0][0] == "EH04"]
    assert len(pinned(attack, PERIOD, sums)) == len(sums) > 10
