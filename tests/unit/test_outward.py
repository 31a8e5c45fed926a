"""Text from events stays text, whatever program opens what leaves: nothing in it is obeyed."""

import csv
import io
import json
import sys
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from rich.table import Table
from rich.text import Text

from processors.record.quality import OddFact, Oddity
from schemas.outward import STAND_IN, TURNING, csv_text, for_csv, for_json, for_terminal
from schemas.release import Commentary, Release
from snapshots.publish.formats.glyphs import showable, unshown
from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.formats.pdf import pdf_files
from snapshots.publish.formats.workbook import xlsx_files
from snapshots.publish.text.view import View
from snapshots.releases.chain import unseal
from streams.alerts import alert_lists
from streams.alerts.actions import Ack
from streams.alerts.messages.digest_text import OwnerDigest, as_html, as_text, sections, subject_of
from streams.terminal.commands import quality
from streams.terminal.console import PlainConsole
from streams.terminal.tables.scorecards import RowFormat
from tests.support.alerting import alert_id, change

STORED = Path(__file__).parents[1] / "data/release-format-1/release.json"
OCTOBER = unseal("2015-10/001", STORED.read_bytes()).release
LINK = '=HYPERLINK("http://evil.example","Open")'
ATTACKS = [
    LINK,
    "{=cmd|'/c calc'!A1}",
    "+1+cmd|' /c calc'!A1",
    "-2+3+cmd|' /c calc'!A1",
    "@SUM(1+1)*cmd|' /c calc'!A1",
    "\t=1+1",
    "[Open](http://evil.example)",
    "[Open](http://evil.example) [again](http://evil.example)",
    "http://evil.example",
    "a note $$marks$$ and one that is not there $$nowhere$$",
    "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "\u202etxt.exe",
    "*bold* #strong[x] $x^2$ <label> @reference \\u{1f600}",
]
OBEYED = ("\x1b", "\x07", "\x9b", "\u202e", "\x00", "\r")


def with_comments(texts: list[str], **fields: Any) -> Release:
    notes = [
        Commentary(code=code, area="Kent", author_role=text, text=text)
        for text in texts
        for code in (None, "EH05")
    ]
    changed = {"commentary": tuple(notes), "reason": texts[0], "author": texts[0], **fields}
    return OCTOBER.model_copy(update=changed)


@pytest.fixture(scope="module")
def view() -> View:
    return View(with_comments(ATTACKS), [])


def test_in_a_workbook_it_is_no_formula_no_link_and_no_note(view: View) -> None:
    ((_, text),) = xlsx_files(view)
    book = openpyxl.load_workbook(io.BytesIO(text))
    found = {}
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate, cell.value)
                link = cell.hyperlink and cell.hyperlink.target
                assert not link, (sheet.title, cell.coordinate, link)
                if isinstance(cell.value, str):
                    assert not any(it in cell.value for it in OBEYED)
                    found[cell.value] = sheet.title
    assert found[LINK]
    assert found["[Open] (http://evil.example)"]


def test_in_open_data_it_is_no_formula(view: View) -> None:
    for name, text in csv_files(view):
        for row in csv.reader(io.StringIO(text.decode())):
            for field in row:
                assert not field.startswith(("=", "+", "@", "\t")), (name, field)
                assert not any(it in field for it in OBEYED)


def test_in_the_pdf_it_is_set_as_it_is(view: View) -> None:
    ((_, text),) = pdf_files(view)
    report = "".join(page.extract_text() for page in PdfReader(io.BytesIO(text)).pages)
    assert "#strong[x]" in report
    assert "$$nowhere$$" in report
    assert not any(it in report for it in OBEYED)


@pytest.mark.parametrize("text", [it for it in ATTACKS if it[0] in "=+-@\t"])
def test_in_a_csv_file_it_begins_with_an_apostrophe(text: str) -> None:
    assert for_csv(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["-5", "-1.25", "+3", "-12.5%", "-1,204", "-", "EH05", -5, 0.1, None]
)
def test_a_number_in_a_csv_file_stays_one(value: object) -> None:
    assert for_csv(value) == value


@given(st.text())
def test_a_terminal_obeys_nothing(text: str) -> None:
    shown = for_terminal(text)
    assert len(shown) == len(text)
    assert all(it.isprintable() or it in "\n\t" or ord(it) > 0x9F for it in shown)
    assert for_terminal(shown) == shown


@given(st.recursive(st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)))
def test_json_says_the_same(value: object) -> None:
    text = for_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert for_terminal(text) == text


