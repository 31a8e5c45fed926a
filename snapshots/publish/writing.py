"""Publishing: every format asked for, whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from snapshots.folder import sync
from snapshots.publish.opendata import csv_files
from snapshots.publish.pages import html_files
from snapshots.publish.published import json_files
from snapshots.publish.report import pdf_files
from snapshots.publish.view import View
from snapshots.publish.workbook import xlsx_files

Files = Iterator[tuple[str, bytes]]


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


def publish(view: View, folder: Path, formats: Sequence[Format] = tuple(Format)) -> list[Path]:
    """Write a publication into `folder`/<period>-<number>-<profile>/<format>; the files written.

    1. Every file is written and flushed to disk in a hidden folder beside it.
    2. What was published there before is moved aside.
    3. The new folder is renamed into place, and the old one removed.
    A crash leaves the old publication, or none, or the new one; never a part of it. The same
    view gives the same bytes. Raises OSError when the folder cannot be written.
    """
    release = view.release
    target = folder / f"{release.period}-{release.number:03}-{view.profile}"
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".{target.name}.{secrets.token_hex(4)}"
    aside = hidden.with_name(f"{hidden.name}.before")
    try:
        written = [
            _write(hidden / form / name, text)
            for form in dict.fromkeys(formats)
            for name, text in WRITERS[form](view)
        ]
        if target.exists():
            target.rename(aside)
        hidden.rename(target)
        sync(folder)
    finally:
        _remove([hidden, aside])
    return [target / path.relative_to(hidden) for path in written]


def _write(path: Path, text: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
