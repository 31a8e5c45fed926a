"""The catalogue and the tree of areas are checked when they are loaded."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from processors.record.rows import MOST_TESTS, TooManyTestsError
from processors.rules import Rules
from schemas.areas import Areas, load_areas
from schemas.catalogue import Catalogue, Match, load_catalogue
from tests.reference import KENT

MEASURE: dict[str, Any] = {"name": "open", "of": "case", "state": "open"}
INDICATOR: dict[str, Any] = {
    "code": "X1",
    "title": "t",
    "definition": "d",
    "family": "f",
    "frequency": "M",
    "unit": "count",
    "polarity": "H",
    "bands": "count",
    "levels": ("county",),
    "numerator": {"open": 1},
}


def catalogue(measures: list[dict[str, Any]], indicators: list[dict[str, Any]]) -> Catalogue:
    """A catalogue of the measure and the indicator above with other values, once for each."""
    return Catalogue.model_validate(
        {
            "direction": "change",
            "measure": tuple(MEASURE | changes for changes in measures),
            "indicator": tuple(INDICATOR | changes for changes in indicators),
        }
    )


def numbered(prefix: str, first: int, last: int, *, without: tuple[int, ...] = ()) -> set[str]:
    return {f"{prefix}{it:02}" for it in range(first, last + 1) if it not in without}


def test_the_catalogue_that_ships_has_every_code_of_both_families() -> None:
    codes = [indicator.code for indicator in load_catalogue().indicator]
    assert len(codes) == 141
    assert set(codes) == {
        *numbered("EH", 1, 49),
        *numbered("CEH", 1, 79, without=(77,)),
        *("CEH51a", "CEH52a", "CEH54a", "CEH55a", "CEH57a", "CEH58a"),
        *numbered("SCS", 1, 6),
        *("EH21@2017", "SISE58"),
    }


def test_what_is_told_by_area_and_by_provider_is_told_of_each_in_the_other() -> None:
    """Else it could not go out: nothing would say what its smallest counts are."""
    areas = set(load_areas().levels)
    levels: dict[str, set[str]] = {}
    for it in load_catalogue().indicator:
        for slot in it.terms if it.source == "events" and it.released else ():
            levels.setdefault(slot, set()).update(it.levels)
    crossed = {slot for slot, at in levels.items() if areas & at and "provider" in at}
    assert len(crossed) > 30
    assert {slot for slot in crossed if "provider-district" not in levels[slot]} == set()


def test_part_a_comes_first_in_the_order_of_its_codes() -> None:
    codes = [indicator.code for indicator in load_catalogue().indicator]
    assert codes[:23] == [f"EH{number:02}" for number in range(1, 24)]


def test_what_is_supplied_is_said_to_be() -> None:
    supplied = {it.code for it in load_catalogue().indicator if it.source == "supplied"}
    assert supplied == {
        *numbered("EH", 31, 49, without=(32, 33, 34)),
        *("SISE58", "CEH21", "CEH22"),
    }


def test_every_measure_that_ships_is_part_of_an_indicator() -> None:
    shipped = load_catalogue()
    used = {name for indicator in shipped.indicator for name in indicator.numerator}
    for indicator in shipped.indicator:
        if isinstance(indicator.denominator, dict):
            used |= set(indicator.denominator)
    assert {measure.name for measure in shipped.measure} <= {name.split(".")[0] for name in used}


def test_a_catalogue_in_a_file_has_its_own_version(tmp_path: Path) -> None:
    text = (files("schemas") / "data/catalogue.toml").read_text("utf-8")
    path = tmp_path / "catalogue.toml"
    path.write_text(text, "utf-8")
    assert load_catalogue(path) == load_catalogue()
    path.write_text(text + "\n# changed\n", "utf-8")
    assert load_catalogue(path).version != load_catalogue().version


def test_the_smallest_catalogue_is_valid() -> None:
    assert catalogue([{}], [{}]).slots == ["open"]


@pytest.mark.parametrize(
    ("measure", "indicator", "reason"),
    [
        ({}, {"numerator": {"shut": 1}}, "X1: no measure called shut"),
        ({}, {"numerator": {"open.days": 1}}, "no measure called open.days"),
        ({}, {"denominator": {"shut": 1}}, "no measure called shut"),
        ({}, {"denominator": "people"}, "population"),
        ({}, {"numerator": {"open": "1"}}, "valid integer"),
        ({}, {"polarity": "up"}, "'H', 'L' or 'T'"),
        ({}, {"unit": "cases"}, "'count'"),
        ({}, {"colour": "red"}, "Extra inputs"),
        ({"colour": "red"}, {}, "Extra inputs"),
        ({"of": "child"}, {}, "'case', 'notification', 'spell', 'person'"),
        ({"state": "shut"}, {}, "'open' or 'closed'"),
        ({"outcome": {"any_of": ("x",)}}, {}, "open: only a closed case has an outcome"),
        ({"of": "notification"}, {}, "a notification has no state"),
        ({"notification_type": {"any_of": ("x",)}}, {}, "notifications of several types"),
        ({"holder": {}}, {}, "exactly one of"),
        ({"holder": {"any_of": ("x",), "none_of": ("y",)}}, {}, "exactly one of"),
        ({"window": {"day": "closed", "kind": "year"}}, {}, "'month'"),
        ({"starts": ({"day": "born"},)}, {}, "a case has no day called born"),
    ],
)
def test_a_catalogue_that_breaks_a_rule_is_refused_with_the_reason(
    measure: dict[str, Any], indicator: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        catalogue([measure], [indicator])


def test_names_given_twice_are_refused() -> None:
    with pytest.raises(ValidationError, match="measure named twice: open"):
        catalogue([{}, {}], [{}])
    with pytest.raises(ValidationError, match="indicator named twice: X1"):
        catalogue([{}], [{}, {}])


def test_a_catalogue_that_is_not_toml_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    with pytest.raises(FileNotFoundError):
        load_catalogue(path)
    path.write_text("measure = [", "utf-8")
    with pytest.raises(tomllib.TOMLDecodeError):
        load_catalogue(path)
    path.write_text('direction = "change"', "utf-8")
    with pytest.raises(ValidationError):
        load_catalogue(path)


def test_more_tests_on_one_attribute_than_a_row_has_bits_are_refused() -> None:
    def with_tests(count: int) -> Catalogue:
        names = [str(number) for number in range(count)]
        return catalogue([{}, *({"name": it, "holder": {"any_of": (it,)}} for it in names)], [{}])

    Rules(with_tests(MOST_TESTS), load_areas())
    with pytest.raises(TooManyTestsError, match="holder: 33 different tests"):
        Rules(with_tests(MOST_TESTS + 1), load_areas())


@pytest.mark.parametrize(
    ("match", "passed", "failed"),
    [
        (Match(any_of=("a", "b")), ["a", "b"], ["", "A", "ab"]),
        (Match(none_of=("a",)), ["", "A", "ab"], ["a"]),
        (Match(contains_any=("CDT", "SCS")), ["SCS", "x CDT x"], ["", "cdt", "C DT"]),
        (Match(contains_none=("CDT", "SCS")), ["", "cdt"], ["SCS", "x CDT x"]),
    ],
)
def test_texts_are_matched_to_the_letter(
    match: Match, passed: list[str], failed: list[str]
) -> None:
    assert all(match(text) for text in passed)
    assert not any(match(text) for text in failed)


def test_the_areas_that_ship_are_those_of_kent() -> None:
    areas = load_areas()
    assert areas.top == "Kent"
    assert len(areas.names) == 17
    for area, districts in KENT["Kent"].items():
        assert areas.leaves_under(area) == list(districts)
    assert areas.leaves_under("Kent") == areas.leaves
    assert areas.leaves_under("Dover") == ["Dover"]


TREE = [
    {"name": "Top", "level": "whole"},
    {"name": "A", "level": "part", "parent": "Top"},
    {"name": "B", "level": "part", "parent": "Top"},
]


@pytest.mark.parametrize(
    ("position", "change", "reason"),
    [
        (1, {"level": "village"}, "level 'village' is not in levels"),
        (2, {"name": "A"}, "'A' is named twice"),
        (1, {"parent": None}, "only it, has no parent"),
        (0, {"parent": "A"}, "only it, has no parent"),
        (1, {"parent": "B"}, "parent 'B' is not named before it"),
        (1, {"parent": "A"}, "parent 'A' is not named before it"),
        (1, {"population": 3}, "Extra inputs"),
        (1, {"name": 3}, "valid string"),
    ],
)
def test_areas_that_are_no_tree_are_refused_with_the_reason(
    position: int, change: dict[str, Any], reason: str
) -> None:
    changed = [area | (change if each == position else {}) for each, area in enumerate(TREE)]
    with pytest.raises(ValidationError, match=reason):
        Areas.model_validate({"levels": ["whole", "part"], "area": changed})


def test_areas_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "areas.toml"
    path.write_text('levels = ["whole"]\n[[area]]\nname = "Rutland"\nlevel = "whole"\n', "utf-8")
    assert load_areas(path).leaves == ["Rutland"]
