"""A publication says what the release says, in every format, and never more than it may."""

import csv
import io
import json
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from schemas.catalogue import ALL_AGES
from schemas.release import Release
from snapshots.publish import writing
from snapshots.publish.formats.json_data import PublishedScorecard, json_files
from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.formats.pages import file_of, html_files
from snapshots.publish.text.view import DisclosureMissingError, View
from snapshots.publish.writing import PublicationFormat, publish
from snapshots.releases.canonical import canonical, sha256
from streams.october.compare_october import OCTOBER, ComparedCell, load_printed
from tests.support.dying import dies, publish_text
from tests.support.october_releases import earlier_months, later, october
from tests.support.pagetables import Tables, scorecard_of
from tests.support.publicview import HidesSome, public_view
from tests.support.screener import screen

pytestmark = pytest.mark.long

DIRECTIONS = {"up": "▲Up", "down": "▼Down", "level": "▶No change"}


def view_of(release: Release | None = None) -> View:
    return View(release or october(), [october(), *earlier_months()])


@cache
def first_view() -> View:
    return view_of()


@cache
def later_view() -> View:
    return view_of(later())


@cache
def open_view() -> View:
    """All of it in public, suppressed nowhere."""
    return open_view_of(october())


def open_view_of(release: Release) -> View:
    return View(release, [october(), *earlier_months()], "public", HidesSome([]))


@cache
def pages(view: View) -> dict[str, str]:
    """The pages by the names that public ones have."""
    return {name.replace("-internal", ""): text.decode() for name, text in html_files(view)}


@cache
def open_data(view: View) -> dict[str, str]:
    return {name: text.decode() for name, text in csv_files(view)}


@cache
def data(view: View) -> dict[str, bytes]:
    return dict(json_files(view))


def test_county_area_and_district_pages_carry_the_published_figures() -> None:
    publication, written = load_printed(), pages(first_view())
    cards = {
        area: scorecard_of(written[file_of(open_view(), area)]) for area in october().areas.names
    }
    for cell in publication.cells:
        known = publication.figures.get(((cell.code, cell.area, cell.age_band), cell.as_of))
        expected = (known.implied if known else cell.printed) or "[z]"
        assert _shown(cards[cell.area][cell.code], cell) == expected, cell
        if cell.dot:
            turned = publication.directions.get((cell.code, cell.area, cell.age_band))
            dot = turned.implied if turned else cell.dot
            assert cards[cell.area][cell.code]["Direction"] == DIRECTIONS.get(dot, "[z]"), cell


def _shown(row: dict[str, str], cell: ComparedCell) -> str:
    column = "Overall" if cell.age_band == ALL_AGES else cell.age_band
    if cell.as_of != OCTOBER:
        column = next(name for name in row if name.startswith("Previous"))
    return row[column].replace(",", "")


def test_every_page_escapes_what_people_wrote() -> None:
    page = pages(first_view())["thanet.html"]
    assert "<b>&</b>" not in page
    assert "&lt;b&gt;&amp;&lt;/b&gt; its partners" in page


def test_open_data_follow_the_layout_of_the_department() -> None:
    for view in (open_view(), open_view_of(later()), public_view()):
        files = open_data(view)
        figures, meta = "early_help_2015_10.csv", "early_help_2015_10.meta.csv"
        assert screen(figures, files[figures], meta, files[meta]) == []


def test_the_screener_finds_what_is_wrong() -> None:
    files = open_data(open_view())
    figures, meta = files["early_help_2015_10.csv"], files["early_help_2015_10.meta.csv"]
    one_less = "\n".join(figures.splitlines()[:-1]) + "\n"
    for wrong, complaint in (
        (one_less, "not a complete matrix"),
        (
            figures.replace("2015,October,Local authority,", "2015,Oct,Local authority,"),
            "identifier",
        ),
        (figures.replace("Planning area", "Area"), "level Area"),
        (figures.replace(",Total,", ",All,"), "no Total"),
        (figures.replace("E07000114,Thanet", "E07000114,Swale"), "district E07000114"),
    ):
        found = screen("a.csv", wrong, "a.meta.csv", meta)
        assert any(complaint in each for each in found), complaint


