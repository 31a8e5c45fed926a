"""What a publication is proved by: the hash of a file that whoever reads it can have."""

from functools import lru_cache
from typing import NamedTuple

from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.text.view import View
from snapshots.releases.canonical import sha256


class Proof(NamedTuple):
    """A file, and its SHA-256."""

    file: str
    sha256: str

    def __str__(self) -> str:
        return f"SHA-256 of {self.file}"


@lru_cache(maxsize=4)
def proof_of(view: View) -> Proof | None:
    """The file that proves a publication; none where that file is not in it.

    Inside the council it is the release itself, here or in the folder of releases, whose hash the
    next one of its chain carries. In public it is the open data.
    """
    if view.is_internal:
        is_here = "json" in view.formats
        return Proof(view.named("release.json") if is_here else "the release", view.sha256)
    if "csv" not in view.formats:
        return None
    name, text = next(iter(csv_files(view)))
    return Proof(name, sha256(text))
