"""`caseline snapshot publish`: which release, which formats, and what the public may see."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from schemas.release import FORMAT, Commentary, Release
from snapshots.disclosure.public import PublicRelease, public_release
from snapshots.disclosure.public_record import record_of
from snapshots.disclosure.record_folder import RecordFolder
from snapshots.disclosure.suppression import Rule
from snapshots.publish.public_profile import LetOut
from snapshots.publish.text.view import View
from snapshots.releases.chain import seal
from snapshots.releases.folder import ReleaseFolder
from streams.terminal.commands.publish import publish
from tests.support.october_releases import later, october, only, release
from tests.support.record_topic import RecordTopic
from tests.support.screener import screen

app = typer.Typer()
app.command()(publish)


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release folder with September, and October first and revised."""
    RecordTopic(monkeypatch)
    root = tmp_path / "releases"
    monkeypatch.setenv("CASELINE_RELEASES", str(root))
    root.mkdir()
    for each in (release("2015-09"), october(), later()):
        ReleaseFolder(root).write(seal(each))
    return root


def run(to: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--period", "2015-10", "--to", str(to), *options])


def kept_in(releases: Path) -> list[PublicRelease]:
    return list(record_of(RecordFolder(releases).texts()).let_out.values())


def test_the_latest_release_is_published_in_every_format(releases: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "site")
    assert result.exit_code == 0, result.output
    site = tmp_path / "site/2015-10-002-internal"
    assert {path.name for path in site.iterdir()} == {"html", "pdf", "xlsx", "csv", "json"}
    stored = (releases / "2015-10/002/release.json").read_bytes()
    assert (site / "json/release-internal.json").read_bytes() == stored


def test_a_number_and_formats_can_be_chosen(releases: Path, tmp_path: Path) -> None:
    assert run(tmp_path, "--number", "1", "--formats", "csv,json").exit_code == 0
    site = tmp_path / "2015-10-001-internal"
    assert {path.name for path in site.iterdir()} == {"csv", "json"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--number", "9"), "there is no release 9 of 2015-10"),
        (("--period", "2015-12"), "there is no release of 2015-12"),
        (("--formats", "doc"), "formats are some of"),
        (("--profile", "secret"), "internal or public"),
    ],
)
def test_what_cannot_be_published_is_said_in_a_line(
    releases: Path, tmp_path: Path, options: tuple[str, ...], complaint: str
) -> None:
    result = run(tmp_path / "site", *options)
    assert result.exit_code in (1, 2)
    assert complaint in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "site").exists()


def test_a_public_release_suppresses_and_is_kept(releases: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "--number", "1", "--profile", "public", "--formats", "csv")
    assert result.exit_code == 0, result.output
    (kept,) = kept_in(releases)
    assert (kept.period, kept.number) == ("2015-10", 1)
    folder = tmp_path / "2015-10-001-public/csv"
    data, meta = "early_help_2015_10.csv", "early_help_2015_10.meta.csv"
    texts = (folder / data).read_text("utf-8"), (folder / meta).read_text("utf-8")
    assert screen(data, texts[0], meta, texts[1]) == []
    assert ",c," in texts[0]
    again = run(tmp_path / "again", "--number", "1", "--profile", "public", "--formats", "csv")
    assert again.exit_code == 0
    assert (tmp_path / "again/2015-10-001-public/csv" / data).read_text("utf-8") == texts[0]


def test_small_numbers_in_commentary_or_the_reason_stop_a_public_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RecordTopic(monkeypatch)
    note = Commentary(code="EH17", area="Dover", author_role="Manager", text="1 was stepped up.")
    why = "The closures of 2 brothers came late."
    told = {"commentary": (note,), "reason": why}
    talkative = only(october(), "EH15", "EH17").model_copy(update=told)
    monkeypatch.setenv("CASELINE_RELEASES", str(tmp_path / "releases"))
    (tmp_path / "releases").mkdir()
    ReleaseFolder(tmp_path / "releases").write(seal(talkative))
    result = run(tmp_path / "site", "--profile", "public")
    assert result.exit_code == 1
    assert "text 1 (Dover, EH17): 1, a small number" in result.output
    assert "text 0 (reason): 2, a small number" in result.output
    assert "caseline snapshot accept 2015-10/001 --text N" in result.output
    assert not (tmp_path / "site").exists()


def test_a_release_that_never_went_out_is_hidden_altogether() -> None:
    rule, first = Rule(), october()
    hidden = {cell.key for cell in first.cells if cell.code == "EH04"}
    out = public_release(first, rule, hidden, [])
    view = View(first, [release("2015-09")], "public", LetOut([out], rule))
    assert {point.shown.text for point in view.trend("EH01", "Kent")} == {"[c]", "816"}
    cell = view.cell("EH01", "Kent")
    assert (cell.previous.text, cell.direction) == ("[c]", None)
    assert view.cell("EH04", "Kent").figure.text == "[c]"


def test_other_rules_of_suppression_can_be_chosen(releases: Path, tmp_path: Path) -> None:
    options = ("--number", "1", "--profile", "public", "--formats", "json", "--threshold", "3")
    assert run(tmp_path, *options).exit_code == 0
    (kept,) = kept_in(releases)
    assert kept.rule.threshold == 3


@pytest.mark.parametrize(("format_number", "code"), [(FORMAT, 0), (1, 1)])
def test_a_release_of_another_catalogue_goes_out_by_its_own_if_it_kept_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_number: int, code: int
) -> None:
    RecordTopic(monkeypatch)
    monkeypatch.setenv("CASELINE_RELEASES", str(tmp_path / "releases"))
    (tmp_path / "releases").mkdir()
    few = only(october(), "EH01", "EH04", "EH16")
    old: Release = few.model_copy(update={"catalogue_version": "another"})
    if format_number == 1:
        old = old.model_copy(update={"format": 1, "measures": ()})
    ReleaseFolder(tmp_path / "releases").write(seal(old))
    result = run(tmp_path, "--profile", "public", "--formats", "json")
    assert result.exit_code == code, result.output
    assert ("CASELINE_CATALOGUE_FILE" in result.output) == bool(code)