def test_open_data_hold_every_month_area_and_band() -> None:
    text = open_data(first_view())["early_help_2015_10_internal.csv"]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 7 * 17 * 6
    whole = [
        row["eh01"]
        for row in rows
        if row["geographic_level"] == "Local authority" and row["age_band"] == "Total"
    ]
    assert whole == [point.shown.text for point in first_view().trend("EH01", "Kent")]


def test_json_follows_its_schema_and_the_release_keeps_its_hash() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for view in (later_view(), public_view()):
        files = data(view)
        for name in map(view.named, ("scorecard.json", "release.json")):
            if name in files:
                rules = json.loads(files[name.replace(".json", ".schema.json")])
                jsonschema.Draft202012Validator(rules).validate(json.loads(files[name]))
        again = PublishedScorecard.model_validate_json(files[view.named("scorecard.json")])
        assert len(again.cells) == len(view.release.cells)
    internal = data(later_view())
    assert sha256(internal["release-internal.json"]) == later_view().sha256
    assert "release.json" not in data(public_view())


@pytest.mark.parametrize("kind", ["revised", "corrected"])
def test_first_release_revision_and_correction_differ_in_page_and_data(kind: str) -> None:
    release = later("revised" if kind == "revised" else "corrected")
    first, second = pages(first_view()), pages(view_of(release))
    assert "nothing earlier has changed" in first["index.html"]
    assert "First release, number 1" in first["index.html"]
    assert f"{kind.capitalize()}, number 2" in second["index.html"]
    assert "A closure of 29 October was entered in November." in second["index.html"]
    changed = dict(csv_files(view_of(release)))["early_help_2015_10_changes_internal.csv"].decode()
    assert [line.split(",")[3] for line in changed.splitlines()[1:]] == [kind, kind]
    told = json.loads(dict(json_files(view_of(release)))["scorecard-internal.json"])["releases"]
    assert [one["kind"] for one in told] == ["first", kind]
    log = Tables(second["changes.html"]).tables[0]
    assert [row[0] for row in log] == ["Number", "2", "1"]


def test_revised_figures_carry_a_mark_and_no_others_do() -> None:
    written = pages(later_view())
    assert scorecard_of(written["dartford.html"])["EH15"]["Overall"] == "68[r]"
    assert scorecard_of(written["dartford.html"])["EH15"]["0-4"].endswith("%")
    assert "[r]" not in "".join(scorecard_of(written["swale.html"])["EH15"].values())


def test_provisional_figures_all_carry_a_mark() -> None:
    release = october().model_copy(update={"kind": "provisional"})
    card = scorecard_of(pages(view_of(release))["kent.html"])
    assert all(row["Overall"].endswith("[p]") for row in card.values())


def test_a_changed_definition_breaks_the_series() -> None:
    release = october()
    indicators = tuple(
        one.model_copy(update={"definition": "Otherwise."}) if one.code == "EH05" else one
        for one in release.indicators
    )
    view = view_of(release.model_copy(update={"indicators": indicators}))
    assert [point.marks for point in view.trend("EH05", "Kent")] == [()] * 6 + [("b",)]
    assert view.cell("EH01", "Kent").marks == ()


def test_a_month_that_was_not_released_is_not_available_in_trends() -> None:
    months = [one for one in earlier_months() if one.period != "2015-08"]
    trend = View(october(), months).trend("EH01", "Kent")
    assert [point.shown.text for point in trend][4:] == ["[x]", "655", "816"]


def test_the_public_profile_needs_to_know_what_to_suppress() -> None:
    with pytest.raises(DisclosureMissingError):
        View(october(), profile="public")


def test_a_suppressed_figure_shows_nowhere() -> None:
    view = public_view()
    card = scorecard_of(pages(view)["dover.html"])["EH01"]
    told = {name: text for name, text in card.items() if name not in ("Indicator", "Frequency")}
    assert {told[name] for name in ("Overall", "0-4", "5-10", "11-15", "16+")} == {"[c]"}
    assert told["Direction"] == "[c]"
    figures = open_data(view)["early_help_2015_10.csv"]
    rows = csv.DictReader(io.StringIO(figures))
    october_rows = [row for row in rows if row["time_identifier"] == "October"]
    assert {row["eh01"] for row in october_rows if row["lad_name"] == "Dover"} == {"c"}
    assert not any("denominator" in name for name in october_rows[0])
    cells = json.loads(data(view)["scorecard.json"])["cells"]
    hidden = [one for one in cells if one["figure"]["symbol"] == "c"]
    assert len(hidden) == 19
    assert all(one["figure"]["value"] is one["numerator"] is None for one in hidden)


