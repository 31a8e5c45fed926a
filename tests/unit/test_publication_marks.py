"""What a publication says of itself: for whom it is, what it changed, and what it is proved by."""

import csv
import io
import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.release import Change, Commentary, Release
from snapshots.disclosure.public import PublicRelease, public_release
from snapshots.disclosure.suppression import Rule
from snapshots.making.draft import withdrawal
from snapshots.publish.formats.json_data import json_files
from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.formats.pages import html_files
from snapshots.publish.formats.pdf import pdf_files
from snapshots.publish.formats.workbook import xlsx_files
from snapshots.publish.public_profile import LetOut
from snapshots.publish.text.reading_guide import change_summary, reading_notes, unlisted_note
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import INTERNAL_NOTE
from snapshots.publish.writing import PublicationFormat, publish
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import requested, seal
from snapshots.releases.release_failures import NotAllowed
from tests.support.october_releases import LATE, later, october, release

RULE = Rule()
EVERY = [*PublicationFormat]


def in_public(release: Release, *others: Release, formats: list[PublicationFormat] = EVERY) -> View:
    """A release of which nothing is suppressed, and all others, as readers have them."""
    out: list[PublicRelease] = [public_release(it, RULE, (), ()) for it in (release, *others)]
    return View(release, others, "public", LetOut(out, RULE), formats=formats)


def internally(*releases: Release) -> View:
    return View(releases[0], releases[1:])


def moved(release: Release, by: Mapping[tuple[str, ...], int], number: int = 2) -> Release:
    """The next release, in which counts moved."""
    cells, changes = [], []
    keys = {CellKey(*key): more for key, more in by.items()}
    for cell in release.cells:
        more = keys.get(cell.key, 0)
        fields = dict.fromkeys(("numerator", "denominator", "value"), cell.counted[0] + more)
        cells.append(cell.model_copy(update=fields) if more else cell)
        if more:
            changes.append(
                Change(
                    code=cell.code,
                    area=cell.area,
                    age_band=cell.age_band,
                    before=cell.value,
                    after=cells[-1].value,
                    causes=(LATE,),
                )
            )
    return release.model_copy(
        update={
            "number": number,
            "kind": "corrected",
            "reason": "A correction.",
            "previous_release": seal(release).sha256,
            "cells": tuple(cells),
            "changes": tuple(changes),
        }
    )


# A month has one figure.


def test_the_month_before_has_one_figure_wherever_it_stands() -> None:
    """September was released with 654; what October knew of it, 655, is said and not shown."""
    key = CellKey("EH01", "Kent", ALL_AGES)
    september = moved(release("2015-09"), {tuple(key): -1})
    september = september.model_copy(update={"number": 1, "kind": "first", "changes": ()})
    for view in (internally(october(), september), in_public(october(), september)):
        assert view.trend("EH01", "Kent")[-2].shown.text == "654"
        assert view.cell(*key).previous.text == "654"
        text = dict(html_files(view))[view.named("kent.html")].decode()
        assert ">654<" in text
        assert ">655<" not in text
    told = " ".join(reading_notes(internally(october(), september)))
    assert "Of September 2015, 1 figure is known otherwise by now" in told


def test_a_direction_is_that_of_the_figures_beside_it() -> None:
    now, before = october().cells[0], release("2015-09").cells[0]
    assert (now.value, before.value) == (816, 655)
    september = moved(release("2015-09"), {tuple(before.key): 816 - 655 + 1})
    september = september.model_copy(update={"number": 1, "kind": "first", "changes": ()})
    assert internally(october(), september).cell(*now.key).direction == "down"
    as_released = internally(october(), release("2015-09"))
    alone = internally(october())
    for cell in october().cells:
        assert as_released.cell(*cell.key).direction == cell.direction
        assert alone.cell(*cell.key).direction == cell.direction


def test_in_public_a_percentage_that_its_month_shows_is_shown_as_previous_though_it_moved() -> None:
    code, september = "EH14", release("2015-09")
    cells = [
        cell.model_copy(update={"previous": 1.5}) if cell.code == code else cell
        for cell in october().cells
    ]
    view = in_public(october().model_copy(update={"cells": tuple(cells)}), september)
    for area in october().areas.names:
        shown = view.cell(code, area)
        assert shown.previous.text == view.trend(code, area)[-2].shown.text != "[c]"


# What a release changed.


def with_targets(release: Release, code: str, target: float) -> Release:
    """The next release, in which only a target and the ratings against it changed."""
    cells = tuple(
        it.model_copy(update={"target": target, "rag": "Green"})
        if it.code == code and it.age_band == ALL_AGES and it.area == "Kent"
        else it
        for it in release.cells
    )
    return moved(release, {}).model_copy(update={"cells": cells})


