"""A publication of every kind of place: what exists there, by family, in each format."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import PROVIDER, load_places
from schemas.release import Release
from snapshots.making.freeze import frozen_cells
from snapshots.publish.formats.json_data import json_files
from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.formats.pages import html_files
from snapshots.publish.formats.pdf import pdf_files
from snapshots.publish.formats.workbook import xlsx_files
from snapshots.publish.text.content import families
from snapshots.publish.text.view import View
from tests.support.examples import good_lines, log_file
from tests.support.frozenlogs import FrozenLog

Files = Callable[[View], Iterator[tuple[str, bytes]]]
JUNE = date(2017, 6, 30)


@pytest.fixture(scope="module")
def release() -> Release:
    """June 2017 of a log of every topic, reconciled."""
    rules = Rules(load_catalogue(), load_areas(), places=load_places())
    log = FrozenLog(rules, good_lines(log_file("all-21")))
    found = log.release("2017-06").release
    assert list(found.cells) == frozen_cells(rules, JUNE, log.cut(JUNE))
    return found


@pytest.fixture(scope="module")
def view(release: Release) -> View:
    return View(release)


def files(view: View, make: Files) -> dict[str, str]:
    return {name: text.decode() for name, text in make(view)}


def test_every_indicator_has_a_figure_at_each_kind_of_place_that_it_exists_at(
    release: Release,
) -> None:
    top = release.areas.levels[0]
    has = {(it.code, it.level or top) for it in release.cells if it.status != "not-at-this-level"}
    named = (PROVIDER, "childrens-centre", "youth-hub", top)
    for indicator in release.indicators:
        for level in set(indicator.levels).intersection(named):
            assert (indicator.code, level) in has
    assert len({it.code for it in release.cells}) == len(load_catalogue().indicator) == 141


def test_a_page_of_a_provider_has_what_exists_there_by_family_and_by_district(view: View) -> None:
    page = files(view, html_files)["provider-salus-internal.html"]
    for family in ("Family support", "NEET support", "Young carers"):
        assert f"<h2>{family}</h2>" in page
    assert "Early Help units" not in page
    assert "Salus by area and district" in page
    assert ">Gravesham</th>" in page
    assert "To be supplied" in page


def test_pages_link_to_pages_that_there_are(view: View) -> None:
    pages = files(view, html_files)
    for name, page in pages.items():
        links = [it.split('"')[0] for it in page.split('href="')[1:]]
        missing = [it for it in links if it.endswith(".html") and it not in pages]
        assert not missing, name


def test_two_providers_whose_names_differ_by_signs_alone_have_a_page_each(release: Release) -> None:
    salus = [it for it in release.cells if (it.level, it.area) == (PROVIDER, "Salus")]
    other = [it.model_copy(update={"area": "<Salus>"}) for it in salus]
    pages = files(
        View(release.model_copy(update={"cells": (*salus, *other, *_kent(release))})), html_files
    )
    assert {"provider-salus-1-internal.html", "provider-salus-2-internal.html"} <= pages.keys()
    assert "<Salus>" not in "".join(pages.values())


def _kent(release: Release) -> list[Any]:
    return [it for it in release.cells if not it.level]


def test_an_unbanded_family_has_one_column_and_a_banded_one_all(view: View) -> None:
    place = view.places[0]._replace(level="", name="Kent")
    columns = {family.name: family.bands for family in families(view, place)}
    assert columns["Early Help units"] == tuple(view.bands)
    assert columns["Family support"] == ("all",)


def test_open_data_has_the_areas_in_its_layout_and_places_in_a_file_of_their_own(
    view: View,
) -> None:
    data = files(view, csv_files)
    areas = list(csv.DictReader(io.StringIO(data["early_help_2017_06_internal.csv"])))
    assert len(areas) == 17 * 6
    assert {"eh01", "ceh01", "scs01", "eh31_mark"} <= areas[0].keys()
    assert "ceh27" not in areas[0]
    places = list(csv.DictReader(io.StringIO(data["early_help_2017_06_places_internal.csv"])))
    levels = {it["level"] for it in places}
    assert levels == {
        *(PROVIDER, "provider-area", "provider-district", "childrens-centre", "youth-hub")
    }
    supplied = {it["value"] for it in places if it["indicator"] == "CEH21"}
    assert supplied == {"x"}


def test_json_says_of_each_cell_where_it_is_and_whether_it_was_supplied(view: View) -> None:
    found = json.loads(files(view, json_files)["scorecard-internal.json"])
    statuses = {it["status"] for it in found["cells"]}
    assert {"reported", "supplied", "to-be-supplied", "not-available", "no-cases"} <= statuses
    schemes = {it["family"]: it["rag"] for it in found["schemes"]}
    assert (schemes["Early Help units"], schemes["Family support"]) == ("previous", "target")


def test_report_and_workbook_are_made_of_every_place(view: View) -> None:
    (pdf,) = dict(pdf_files(view)).values()
    (xlsx,) = dict(xlsx_files(view)).values()
    assert pdf.startswith(b"%PDF")
    assert xlsx.startswith(b"PK")
