"""Publishing: every format asked for, whole or not at all."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from snapshots.publish.formats.json_data import json_files
from snapshots.publish.formats.notice import (
    notice_csv,
    notice_html,
    notice_json,
    notice_pdf,
    notice_xlsx,
)
from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.formats.pages import html_files
from snapshots.publish.formats.pdf import pdf_files
from snapshots.publish.formats.workbook import xlsx_files
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import Profile
from snapshots.releases.access import Access
from snapshots.releases.durable import sync_folder, write_file
from snapshots.releases.folder import alone
from snapshots.releases.release_failures import NotAllowed

Files = Iterator[tuple[str, bytes]]
# What a folder is called while it is written, and one that is about to be replaced.
INCOMING, ASIDE = ".publishing-", ".published-before-"


class PublicationFormat(StrEnum):
    """What a publication is written as."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


WRITERS: dict[PublicationFormat, Callable[[View], Files]] = {
    PublicationFormat.HTML: html_files,
    PublicationFormat.PDF: pdf_files,
    PublicationFormat.XLSX: xlsx_files,
    PublicationFormat.CSV: csv_files,
    PublicationFormat.JSON: json_files,
}
NOTICES: dict[PublicationFormat, Callable[[View], Files]] = {
    PublicationFormat.HTML: notice_html,
    PublicationFormat.PDF: notice_pdf,
    PublicationFormat.XLSX: notice_xlsx,
    PublicationFormat.CSV: notice_csv,
    PublicationFormat.JSON: notice_json,
}
PROFILES: tuple[Profile, ...] = ("internal", "public")


def publish(
    view: View,
    folder: Path,
    formats: Sequence[PublicationFormat] = tuple(PublicationFormat),
    access: Access = Access.OWNER,
) -> list[Path]:
    """Write a publication into `folder`/<period>-<number>-<profile>/<format>; the files written.

    1. Wait until no one else publishes there, and put right what a run that died has left.
    2. Every file is written and flushed to disk in a hidden folder beside it.
    3. What was published there before is moved aside.
    4. The new folder is renamed into place, and the old one removed.
    A crash leaves the old publication, or none, or the new one; never a part of it. One that falls
    between 3 and 4 leaves the old one aside, until the next run puts it back. The same view gives
    the same bytes. What is public everyone may read, and `access` is for what is internal.

    A withdrawal puts a notice in the place of every publication of its month and profile.

    Raises NotAllowed where publications of the other profile are, and OSError when the folder
    cannot be written.
    """
    release = view.release
    names = [f"{release.period}-{release.number:03}-{view.profile}"]
    check_apart(folder, view.profile)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        _recover(folder)
        if release.kind == "withdrawn":
            pattern = f"{release.period}-*-{view.profile}"
            names += sorted(path.name for path in folder.glob(pattern) if path.name < names[0])
        allowed = access if view.profile == "internal" else Access.EVERYONE
        writers = NOTICES if release.kind == "withdrawn" else WRITERS
        files = [
            (Path(form) / name, text)
            for form in dict.fromkeys(formats)
            for name, text in writers[form](view)
        ]
        return [path for name in names for path in _replace(folder / name, files, allowed)]


def _replace(target: Path, files: Sequence[tuple[Path, bytes]], access: Access) -> list[Path]:
    """Put files into a folder in the place of all that was in it; where they are."""
    folder = target.parent
    hidden = folder / f"{INCOMING}{target.name}"
    hidden.mkdir(mode=Access.OWNER.folder)
    try:
        written = [_write(hidden / name, text) for name, text in files]
        access.set_all(hidden)
        if target.exists():
            target.rename(folder / f"{ASIDE}{target.name}")
        hidden.rename(target)
        sync_folder(folder)
    finally:
        _recover(folder)
    return [target / path.relative_to(hidden) for path in written]


def check_apart(folder: Path, profile: Profile) -> None:
    """Raises NotAllowed where what is internal and what is public would lie together."""
    (other,) = (each for each in PROFILES if each != profile)
    pattern = f"[0-9][0-9][0-9][0-9]-[0-9][0-9]-*-{other}"
    here = folder.resolve()
    places = [(place, pattern) for place in (here, *here.parents)] + [(here, f"*/{pattern}")]
    for place, each in places:
        found = next(iter(sorted(place.glob(each))), None)
        if found is not None:
            raise NotAllowed(
                f"{found} is {other}: {profile} publications go into a folder of their own, "
                "neither within that one nor around it"
            )


def _recover(folder: Path) -> None:
    """Put back what was moved aside and not replaced, and remove what is of no more use."""
    for unfinished in folder.glob(f"{INCOMING}*"):
        shutil.rmtree(unfinished)
    for aside in folder.glob(f"{ASIDE}*"):
        target = folder / aside.name.removeprefix(ASIDE)
        if target.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(target)
            sync_folder(folder)


def _write(path: Path, text: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text)
    return path