def test_tables_show_it_and_no_more() -> None:
    stream = io.StringIO()
    console = PlainConsole(
        file=stream, force_terminal=True, width=120, markup=False, emoji=False, color_system="256"
    )
    table = Table("what", "[bold]name[/bold]")
    for text in ATTACKS:
        table.add_row(Text(text, style="red"), text)
    console.print(table)
    console.print("\x1b[2J:smile: [link=http://evil.example]x[/link]", highlight=False)
    shown = stream.getvalue()
    assert "\x1b[31m" in shown  # our own colour
    for attack in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\u202e", "\x1b]8;"):
        assert attack not in shown
    assert ":smile: [link=http://evil.example]" in shown


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_odd_facts_are_shown_and_not_obeyed(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = OddFact(next(iter(Oddity)), LINK, ATTACKS[-3], ATTACKS[-2])
    monkeypatch.setattr(quality, "settings_and_rules", lambda: (None, None))
    monkeypatch.setattr(quality, "on_redis", lambda *_: SimpleNamespace(facts=[fact]))
    monkeypatch.setattr(quality, "tell_incomplete", lambda *_: None)
    with patch.object(quality, "day_of", lambda *_: date(2015, 10, 31)):
        quality.quality(form=RowFormat(form))
    shown = capsys.readouterr().out
    assert not any(it in shown for it in OBEYED)
    if form == "csv":
        assert "'=HYPERLINK" in shown


def test_alerts_are_written_and_not_obeyed() -> None:
    row = dict.fromkeys(alert_lists.COLUMNS, LINK) | {"case": "\x9b31mC1"}
    assert "\x9b" not in alert_lists.as_json([row])
    (_, line) = csv.reader(io.StringIO(alert_lists.as_csv([row])))
    assert line[0] == f"'{LINK}"
    assert "\x9b" not in "".join(line)


# A child's family, a flag and a hand in a colour are made of several characters each.
FOREIGN = (
    "Well done \U0001f600 \U0001f469\u200d\U0001f467 \U0001f1ec\U0001f1e7 \U0001f44d\U0001f3fd"
)


def test_what_no_font_has_is_named_in_the_pdf_and_keeps_no_month_from_going_out() -> None:
    texts = [FOREIGN, "中文 العربية Ĉiuĵaŭde Ж ✓ → ½ a\u0301 \ufffe \ue000 \ud800"[:-1]]
    ((_, text),) = pdf_files(View(with_comments(texts), []))
    report = "".join(page.extract_text() for page in PdfReader(io.BytesIO(text)).pages)
    said = " ".join(report.split())
    assert "[grinning face]" in said
    assert "[woman][girl]" in said
    assert "Ĉiuĵaŭde Ж" in said


@given(st.text(max_size=30))
def test_every_text_can_be_shown(text: str) -> None:
    shown = showable(text)
    assert showable(shown) == shown


PLAIN = "Plain \u2013 \u201cquoted\u201d caf\u00e9"


def test_freezing_names_the_comment_and_the_character() -> None:
    release = with_comments([PLAIN, FOREIGN], reason="Late \U0001f600", author="A")
    found = list(unshown(release))
    assert len(found) == 2 * 2 + 1
    assert found[0].startswith("the comment on all of Kent: no font has ")
    assert "\U0001f600 (grinning face)" in found[0]
    assert found[2].startswith("the comment on EH05 of Kent")
    assert found[-1].startswith("the reason: ")
    assert list(unshown(OCTOBER)) == []


def test_all_csv_is_written_in_one_place() -> None:
    root = Path(__file__).parents[2]
    writers = [
        path.relative_to(root).as_posix()
        for package in ("schemas", "processors", "snapshots", "streams")
        for path in (root / package).rglob("*.py")
        if "csv.writer(" in path.read_text("utf-8") or "DictWriter(" in path.read_text("utf-8")
    ]
    assert writers == ["schemas/outward.py"]
    assert csv_text([["a", None, "=x()"]]) == "a,,'=x()\n"


@pytest.mark.parametrize("attack", [*ATTACKS, "a\n\nBreached\n--------\n  case C9"])
def test_a_digest_by_mail_has_no_line_formula_or_command_that_was_in_an_event(attack: str) -> None:
    now = datetime(2015, 10, 31, 9, tzinfo=UTC)
    acked = Ack(
        alert=alert_id(1),
        by=attack,
        reason=attack,
        at=now,
        until=now + timedelta(days=1),
        state="breached",
    )
    told = change(1, owner=attack, case=attack, title=attack)
    listed = OwnerDigest([told], [])
    parts = sections(listed, {alert_id(1): acked}, now, 10)
    plain, html = as_text(attack, parts), as_html(attack, parts)
    subject = subject_of(attack, listed)
    for text in (plain, html, subject):
        assert not any(sign in text for sign in OBEYED)
        assert f">{LINK}" not in text
    lines = plain.splitlines()
    assert len(lines) == 5
    assert "\n" not in subject
    for field in (subject, lines[0], *parts[0].lines[0]):
        assert for_csv(field) == field


def test_what_a_terminal_obeys_is_every_control_but_ends_of_lines_and_tabs() -> None:
    signs = [chr(number) for number in range(sys.maxunicode + 1)]
    obeyed = [it in TURNING or unicodedata.category(it) in {"Cc", "Cs"} for it in signs]
    expected = [
        STAND_IN if is_obeyed and it not in "\n\t" else it
        for it, is_obeyed in zip(signs, obeyed, strict=True)
    ]
    assert for_terminal("".join(signs)) == "".join(expected)
    assert all(for_terminal(it) == expected[ord(it)] for it in signs if not it.isprintable())