def test_no_public_file_carries_a_hash_that_suppressed_figures_could_be_tried_against() -> None:
    view = public_view()
    own = sha256(canonical(view.release.model_dump(mode="json")))
    for _, text in [*html_files(view), *json_files(view), *csv_files(view)]:
        assert own.encode() not in text
        assert (view.release.previous_release or "none").encode() not in text


def test_a_change_of_a_suppressed_figure_is_not_even_named() -> None:
    view = public_view()
    assert [one.change.area for one in view.changes(view.release)] == ["Kent"]
    assert "1 figure differs" in pages(view)["index.html"]


def test_bands_are_no_shares_of_a_suppressed_whole() -> None:
    card = scorecard_of(pages(public_view())["dartford.html"])["EH15"]
    assert {card[name] for name in ("Overall", "0-4", "5-10")} == {"[c]"}


def test_small_counts_of_odd_facts_are_suppressed_in_public() -> None:
    assert "step-up" not in pages(public_view())["quality.html"]
    rows = Tables(pages(public_view())["quality.html"]).tables[0][1:]
    assert [row[1] for row in rows] == ["[c]", "0", "12"]
    assert "Partition" not in pages(public_view())["quality.html"]


def test_the_same_release_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        {path.name: path.read_bytes() for path in publish(view_of(later()), tmp_path / name)}
        for name in ("one", "two")
    )
    assert first == second
    assert len(first) == 17 + 5 + 1 + 1 + 3 + 4


def test_a_publication_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(view_of(), tmp_path, [PublicationFormat.CSV])
    before = sorted(path.name for path in tmp_path.rglob("*"))

    def fails(view: View) -> writing.Files:
        raise OSError("no space left")
        yield

    monkeypatch.setitem(writing.WRITERS, PublicationFormat.JSON, fails)
    with pytest.raises(OSError, match="no space"):
        publish(view_of(), tmp_path, [PublicationFormat.HTML, PublicationFormat.JSON])
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


PUBLISHED = "2015-10-001-internal"


def texts_in(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted((folder / PUBLISHED).rglob("*.json"))]


def test_killed_at_any_moment_a_publication_is_the_old_one_or_the_new_or_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_here(folder: Path, text: str) -> None:
        files = [("a.json", text.encode()), ("b.json", text.encode())]
        monkeypatch.setitem(writing.WRITERS, PublicationFormat.JSON, lambda _: iter(files))
        publish(first_view(), folder, [PublicationFormat.JSON])

    seen: set[str] = set()
    for fatal in count(1):
        folder = tmp_path / str(fatal)
        publish_here(folder, "old")
        died = dies(fatal, publish_text, folder, "new")
        texts = texts_in(folder)
        assert texts in (["old"] * 2, ["new"] * 2, [])
        seen.add(texts[0] if texts else "none")
        publish_here(folder, "newest")
        assert texts_in(folder) == ["newest"] * 2
        assert [path.name for path in folder.iterdir()] == [PUBLISHED]
        if not died:
            break
    assert seen == {"old", "new", "none"}


def test_what_a_run_that_died_moved_aside_is_put_back_even_if_the_next_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(view_of(), tmp_path, [PublicationFormat.CSV])
    before = sorted(path.name for path in tmp_path.rglob("*"))
    (tmp_path / PUBLISHED).rename(tmp_path / f"{writing.ASIDE}{PUBLISHED}")
    (tmp_path / f"{writing.INCOMING}{PUBLISHED}").mkdir()

    def fails(view: View) -> writing.Files:
        raise OSError("no space left")
        yield

    monkeypatch.setitem(writing.WRITERS, PublicationFormat.JSON, fails)
    with pytest.raises(OSError, match="no space"):
        publish(view_of(), tmp_path, [PublicationFormat.JSON])
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