def test_a_correction_of_targets_is_not_announced_as_no_change() -> None:
    corrected = with_targets(october(), "EH14", 10.0)
    for view in (internally(corrected, october()), in_public(corrected, october())):
        told = [(it.area, it.what, it.before, it.after) for it in view.judged_anew(corrected)]
        assert told == [("Kent", "Target", "80.0%", "10.0%"), ("Kent", "Rating", "Red", "Green")]
        assert "No figure, 1 target and 1 rating differ" in change_summary(view)
        page = dict(html_files(view))[view.named("changes.html")].decode()
        assert "Targets and ratings that release 2 changed" in page
        rows = csv.DictReader(io.StringIO([*csv_files(view)][2][1].decode()))
        assert [(row["what"], row["before"], row["after"]) for row in rows] == [
            ("Target", "80.0%", "10.0%"),
            ("Rating", "Red", "Green"),
        ]
        said = json.loads(next(json_files(view))[1])["releases"][-1]["judged"]
        assert [it["what"] for it in said] == ["Target", "Rating"]


def test_a_changed_comment_is_told() -> None:
    notes = list(october().commentary)
    other = notes[0].model_copy(update={"text": "Notifications fell."})
    new = Commentary(code="EH01", area="Dover", author_role="Manager", text="Quiet.")
    changed = moved(october(), {}).model_copy(update={"commentary": (other, *notes[2:], new)})
    view = in_public(changed, october())
    told = [(it.about, it.before[:13], it.after[:13]) for it in view.comments_changed(changed)]
    assert told == [
        ("Kent", "Another text", "Notifications"),
        ("Dover, EH01", "", "Quiet. (Manag"),
        ("Kent, EH14", "Another text", ""),
    ]
    first, *_ = internally(changed, october()).comments_changed(changed)
    assert first.before.startswith("Notifications rose after the summer")
    assert "No figure and 3 comments differ" in change_summary(view)
    assert "Comments that release 2 changed" in dict(html_files(view))["changes.html"].decode()


def test_a_childs_corrected_birth_date_is_not_in_the_public_list_of_changes() -> None:
    one: dict[tuple[str, ...], int]
    one = {("EH15", "Dover", "5-10"): -1, ("EH15", "Dover", "11-15"): 1}
    many: dict[tuple[str, ...], int]
    many = {("EH15", "Kent", "all"): 9, ("EH15", "Swale", "all"): 9}
    corrected = moved(october(), one | many)
    view = in_public(corrected, october())
    assert {it.change.area for it in view.changes(corrected)} == {"Kent", "Swale"}
    assert view.unlisted(corrected) == 2
    assert "4 figures differ" in change_summary(view)
    assert unlisted_note(view, corrected).startswith("2 figures moved by so few")
    for _, text in (*csv_files(view), *json_files(view)):
        assert b"Dover,11 to 15,14,15" not in text
    out = [public_release(it, RULE, (), ()) for it in (october(), corrected)]
    assert all(it.changes == () for it in out)
    inside = internally(corrected, october())
    assert len(inside.changes(corrected)) == 4
    assert unlisted_note(inside, corrected) == ""


# For whom it is.


def every_file(view: View) -> dict[str, bytes]:
    writers = (html_files, pdf_files, xlsx_files, csv_files, json_files)
    return {name: text for write in writers for name, text in write(view)}


@pytest.fixture(scope="module")
def inside() -> dict[str, bytes]:
    return every_file(internally(later(), october()))


@pytest.fixture(scope="module")
def outside() -> dict[str, bytes]:
    return every_file(in_public(later(), october()))


def test_no_internal_file_has_the_name_of_a_public_one(
    inside: dict[str, bytes], outside: dict[str, bytes]
) -> None:
    assert not inside.keys() & outside.keys()
    assert all("internal" in name for name in inside)
    assert not any("internal" in name for name in outside)


def test_every_internal_page_sheet_and_file_is_marked(inside: dict[str, bytes]) -> None:
    for name, text in inside.items():
        if name.endswith(".html"):
            assert INTERNAL_NOTE.encode() in text
            assert b"<title>Internal: " in text
        elif name.endswith(".csv"):
            header, *rows = csv.reader(io.StringIO(text.decode()))
            assert header[-1] == "marking"
            assert rows
            assert all(row[-1] == INTERNAL_NOTE for row in rows)
        elif name.endswith(".pdf"):
            for page in PdfReader(io.BytesIO(text)).pages:
                assert INTERNAL_NOTE in page.extract_text()
        elif name.endswith(".xlsx"):
            for sheet in openpyxl.load_workbook(io.BytesIO(text)).worksheets:
                said = " ".join(str(it) for row in sheet.iter_rows(values_only=True) for it in row)
                assert "Internal: nothing is suppressed" in said, sheet.title
                assert sheet.oddHeader is not None
                assert INTERNAL_NOTE in str(sheet.oddHeader.right.text)
    assert json.loads(inside["scorecard-internal.json"])["profile"] == "internal"


