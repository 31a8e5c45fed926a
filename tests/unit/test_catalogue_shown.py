"""`caseline catalogue list` and `show` say of every indicator what it is."""

import csv
import json

import pytest
from typer.testing import CliRunner

from schemas.catalogue import load_catalogue
from streams.cli import app

CATALOGUE = load_catalogue()


def shown(*arguments: str, code: int = 0) -> str:
    run = CliRunner().invoke(app, ["catalogue", *arguments], env={"COLUMNS": "200"})
    assert run.exit_code == code, run.output
    return run.stdout if not code else run.output


def test_a_list_has_every_indicator_by_family_and_whether_it_is_computed() -> None:
    rows = list(csv.DictReader(shown("list", "--format", "csv").splitlines()))
    families = list(dict.fromkeys(it.family for it in CATALOGUE.indicator))
    assert [it["family"] for it in rows] == sorted(
        (it["family"] for it in rows), key=families.index
    )
    assert {it["code"]: it["source"] for it in rows} == {
        it.code: it.source for it in CATALOGUE.indicator
    }
    assert len(rows) == len(CATALOGUE.indicator)


def test_a_list_of_a_family_has_that_alone_and_all_that_is_declared_of_it() -> None:
    (indicator,) = (it for it in CATALOGUE.indicator if it.code == "CEH19")
    found = json.loads(shown("list", "--family", indicator.family, "--format", "json"))
    assert {it["family"] for it in found} == {indicator.family}
    assert indicator.model_dump(mode="json") in found


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("CEH19", ["any_of", "35% of it"]),
        ("EH22", ["primary reason", "re_referrals", "the sign of the change"]),
        ("EH36", ["supplied by others", "`measure.supplied`"]),
    ],
)
def test_an_indicator_is_shown_with_its_rule_its_places_and_how_it_is_rated(
    code: str, says: list[str]
) -> None:
    (indicator,) = (it for it in CATALOGUE.indicator if it.code == code)
    text = " ".join(shown("show", code).split())
    assert indicator.title in text
    assert ", ".join(indicator.levels) in text
    assert [it for it in says if it not in text] == []


def test_an_indicator_that_there_is_not_is_named_with_those_that_there_are() -> None:
    assert "EH99" in shown("show", "EH99", code=2)
