"""Targets: by indicator, place and year, monthly or yearly, and what they make of the scorecard."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import Catalogue, DeclaredTarget, load_catalogue
from schemas.places import load_places
from schemas.scorecard import ScorecardRow
from streams.cli import app
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from tests.support.printed import june_2017, place_of

SUPPLIED = {"area": "Imago", "age_band": "all", "status": "supplied", "provenance": "a return"}


def event(number: int, kind: str, key: str, day: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "urn:targets",
        "type": kind,
        "subject": "s",
        "partitionkey": key,
        "time": f"{day}T09:00:00Z",
        "data": data,
    }


def written(folder: Path, *events: dict[str, Any]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(it) + "\n" for it in events), "utf-8")
    return path


def target(number: int, **data: Any) -> dict[str, Any]:
    return event(number, "target.set", "CEH21", f"2015-01-{number:02}", code="CEH21", **data)


def supplied(number: int, period: str, value: float) -> dict[str, Any]:
    data = {"code": "CEH21", "period": period, "value": value, **SUPPLIED}
    return event(number, "measure.supplied", "Imago", f"{period}-20", **data)


def rows(path: Path, day: date, *declared: DeclaredTarget) -> dict[tuple[str, str], ScorecardRow]:
    catalogue = load_catalogue().model_copy(update={"target": declared})
    replay = Replay(Rules(catalogue, load_areas(), places=load_places()))
    for judged in read_events(path):
        assert judged.bad == []
        replay.add(judged.good)
    return {(it.code, it.area): it for it in replay.rows(day, ["provider"])}


def test_a_row_has_the_target_of_its_place_and_year_and_is_rated_against_it(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        target(1, area="Imago", year=2016, target=90),
        target(2, area="Imago", year=2017, target=70),
        target(3, year=2017, target=10),
        supplied(4, "2017-05", 50),
        supplied(5, "2017-06", 62.5),
    )
    row = rows(path, date(2017, 6, 30))["CEH21", "Imago"]
    assert (row.target, row.rag, row.direction) == (70, "Amber", "better")
    assert rows(path, date(2018, 6, 30))["CEH21", "Imago"].target is None


@pytest.mark.parametrize(("monthly", "rag"), [(60, "Green"), (None, "Amber"), (80, "Red")])
def test_a_declared_target_of_the_month_is_what_a_row_is_rated_against(
    tmp_path: Path, monthly: float | None, rag: str
) -> None:
    declared = DeclaredTarget(
        code="CEH21", places=("Imago",), year=2017, target=70.0, monthly=monthly
    )
    path = written(tmp_path, supplied(2, "2017-06", 62.5))
    row = rows(path, date(2017, 6, 30), declared)["CEH21", "Imago"]
    assert row.rag == rag
    assert row.target == (monthly or 70)


def test_a_target_that_is_set_replaces_the_declared_one(tmp_path: Path) -> None:
    declared = DeclaredTarget(code="CEH21", places=("Imago",), year=2017, target=70.0, monthly=80.0)
    path = written(tmp_path, target(1, area="Imago", year=2017, target=50))
    assert rows(path, date(2017, 6, 30), declared)["CEH21", "Imago"].target == 50


def test_targets_of_several_years_are_shown_at_once_and_the_one_set_last_counts(
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path,
        target(1, year=2015, target=80),
        target(2, year=2016, target=83, amber=80),
        target(3, year=2015, target=81),
    )
    asked = ["targets", "--file", str(path), "--place", "Kent"]
    run = CliRunner().invoke(app, [*asked, "--format", "csv"])
    assert run.exit_code == 0
    assert run.stdout.splitlines() == [
        "code,place,year,target,monthly,amber",
        "CEH21,Kent,2015,81.0,,",
        "CEH21,Kent,2016,83.0,,80.0",
    ]
    table = CliRunner().invoke(app, asked)
    assert re.search(r"CEH21 +Kent +81 +83", table.stdout)


def refused(change: str, by: str) -> str:
    """Why the shipped catalogue with a text in its place for another is none."""
    shipped = load_catalogue().model_dump_json(by_alias=True)
    assert change in shipped
    with pytest.raises(ValueError, match="scheme") as caught:
        Catalogue.model_validate_json(shipped.replace(change, by, 1))
    return str(caught.value)


def test_a_scheme_of_what_is_not_in_the_catalogue_is_refused_by_name() -> None:
    assert "has no Youth clubs" in refused('"Youth hubs"]', '"Youth clubs"]')
    assert "has no CEH00" in refused('["CEH10",', '["CEH00",')
    assert "family in two schemes: Social care" in refused('"Youth hubs"]', '"Social care"]')
    assert "names CEH70 twice" in refused('["CEH10",', '["CEH70",')


def test_every_target_printed_in_june_2017_is_declared_for_its_place() -> None:
    declared = {
        (it.code, place): (it.monthly, it.target)
        for it in load_catalogue().target
        for place in it.places
    }
    printed = {
        (row.code, place_of(row.block)): (
            float(row.targets[0]) if len(row.targets) > 1 else None,
            float(row.targets[-1]),
        )
        for row in june_2017()
        if row.targets
    }
    assert declared == printed
    assert len(printed) > 700
