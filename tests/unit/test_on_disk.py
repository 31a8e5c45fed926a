"""What lies on disk unsuppressed: for its owner alone, and gone with a process that is killed."""

import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rules import Rules
from snapshots.publish.text.view import View
from snapshots.publish.writing import PublicationFormat, publish
from snapshots.recount import disk
from snapshots.recount.disk import LogRecord, Spill, read_pieces, unnamed_file
from snapshots.releases.access import Access, write_privately
from snapshots.releases.chain import unseal
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import NoRoom
from tests.support.frozenlogs import ROOT, case_log

STORED = Path(__file__).parents[1] / "data/release-format-1/release.json"
SEALED = unseal("2015-10/001", STORED.read_bytes())


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """A umask that would let everyone read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    paths = [folder, *folder.rglob("*")]
    return {str(it.relative_to(folder)): stat.S_IMODE(it.stat().st_mode) for it in paths}


def test_a_freeze_that_is_killed_leaves_no_event_on_disk(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from snapshots.recount import disk

        disk.MOST_WAITING = 100
        file = disk.unnamed_file()
        spill = disk.Spill(file, disk.buckets_for(100_000))
        birth = b'{"date_of_birth": "2003-12-03"}'
        spill.add(disk.LogRecord("t", 0, n, b"CHILD-%d" % n, birth, ()) for n in range(20_000))
        print("laid out", flush=True)
        bucket = disk.read_pieces(file.fileno(), spill.pieces()[0])
        print("being read", len(bucket), flush=True)
        sys.stdin.read()
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "laid out\n"
        assert process.stdout.readline().startswith("being read")
        assert list(tmp_path.rglob("*")) == []
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("*")) == []


@given(
    st.lists(
        st.tuples(st.sampled_from([None, b"a", b"b", b"c", b"d"]), st.binary(max_size=40)),
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_what_is_laid_out_comes_back_by_key_and_in_order(
    given_records: list[tuple[bytes | None, bytes]], buckets: int
) -> None:
    records = [
        LogRecord("t", 0, offset, key, value, (("n", None),))
        for offset, (key, value) in enumerate(given_records)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "MOST_WAITING", 64)
        with unnamed_file() as file:
            spill = Spill(file, buckets)
            spill.add(records)
            read = [read_pieces(file.fileno(), pieces) for pieces in spill.pieces()]
    assert len(read) == buckets
    assert sorted(it.offset for bucket in read for it in bucket) == list(range(len(records)))
    places = defaultdict(set)
    for number, bucket in enumerate(read):
        by_key: dict[bytes | None, list[int]] = defaultdict(list)
        for it in bucket:
            assert it == records[it.offset]
            places[it.key].add(number)
            by_key[it.key].append(it.offset)
        assert all(offsets == sorted(offsets) for offsets in by_key.values())
    assert all(len(numbers) == 1 for numbers in places.values())


def test_releases_are_for_their_owner_even_where_the_folder_was_there(tmp_path: Path) -> None:
    root = tmp_path / "releases"
    root.mkdir()
    root.chmod(0o755)
    folder = ReleaseFolder(root)
    folder.write(SEALED)
    assert modes(root) == {
        ".": 0o700,
        "2015-10": 0o700,
        "2015-10/001": 0o700,
        "2015-10/001/release.json": 0o400,
        "2015-10/001/release.sha256": 0o400,
    }
    assert folder.text("2015-10/001") == SEALED.text


def test_others_may_read_releases_where_that_is_set(tmp_path: Path) -> None:
    ReleaseFolder(tmp_path, Access.of("group")).write(SEALED)
    assert set(modes(tmp_path).values()) == {0o750, 0o440}
    shared = tmp_path / "shared"
    ReleaseFolder(shared, Access.of("everyone")).write(SEALED)
    assert set(modes(shared).values()) == {0o755, 0o444}


def test_an_internal_publication_is_for_its_owner_unless_set_otherwise(tmp_path: Path) -> None:
    view = View(SEALED.release, [])
    formats = [PublicationFormat.CSV, PublicationFormat.HTML]
    publish(view, tmp_path, formats)
    assert set(modes(tmp_path / "2015-10-001-internal").values()) == {0o700, 0o600}
    publish(view, tmp_path, formats, Access.GROUP)
    assert set(modes(tmp_path / "2015-10-001-internal").values()) == {0o750, 0o640}


def test_a_public_one_is_for_everyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = View(SEALED.release, [])
    monkeypatch.setattr(view, "profile", "public")
    os.umask(0o077)
    publish(view, tmp_path, [PublicationFormat.CSV])
    assert set(modes(tmp_path / "2015-10-001-public").values()) == {0o755, 0o644}


def test_messages_that_are_written_out_are_for_their_owner(tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_bytes(b"something longer than that")
    for path in (there, tmp_path / "new.jsonl"):
        write_privately(path, b"{}\n")
        assert path.read_bytes() == b"{}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes, as where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_release_for_which_there_is_no_room_is_not_there_and_is_whole_once_there_is(
    tmp_path: Path,
) -> None:
    folder = ReleaseFolder(tmp_path / "releases")
    with (
        full_disk(1_000),
        pytest.raises(NoRoom, match="could not be put into"),
    ):
        folder.write(SEALED)
    assert folder.names("2015-10") == []
    assert [it for it in folder.root.rglob("*") if it.is_file()] == []
    folder.write(SEALED)
    assert folder.read("2015-10") == [SEALED]


@pytest.mark.parametrize("messages", [10_000, 20], ids=["few-buckets", "many-buckets"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_recount_that_has_no_room_for_the_log_says_where(
    rules: Rules,
    processes: int,
    messages: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(disk, "BUCKET_MESSAGES", messages)
    log = case_log(rules, 2_000)
    question = log.question(date(2015, 10, 31))
    where = f"laid out in {tmp_path}, .* or name another folder in TMPDIR"
    with full_disk(10_000), pytest.raises(NoRoom, match=where):
        log.evidence(question, processes)
    assert log.evidence(question, processes).cells
