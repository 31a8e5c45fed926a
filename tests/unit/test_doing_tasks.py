"""Tasks on releases do what the commands do: the same files, the same words."""

from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from processors.rules import Rules
from schemas.settings import Settings
from snapshots.checking.question import Show
from snapshots.publish.text.wording import INTERNAL_NOTE
from snapshots.releases.chain import seal
from snapshots.releases.folder import ReleaseFolder
from streams.jobs.doing_tasks import do_task
from streams.jobs.release_tasks import (
    AcceptTask,
    FreezeTask,
    PreviewTask,
    PublishInternalTask,
    PublishTask,
    ReleaseTask,
    TaskOutcome,
)
from streams.terminal.commands.publish import publish
from tests.support.disclosing import step_downs
from tests.support.public_office import talkative
from tests.support.record_topic import RecordTopic

TODAY = date(2015, 12, 1)
PREVIEW = PreviewTask(period="2015-10", number=1)
app = typer.Typer()
app.command()(publish)


class Desk:
    """Does tasks on a folder of releases, and has the command do the same."""

    def __init__(
        self, root: Path, rules: Rules, has_folder: bool = True, internal: str = "internal"
    ) -> None:
        self.releases, self.public = root / "releases", root / "public"
        self.internal = root / internal
        self.releases.mkdir(exist_ok=True)
        self._settings = Settings(
            releases=self.releases,
            public_folder=self.public if has_folder else None,
            internal_folder=self.internal if internal else None,
        )
        self._rules = rules

    def do(self, task: ReleaseTask) -> TaskOutcome:
        def show(_: int) -> Show:
            return lambda *_: None

        return do_task(task, self._settings, self._rules, TODAY, show)

    def publishes(self, preview: TaskOutcome) -> TaskOutcome:
        assert preview.preview is not None, preview
        hashed = preview.preview.sha256
        return self.do(PublishTask(period="2015-10", number=1, preview=hashed, by="P"))

    def command(self, to: Path, profile: str = "public") -> Result:
        given = ["--period", "2015-10", "--number", "1", "--profile", profile, "--to", str(to)]
        return CliRunner().invoke(app, given)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: Rules) -> Desk:
    RecordTopic(monkeypatch)
    monkeypatch.setenv("CASELINE_RELEASES", str(tmp_path / "releases"))
    return Desk(tmp_path, rules)


def files(folder: Path) -> dict[str, bytes]:
    return {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*.*")}


def test_what_a_task_publishes_is_byte_for_byte_what_the_command_does(
    desk: Desk, tmp_path: Path
) -> None:
    ReleaseFolder(desk.releases).write(seal(step_downs(Alder_04=3)))
    previewed = desk.do(PREVIEW)
    assert (previewed.state, previewed.release) == ("done", "2015-10/001")
    assert not desk.public.exists()
    published = desk.publishes(previewed)
    assert published.state == "done"
    assert desk.command(tmp_path / "by-command").exit_code == 0
    assert files(desk.public) == files(tmp_path / "by-command")
    assert f"{len(files(desk.public))} files" in published.text


INTERNALLY = PublishInternalTask(period="2015-10", number=1, by="P")


def test_what_a_task_publishes_internally_is_what_the_command_does_and_says_so(
    desk: Desk, tmp_path: Path
) -> None:
    ReleaseFolder(desk.releases).write(seal(step_downs(Alder_04=3)))
    published = desk.do(INTERNALLY)
    assert (published.state, published.release) == ("done", "2015-10/001")
    assert not desk.public.exists()
    assert desk.command(tmp_path / "by-command", "internal").exit_code == 0
    found = files(desk.internal)
    assert found == files(tmp_path / "by-command")
    assert f"{len(found)} files" in published.text
    assert all(name.startswith("2015-10-001-internal/") for name in found)
    page = found["2015-10-001-internal/html/index-internal.html"].decode()
    assert INTERNAL_NOTE in page


@pytest.mark.parametrize("internal", ["public", "public/internal", ".", "internal"])
def test_what_is_internal_never_lies_beside_what_is_public(
    internal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: Rules
) -> None:
    RecordTopic(monkeypatch)
    desk = Desk(tmp_path, rules, internal=internal)
    ReleaseFolder(desk.releases).write(seal(step_downs(Alder_04=3)))
    if internal == "internal":
        # What someone has published there by hand.
        (desk.internal / "2015-09-001-public").mkdir(parents=True)
    refused = desk.do(INTERNALLY)
    assert refused.state == "refused"
    assert "within" in refused.text
    assert not files(desk.internal / "2015-10-001-internal")


def test_what_is_refused_is_refused_in_the_words_of_the_command(desk: Desk, tmp_path: Path) -> None:
    ReleaseFolder(desk.releases).write(seal(talkative("We met 4 families.")))
    previewed = desk.do(PREVIEW)
    refused = desk.publishes(previewed)
    assert refused.state == "refused"
    assert "".join(refused.text.split()) in "".join(desk.command(tmp_path / "x").output.split())
    reason = "Guests of the open day."
    accepted = desk.do(AcceptTask(period="2015-10", number=1, text=1, reason=reason, by="P"))
    assert accepted.text == "2015-10/001: text 1 may go out, P says."
    assert desk.publishes(desk.do(PREVIEW)).state == "done"


def test_a_task_that_cannot_be_done_says_why_and_leaves_nothing(
    desk: Desk, tmp_path: Path, rules: Rules
) -> None:
    missing = desk.do(PREVIEW)
    assert (missing.state, missing.preview) == ("refused", None)
    assert "there is no release 1 of 2015-10" in missing.text
    ReleaseFolder(desk.releases).write(seal(step_downs(Alder_04=3)))
    nowhere = Desk(tmp_path, rules, has_folder=False).do(PREVIEW)
    assert nowhere.state == "refused"
    assert "CASELINE_PUBLIC_FOLDER" in nowhere.text
    nowhere = Desk(tmp_path, rules, internal="").do(INTERNALLY)
    assert (nowhere.state, "CASELINE_INTERNAL_FOLDER" in nowhere.text) == ("refused", True)
    revised = desk.do(FreezeTask(period="2015-10", kind="revised", by="P"))
    assert (revised.state, "needs a reason" in revised.text) == ("refused", True)
    assert not desk.public.exists()
