"""`caseline snapshot list`, `show` and `diff`, as they stand on a terminal of 80 columns."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.release import Commentary
from snapshots.making.draft import withdrawal
from snapshots.releases.chain import requested, seal
from snapshots.releases.folder import ReleaseFolder
from streams.terminal.commands.feeding import _sent
from streams.terminal.commands.snapshot import snapshot
from tests.support.releases import chain_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseFolder:
    monkeypatch.setenv("CASELINE_RELEASES", str(tmp_path))
    return ReleaseFolder(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(snapshot, arguments)


def test_a_list_has_a_whole_line_for_each_release_in_80_columns(folder: ReleaseFolder) -> None:
    first, second = chain_of("first", "revised")
    long = {"author": "Anastasia Featherstonehaugh-Montgomery", "reason": "Late closures. " * 9}
    second = seal(second.release.model_copy(update=long))
    for sealed in (first, second):
        folder.write(sealed)
    lines = run("list").output.splitlines()
    assert all(len(line) <= 80 for line in lines)
    for sealed in (first, second):
        (line,) = (it for it in lines if it.split()[:1] == [sealed.name])
        for part in (sealed.release.kind, str(sealed.release.released_on), sealed.sha256[:12]):
            assert f" {part}" in line
    words = " ".join(lines).split()
    assert words.count("closures.") == 9


@pytest.mark.parametrize(
    "arguments",
    [
        ("2015-10/1",),
        ("2015-10/001",),
        ("2015-10", "--number", "1"),
        ("2015-10/1", "--number", "1"),
    ],
)
def test_a_release_is_shown_by_its_name_or_by_month_and_number(
    folder: ReleaseFolder, arguments: tuple[str, ...]
) -> None:
    first, second = chain_of("first", "revised")
    for sealed in (first, second):
        folder.write(sealed)
    assert run("show", *arguments, "--format", "json").output == first.text.decode() + "\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("2015-10/2", "--number", "1"), "2015-10/002 is not number 1"),
        (("2015-10/0",), "a release is named like 2015-10/1"),
        (("2015-10/x",), "a release is named like 2015-10/1"),
        (("October",), "a month is written like 2015-10"),
        (("2015-10/7",), "no release 2015-10/007"),
    ],
)
def test_a_name_that_is_none_is_said_in_a_line(
    folder: ReleaseFolder, arguments: tuple[str, ...], complaint: str
) -> None:
    folder.write(chain_of("first")[0])
    result = run("show", *arguments)
    assert result.exit_code in (1, 2)
    assert complaint in " ".join(result.output.replace("│", " ").split())


def test_a_withdrawal_is_listed_and_shown_and_compared_with_nothing(folder: ReleaseFolder) -> None:
    chain = chain_of("first")
    request = requested("2015-10", "withdrawn", "A. Analyst", "Too early.")
    chain.append(seal(withdrawal(chain, request, chain[0].release.released_on)))
    for sealed in chain:
        folder.write(sealed)
    assert "withdrawn" in run("list").output
    assert "Too early." in " ".join(run("show", "2015-10").output.split())
    assert "no figures to compare with" in run("diff", "2015-10/1", "2015-10/2").output


def test_a_changed_comment_is_in_a_diff_of_every_format(folder: ReleaseFolder) -> None:
    first = chain_of("first")[0]
    note = {"code": "EH01", "area": "Kent", "author_role": "Manager", "text": "Quiet."}
    fields = {"commentary": (Commentary.model_validate(note),), "number": 2, "kind": "revised"}
    second = seal(first.release.model_copy(update={**fields, "previous_release": first.sha256}))
    for sealed in (first, second):
        folder.write(sealed)
    both = ("diff", "2015-10/1", "2015-10/2")
    assert "Quiet. (Manager)" in run(*both).output
    (told,) = json.loads(run(*both, "--format", "json").output)
    assert (told["field"], told["before"], told["after"]) == (
        "commentary",
        None,
        "Quiet. (Manager)",
    )
    (row,) = csv.DictReader(io.StringIO(run(*both, "--format", "csv").output))
    assert (row["code"], row["area"], row["after"]) == ("EH01", "Kent", "Quiet. (Manager)")


def test_what_was_sent_adds_up() -> None:
    both = {"case-events": 17, "reference-events": 5}
    assert (
        _sent(21, both)
        == "21 events sent as 22 messages (17 to case-events, 5 to reference-events)"
    )
    assert _sent(22, both) == "22 events sent (17 to case-events, 5 to reference-events)"
    assert _sent(0, {}) == "0 events sent (none)"