def test_no_public_file_is_marked_or_names_who_made_the_release(outside: dict[str, bytes]) -> None:
    author = later().author
    for name, text in outside.items():
        if name.endswith(".pdf"):
            report = PdfReader(io.BytesIO(text))
            said = " ".join(page.extract_text() for page in report.pages) + str(report.metadata)
        elif name.endswith(".xlsx"):
            book = openpyxl.load_workbook(io.BytesIO(text))
            rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
            said = " ".join(str(it) for row in rows for it in row) + str(book.properties)
        else:
            said = text.decode()
        assert author not in said, name
        assert INTERNAL_NOTE not in said, name


def test_internal_and_public_publications_are_never_in_one_folder(tmp_path: Path) -> None:
    site, formats = tmp_path / "site", [PublicationFormat.JSON]
    publish(in_public(october(), formats=formats), site, formats)
    for folder in (site, site / "within", site / "2015-10-001-public"):
        with pytest.raises(NotAllowed, match="2015-10-001-public is public"):
            publish(internally(october()), folder, formats)
    publish(internally(october()), tmp_path / "council" / "own", formats)
    with pytest.raises(NotAllowed, match="2015-10-001-internal is internal"):
        publish(in_public(october(), formats=formats), tmp_path / "council", formats)


def test_the_hash_on_a_page_is_that_of_a_file_beside_it(
    inside: dict[str, bytes], outside: dict[str, bytes]
) -> None:
    for files, file in (
        (inside, "release-internal.json"),
        (outside, "early_help_2015_10.csv"),
    ):
        said = f"SHA-256 of {file}: <code>{sha256(files[file])}</code>"
        pages = [text.decode() for name, text in files.items() if name.endswith(".html")]
        assert all(said in page for page in pages)
    named = json.loads(outside["scorecard.json"])
    assert sha256(outside[named["proof_file"]]) == named["sha256"]
    without = in_public(
        later(), october(), formats=[PublicationFormat.HTML, PublicationFormat.JSON]
    )
    assert b"SHA-256" not in dict(html_files(without))["kent.html"]
    assert json.loads(next(json_files(without))[1])["sha256"] is None


def test_figures_of_a_month_that_is_not_over_say_so() -> None:
    early = {"kind": "provisional", "released_on": date(2015, 10, 20)}
    view = internally(october().model_copy(update=early))
    assert "The month was not over when they were made." in next(html_files(view))[1].decode()
    assert "[p]" in dict(html_files(view))["kent-internal.html"].decode()


# What was withdrawn.


def withdrawn() -> Release:
    request = requested("2015-10", "withdrawn", "A. Analyst", "The feed was <broken>.")
    return withdrawal([seal(october())], request, date(2015, 12, 3))


@pytest.mark.parametrize("profile", ["internal", "public"])
def test_a_notice_takes_the_place_of_what_was_withdrawn(tmp_path: Path, profile: str) -> None:
    def view_of(release: Release, *others: Release) -> View:
        make = internally if profile == "internal" else in_public
        return make(release, *others)

    september = release("2015-09")
    publish(view_of(september), tmp_path, [PublicationFormat.JSON])
    publish(view_of(october(), september), tmp_path, [PublicationFormat.JSON])
    before = {path: path.read_bytes() for path in tmp_path.rglob("2015-09*/*/*")}
    written = publish(view_of(withdrawn(), october(), september), tmp_path)
    names = [f"2015-10-00{number}-{profile}" for number in (1, 2)]
    assert sorted({path.parts[len(tmp_path.parts)] for path in written}) == names
    assert {path: path.read_bytes() for path in before} == before
    for name in names:
        folder = tmp_path / name
        assert {path.name for path in folder.iterdir()} == {*map(str, PublicationFormat)}
        page = next((folder / "html").iterdir()).read_text("utf-8")
        assert "The feed was &lt;broken&gt;." in page
        assert "withdrawn" in page
        (pdf,) = (folder / "pdf").iterdir()
        assert "withdrawn" in PdfReader(pdf).pages[0].extract_text()
        (book,) = (folder / "xlsx").iterdir()
        (sheet,) = openpyxl.load_workbook(book).worksheets
        assert any("withdrawn" in str(row) for row in sheet.iter_rows(values_only=True))
        for path in folder.rglob("*"):
            assert "816" not in path.read_text("latin-1") if path.suffix == ".json" else True
            assert os.access(path, os.R_OK)


def test_a_month_released_anew_says_in_its_log_what_was_withdrawn() -> None:
    chained = {"number": 3, "previous_release": seal(withdrawn()).sha256}
    anew = october().model_copy(update=chained)
    view = internally(anew, withdrawn(), october())
    page = dict(html_files(view))["changes-internal.html"].decode()
    assert "The feed was &lt;broken&gt;." in page
    assert "No figure changed" not in page
    assert "It replaces no release that stands" in change_summary(view)
    assert view.before(anew) is None
