"""How fresh figures are, in words; and the last release, whatever lies in the folder."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from streams.serving.freshness import ago
from streams.serving.release_list import last_release

STORED = Path(__file__).parents[1] / "data/release-format-1"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-1), "dated ahead of now"),
        (timedelta(0), "less than a minute ago"),
        (timedelta(seconds=59), "less than a minute ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=4_000), "4,000 days ago"),
    ],
)
def test_how_long_ago_is_said_in_words(age: timedelta, words: str) -> None:
    assert ago(age) == words


def test_the_last_release_says_what_it_is(tmp_path: Path) -> None:
    assert last_release(tmp_path / "nowhere") is None
    assert last_release(tmp_path) is None
    shutil.copytree(STORED, tmp_path / "2015-10" / "001")
    found = last_release(tmp_path)
    assert found is not None
    assert (found.period, found.number) == ("2015-10", 1)
    assert found.released_on >= date(2015, 10, 31)


def test_a_release_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "2015-11" / "001"
    folder.mkdir(parents=True)
    (folder / "release.json").write_bytes(b'{"period": "2015-11"')
    assert last_release(tmp_path) is None
