"""The spreadsheet and the PDF, opened with libraries that did not write them."""

import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from pypdf import PdfReader

from snapshots.publish.formats.pdf import pdf_files
from snapshots.publish.formats.workbook import xlsx_files
from snapshots.publish.text.view import View
from tests.support.october_releases import earlier_months, later, october

CHECK = Path(__file__).parents[2] / "scripts/pdfua"
NO_CHECK = 2
FRONT_SHEETS = ["Cover", "Contents", "Notes"]


@pytest.fixture(scope="module")
def view() -> View:
    return View(later(), [october(), *earlier_months()])


@pytest.fixture(scope="module")
def workbook(view: View) -> openpyxl.Workbook:
    ((_, text),) = xlsx_files(view)
    return openpyxl.load_workbook(io.BytesIO(text))


@pytest.fixture(scope="module")
def report(view: View) -> PdfReader:
    ((_, text),) = pdf_files(view)
    return PdfReader(io.BytesIO(text))


def table_of(sheet: Worksheet) -> list[list[Any]]:
    (table,) = sheet.tables.values()
    return [[cell.value for cell in row] for row in sheet[table.ref]]


def test_a_spreadsheet_begins_with_cover_contents_and_notes(workbook: openpyxl.Workbook) -> None:
    assert workbook.sheetnames[:3] == FRONT_SHEETS
    assert workbook.sheetnames[3:20] == [
        *("Kent", "North", "Dartford", "Gravesham", "Sevenoaks"),
        *("East", "Canterbury", "Swale", "Thanet", "South", "Ashford", "Dover", "Shepway"),
        *("West", "Maidstone", "Tonbridge and Malling", "Tunbridge Wells"),
    ]
    cover = [str(row[0]) for row in workbook["Cover"].iter_rows(values_only=True)]
    assert cover[0] == "Internal: Early help scorecard: Kent, October 2015"
    assert any("Revised, number 2" in line for line in cover)
    linked = {str(row[0]) for row in workbook["Contents"].iter_rows(values_only=True)}
    assert linked >= set(workbook.sheetnames[3:])


def test_every_sheet_has_one_named_table_with_one_header_row(workbook: openpyxl.Workbook) -> None:
    names = []
    for sheet in workbook.worksheets[1:]:
        assert not sheet.merged_cells.ranges
        (name,) = sheet.tables
        names.append(name)
        header, *rows = table_of(sheet)
        assert len(set(header)) == len(header)
        assert all(isinstance(text, str) and text for text in header)
        assert rows
        assert all(value not in (None, "") for row in rows for value in row), sheet.title
    assert len(set(names)) == len(names)


def test_figures_of_a_spreadsheet_are_numbers_as_published(workbook: openpyxl.Workbook) -> None:
    header, *rows = table_of(workbook["Kent"])
    cards = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert cards["EH01"]["Overall"] == 816
    assert cards["EH01"]["Previous, Sep 2015"] == 655
    assert cards["EH01"]["Direction"] == "Up"
    assert cards["EH14"]["Rating"] == "Red"
    assert cards["EH14"]["Target"] == "80.0%"
    assert cards["EH15"]["Marks"] == "[r] Overall"
    changes = table_of(workbook["Changes"])
    assert [row[0:2] for row in changes[1:]] == [[2, "Revised"], [2, "Revised"]]


def test_the_report_is_a_tagged_pdf_for_universal_access(report: PdfReader) -> None:
    root: Any = report.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    assert report.metadata is not None
    assert report.metadata.title == "Internal: Early help scorecard: Kent, October 2015"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    roles = [element["/S"] for element in _elements(root["/StructTreeRoot"])]
    assert roles.count("/Table") > 17
    assert {"/TH", "/TD", "/H1", "/H2", "/Figure"} <= set(roles)
    figures = [one for one in _elements(root["/StructTreeRoot"]) if one["/S"] == "/Figure"]
    assert all(re.match(r"(Trend by month|One month)", one["/Alt"]) for one in figures)


def _elements(parent: Any) -> Iterator[Any]:
    children = parent.get("/K", [])
    for child in children if isinstance(children, list) else [children]:
        element = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(element, dict) and "/S" in element:
            yield element
            yield from _elements(element)


def test_the_report_has_a_page_for_every_area_with_its_figures(report: PdfReader) -> None:
    pages = [page.extract_text() for page in report.pages]
    kent = next(text for text in pages if "Early Help units: Kent, October 2015" in text)
    assert re.search(r"EH01 Notifications received\s+Monthly\s+816\s+17\.9%\s+31\.1%", kent)
    for area in october().areas.names:
        assert any(f"Early Help units: {area}, October 2015" in text for text in pages), area
    assert "Revised, number 2." in pages[0]
    assert any("Definitions and data notes" in text for text in pages)
    assert "Revisions and corrections" in pages[-1]
    assert re.search(r"EH15 Cases closed by units\s+Dartford\s+Overall\s+67\s+68", pages[-1])
    assert any("Odd facts" in text for text in pages)


def test_the_report_needs_no_font_of_the_machine(report: PdfReader) -> None:
    fonts = {
        font.get_object()["/BaseFont"]
        for page in report.pages
        for font in page["/Resources"].get("/Font", {}).values()  # type: ignore[attr-defined]
    }
    assert fonts
    assert all(re.match(r"/[A-Z]{6}\+(SourceSansPro|DejaVuSansMono)", name) for name in fonts)


def test_the_report_passes_every_rule_of_pdf_ua(view: View, tmp_path: Path) -> None:
    """By veraPDF, the validator of the PDF industry."""
    ((name, text),) = pdf_files(view)
    (tmp_path / name).write_bytes(text)
    done = subprocess.run(
        [CHECK, tmp_path / name], capture_output=True, text=True, check=False, timeout=400
    )
    if done.returncode == NO_CHECK and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    ((result,),) = (job["validationResult"] for job in json.loads(done.stdout)["report"]["jobs"])
    assert result["compliant"]
    assert result["details"]["passedChecks"] > 100_000
    assert result["details"]["ruleSummaries"] == []
