"""What was published of a release, as files to keep: found by looking, never by joining names.

What an address asks for is compared with the names that are there, so that no name leads out of the
folder; and what is no plain file in it, such as a link, is not there.
"""

import os
import re
from pathlib import Path

from snapshots.publish.text.wording import Profile
from streams.serving.roles import CSV, JSON, PDF, XLSX

# The formats that are offered, in their order. Pages are a site of their own, to be put up as one.
FORMATS = {"pdf": PDF, "xlsx": XLSX, "csv": CSV, "json": JSON}
# What files are called here; no other name goes into a header.
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def published_files(
    folder: Path | None, period: str, number: int, profile: Profile
) -> dict[str, tuple[Path, str]]:
    """The files of a release's publication by name, each with its media type."""
    if folder is None:
        return {}
    own = _folders(folder).get(f"{period}-{number:03d}-{profile}")
    forms = _folders(own) if own else {}
    return {
        name: (path, media)
        for form, media in FORMATS.items()
        if form in forms
        for name, path in _plain_files(forms[form]).items()
    }


def _folders(folder: Path) -> dict[str, Path]:
    """The folders in a folder, by name."""
    try:
        with os.scandir(folder) as found:
            return {it.name: Path(it) for it in found if it.is_dir(follow_symlinks=False)}
    except OSError:
        return {}


def _plain_files(folder: Path) -> dict[str, Path]:
    """The files in a folder, by name, in order."""
    try:
        with os.scandir(folder) as found:
            files = {
                it.name: Path(it)
                for it in found
                if it.is_file(follow_symlinks=False) and FILE_NAME.fullmatch(it.name)
            }
    except OSError:
        return {}
    return dict(sorted(files.items()))
