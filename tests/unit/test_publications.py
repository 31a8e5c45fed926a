"""Files of a publication: what is offered of a folder, and that nothing else can be asked for."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.serving.publications import published_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A public folder of one release with files of two formats, and what must not go out."""
    secret = tmp_path / "secret.csv"
    secret.write_text("secret")
    public = tmp_path / "public"
    own = public / "2015-10-001-public"
    for name in ("csv/a.csv", "json/a.json", "html/index.html", "csv/deeper/b.csv"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(name)
    (own / "csv" / "link.csv").symlink_to(secret)
    (own / "csv" / 'a"\r\nX-Header: b.csv').write_text("a name that would be a header")
    (own / "pdf").symlink_to(tmp_path)
    (public / "2015-10-002-public").symlink_to(own)
    (public / "2015-10-001-internal" / "csv").mkdir(parents=True)
    (public / "2015-10-001-internal" / "csv" / "inside.csv").write_text("inside")
    return public


def test_plain_files_of_the_offered_formats_are_there_and_nothing_else(folder: Path) -> None:
    found = published_files(folder, "2015-10", 1, "public")
    assert {name: media for name, (_, media) in found.items()} == {
        "a.csv": "text/csv",
        "a.json": "application/json",
    }
    assert found["a.csv"][0].read_text() == "csv/a.csv"


def test_there_is_nothing_where_there_is_no_publication(folder: Path) -> None:
    assert not published_files(None, "2015-10", 1, "public")
    assert not published_files(folder / "nowhere", "2015-10", 1, "public")
    assert not published_files(folder, "2015-10", 2, "public")  # a link to the first


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    period=st.sampled_from(["2015-10", "../public/2015-10", "2015-10-001-internal/..", ".", ""])
    | st.text(max_size=12),
    number=st.integers(-2, 1200),
)
def test_whatever_is_asked_for_comes_from_the_folder_of_just_that_release(
    folder: Path, period: str, number: int
) -> None:
    found = published_files(folder, period, number, "public")
    assert bool(found) == ((period, number) == ("2015-10", 1))
