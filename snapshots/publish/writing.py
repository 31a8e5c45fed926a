"""Publishing: every format asked for, whole or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from snapshots.publish.formats.json_data import json_files
from snapshots.publish.formats.opendata import csv_files
from snapshots.publish.formats.pages import html_files
from snapshots.publish.formats.pdf import pdf_files
from snapshots.publish.formats.workbook import xlsx_files
from snapshots.publish.text.view import View
from snapshots.releases.access import Access
from snapshots.releases.folder import alone, sync

Files = Iterator[tuple[str, bytes]]
# What a folder is called while it is written, and one that is about to be replaced.
INCOMING, ASIDE = ".publishing-", ".published-before-"


class Format(StrEnum):
    """What a publication is written as."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


WRITERS: dict[Format, Callable[[View], Files]] = {
    Format.HTML: html_files,
    Format.PDF: pdf_files,
    Format.XLSX: xlsx_files,
    Format.CSV: csv_files,
    Format.JSON: json_files,
}


def publish(
    view: View,
    folder: Path,
    formats: Sequence[Format] = tuple(Format),
    access: Access = Access.OWNER,
) -> list[Path]:
    """Write a publication into `folder`/<period>-<number>-<profile>/<format>; the files written.

    1. Wait until no one else publishes there, and put right what a run that died has left.
    2. Every file is written and flushed to disk in a hidden folder beside it.
    3. What was published there before is moved aside.
    4. The new folder is renamed into place, and the old one removed.
    A crash leaves the old publication, or none, or the new one; never a part of it. One that falls
    between 3 and 4 leaves the old one aside, until the next run puts it back. The same view gives
    the same bytes. What is public everyone may read, and `access` is for what is internal. Raises
    OSError when the folder cannot be written.
    """
    release = view.release
    target = folder / f"{release.period}-{release.number:03}-{view.profile}"
    hidden = folder / f"{INCOMING}{target.name}"
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        _recover(folder)
        hidden.mkdir(mode=Access.OWNER.folder)
        try:
            written = [
                _write(hidden / form / name, text)
                for form in dict.fromkeys(formats)
                for name, text in WRITERS[form](view)
            ]
            (access if view.profile == "internal" else Access.EVERYONE).set_all(hidden)
            if target.exists():
                target.rename(folder / f"{ASIDE}{target.name}")
            hidden.rename(target)
            sync(folder)
        finally:
            _recover(folder)
    return [target / path.relative_to(hidden) for path in written]


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
            sync(folder)


def _write(path: Path, text: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path
