"""The reference pages: one for every code, made from the catalogue, with an example that holds."""

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from examples.indicator_pages import printed
from examples.indicator_pages.coverage import coverage
from examples.indicator_pages.example import example, level_of
from examples.indicator_pages.page import events_of, name_of, page, place_of
from examples.indicator_pages.search import find
from examples.indicator_pages.stories import load
from examples.indicator_pages.words import rests_on
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import Indicator, load_catalogue
from schemas.events.registry import EVENT_TYPES
from schemas.places import load_places
from tests.support.printed import PRINTED

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "indicators"
INDICATORS = load_catalogue().indicator


@cache
def rules() -> Rules:
    return Rules(load_catalogue(), load_areas(), places=load_places())


def text_of(indicator: Indicator) -> str:
    return (PAGES / name_of(indicator)).read_text("utf-8")


def test_every_published_code_has_a_page_and_no_page_is_of_another() -> None:
    codes = set()
    for name in (printed.OCTOBER_2015, printed.TREND_2015, printed.JUNE_2017):
        with (PRINTED / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        codes |= {printed.RENAMED.get((name, row["code"]), row["code"]) for row in rows}
    assert len(codes) == 139 + 1  # EH21 is in both scorecards, for different things
    codes.add("EH31")  # defined, and never printed
    assert {it.stem for it in PAGES.glob("*.md")} == {*codes, "README"}
    assert {it.code for it in INDICATORS} == codes


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda it: it.code)
def test_a_page_is_what_the_catalogue_and_its_own_example_make(indicator: Indicator) -> None:
    """So every figure on it is what Caseline makes of the events on it."""
    as_of, _ = load()
    text = text_of(indicator)
    place = place_of(text, level_of(rules(), indicator))
    found = example(rules(), indicator, as_of, place, events_of(text))
    of_code = [it for it in printed.load() if it.code == indicator.code]
    assert page(rules(), indicator, as_of, found, of_code) == text
    assert found.figure.value[0] > 0
    if isinstance(indicator.denominator, dict) and indicator.unit != "days":
        assert (found.figure.numerator or 0) < (found.figure.denominator or 0)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda it: it.code)
def test_the_events_that_a_page_names_are_types_and_among_them_those_of_its_example(
    indicator: Indicator,
) -> None:
    named = rests_on(rules().catalogue, indicator)
    assert set(named) <= {name for it in EVENT_TYPES for name in it.names}
    in_example = {it.type for it in events_of(text_of(indicator))}
    if indicator.denominator is not None or indicator.source == "supplied":
        assert in_example <= set(named)
    assert in_example & set(named)


def test_the_coverage_table_is_up_to_date() -> None:
    assert (PAGES / "README.md").read_text("utf-8") == coverage(rules(), printed.load())


def test_where_codes_were_printed_is_what_the_published_rows_say() -> None:
    assert printed.load() == printed.summary(PRINTED)


@pytest.mark.parametrize("code", ["EH16", "CEH25", "EH36"])
def test_an_example_is_found_again_from_the_stories(code: str) -> None:
    (indicator,) = (it for it in INDICATORS if it.code == code)
    as_of, stories = load()
    found = find(rules(), indicator, as_of, stories).events
    assert sorted(found, key=lambda it: it.on) == events_of(text_of(indicator))


def test_replay_says_of_a_pages_events_what_the_page_says(tmp_path: Path) -> None:
    (indicator,) = (it for it in INDICATORS if it.code == "CEH42")
    text = text_of(indicator)
    path = tmp_path / "example.jsonl"
    path.write_text(text.split("```json\n")[1].split("```")[0], "utf-8")
    chosen = ["--level", "childrens-centre", "--place", "Riverside", "--code", "CEH42"]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "streams.cli", "replay", str(path)),
            *("--as-of", "2017-06-30", "--format", "json", *chosen),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    (row,) = json.loads(run.stdout)
    said = f"**{row['numerator']} of {row['denominator']}, which is {row['value']}%**"
    assert said in text
