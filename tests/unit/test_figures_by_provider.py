"""Figures by provider in metrics, alerts and forecasts, and by family in tables."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from processors.figures.rating import YearTarget
from processors.places.forecast import forecast
from processors.places.indicator_places import figures
from processors.places.sums import WatchedPlace, WatchedPlaces
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.places import PROVIDER, load_places
from schemas.scorecard import ScorecardRow
from schemas.standards import IndicatorStandard, load_standards
from streams.cli import app
from streams.jobs.replay import Replay
from streams.metrics.families import MOST_PROVIDERS, Found
from streams.terminal.tables.scorecards import as_tables
from tests.support.south_east import south_east_areas
from tests.support.strategies import line_of

TODAY = date(2017, 6, 30)


def standard(code: str) -> IndicatorStandard:
    return IndicatorStandard(
        code=f"about-{code.lower()}",
        title=code,
        indicator=code,
        target=80.0,
        at_risk_within=0.0,
        clear_by=0.0,
        least_denominator=1,
        severity="warning",
    )


@pytest.fixture(scope="module")
def watching() -> Rules:
    """Standards that name no provider, on an indicator of areas and one of providers as well."""
    catalogue = load_catalogue()
    shipped = load_standards(catalogue)
    standards = shipped.model_copy(
        update={"indicator_standard": (standard("EH14"), standard("CEH12"))}
    )
    listed = load_places().model_copy(update={"site": ()})
    return Rules(catalogue, south_east_areas(), standards, listed)


def event(number: int, kind: str, child: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "urn:provider",
        "type": kind,
        "subject": child,
        "partitionkey": child,
        "time": "2017-06-01T09:00:00Z",
        "data": data,
    }


def held_by(*providers: str) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(providers):
        child = f"child {number}"
        yield event(0, "notification.received", child, notification_type="EHN")
        yield event(1, "case.allocated", child, service="family-support", provider=name)


def replay_of(rules: Rules, *providers: str) -> Replay:
    replay = Replay(rules)
    replay.add([line_of(it) for it in held_by(*providers)])
    return replay


def test_providers_that_hold_cases_are_watched_and_forecast_and_no_other(
    watching: Rules,
) -> None:
    stock = replay_of(watching, "Zeta", "Salus").as_of(TODAY).stock
    providers = [place.provider for place in WatchedPlaces(watching, stock).all if place.provider]
    assert providers == ["Salus", "Zeta"]
    rows = forecast(watching, stock, [])
    assert {it.provider for it in rows} == {None, *providers}


def test_a_provider_is_held_to_its_own_target_where_the_indicator_is_of_providers(
    watching: Rules,
) -> None:
    stock = replay_of(watching, "Zeta").as_of(TODAY).stock
    found = list(figures(watching, stock, {("CEH12", "Zeta"): YearTarget(7.0, None)}))
    zeta = WatchedPlace(watching.areas.top, "Zeta")
    assert {it.indicator.code: it.target for it in found if it.place == zeta} == {"CEH12": 7.0}
    assert all(it.place.provider is None for it in found if it.indicator.code == "EH14")


def rows_of(rules: Rules, *providers: str) -> list[ScorecardRow]:
    levels = [*rules.areas.levels, PROVIDER]
    return replay_of(rules, *providers).rows(TODAY, levels)


def samples(rules: Rules, *providers: str) -> dict[tuple[str, ...], float]:
    found = Found()
    found.add_rows(rules, rows_of(rules, *providers))
    return {
        (it.name, *it.labels.values()): it.value
        for family in found.families
        for it in family.samples
    }


def test_metrics_have_each_provider_as_a_whole_under_names_of_their_own(watching: Rules) -> None:
    found = samples(watching, "Zeta", "Zeta")
    assert found["caseline_place_value", "CEH04", PROVIDER, "Zeta"] == 2
    assert found["caseline_place_ratio", "CEH12", PROVIDER, "Zeta"] == 0
    assert found["caseline_indicator_value", "CEH04", watching.areas.top, "all"] == 2
    assert found["caseline_providers_left_out",] == 0


def test_any_number_of_providers_makes_a_bounded_number_of_series(watching: Rules) -> None:
    many = [f"provider {number:03}" for number in range(3 * MOST_PROVIDERS)]
    found = samples(watching, *many)
    shown = {labels[3] for labels in found if labels[0].startswith("caseline_place")}
    assert len(shown) == MOST_PROVIDERS
    assert set(watching.places.provider) < shown
    left_out = len(many) + len(watching.places.provider) - MOST_PROVIDERS
    assert found["caseline_providers_left_out",] == left_out


def test_a_table_has_its_indicators_by_family(watching: Rules) -> None:
    rows = [it for it in rows_of(watching) if it.area == watching.areas.top]
    (table,) = as_tables(rows, watching.catalogue, 120)
    console = Console(width=140)
    with console.capture() as shown:
        console.print(table)
    lines = [line.split() for line in shown.get().splitlines()]
    top = watching.areas.levels[0]
    families = [it.family for it in watching.catalogue.indicator if top in it.levels]
    heads = [" ".join(line) for line in lines if " ".join(line) in families]
    assert heads == list(dict.fromkeys(families))


def test_a_table_of_a_place_has_what_exists_there_and_says_how_much_does_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(it) + "\n" for it in held_by("Salus")), "utf-8")
    asked = ["replay", str(path), "--as-of", f"{TODAY}", "--place", "Salus"]
    run = CliRunner().invoke(app, asked)
    assert "CEH04" in run.stdout
    assert " EH05" not in run.stdout
    assert "figures of other kinds of place" in run.stderr
    named = CliRunner().invoke(app, [*asked, "--code", "EH05"])
    assert " EH05" in named.stdout
    assert "other kinds of place" not in named.stderr
