"""The release folder: a numbered folder a release, there as a whole or not at all.

2015-10/001/release.json      canonical JSON
2015-10/001/release.sha256    its hash, as `sha256sum --check` reads it

Whatever else is kept beside releases (snapshots.disclosure.public_record) is kept in the same way.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from snapshots.releases.access import Access
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import Sealed, name_of, unseal
from snapshots.releases.durable import sync_folder, write_file
from snapshots.releases.release_failures import Damaged, NoRoom, Taken

STEM = "release"
RELEASE, HASH = f"{STEM}.json", f"{STEM}.sha256"
INCOMING = ".incoming-"
PERIOD_NAME, NUMBER_NAME = re.compile(r"\d{4}-\d{2}"), re.compile(r"\d{3,}")


@dataclass(frozen=True)
class ReleaseFolder:
    """The releases of all periods under one root, which `access` says who may read."""

    root: Path
    access: Access = Access.OWNER

    def periods(self) -> list[str]:
        """The periods that have a folder, in order."""
        return _named(self.root, PERIOD_NAME)

    def names(self, period: str) -> list[str]:
        """The names of a period's releases, in order of their numbers."""
        numbers = sorted(map(int, _named(self.root / period, NUMBER_NAME)))
        return [name_of(period, number) for number in numbers]

    def text(self, name: str) -> bytes:
        """A stored release's bytes. Raises Damaged unless they have the hash beside them."""
        return kept(self.root / name, name, STEM)

    def raw(self, name: str) -> bytes:
        """A stored release's bytes, whatever they are; none where there is no file."""
        path = self.root / name / RELEASE
        return path.read_bytes() if path.is_file() else b""

    def read(self, period: str) -> list[Sealed]:
        """A period's releases in order. Raises Damaged for one that is not as it was made."""
        return [unseal(name, self.text(name)) for name in self.names(period)]

    def write(self, sealed: Sealed) -> None:
        """Store a release, as a whole or not at all.

        Raises Taken when there is a release of that number already, and NoRoom.
        """
        try:
            self._write(sealed)
        except OSError as error:
            raise NoRoom(
                f"{sealed.name} could not be put into {self.root}: {error.strerror or error}. Make "
                "room, or mend who may write there, and ask for it again: what Kafka has of it is "
                "then put into the folder as it is"
            ) from error

    def _write(self, sealed: Sealed) -> None:
        target = self.root / sealed.name
        target.parent.mkdir(parents=True, exist_ok=True)
        self.access.set_folder(self.root)
        keep(target, self.root, STEM, sealed.text, self.access)

    def clear(self) -> None:
        """Remove what a process that died left behind; only while no other one writes."""
        for left in self.root.glob(f"{INCOMING}*"):
            shutil.rmtree(left)


def _named(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(it.name for it in folder.iterdir() if it.is_dir() and pattern.fullmatch(it.name))


def hash_line(text: bytes, name: str = RELEASE) -> bytes:
    """What stands beside a file: its hash, as `sha256sum` writes it."""
    return f"{sha256(text)}  {name}\n".encode()


def kept(folder: Path, name: str, stem: str) -> bytes:
    """The bytes kept in a folder. Raises Damaged unless they have the hash beside them."""
    try:
        text = (folder / f"{stem}.json").read_bytes()
        noted = (folder / f"{stem}.sha256").read_bytes()
    except FileNotFoundError as error:
        raise Damaged(f"{name}: {Path(error.filename).name} is missing") from error
    if noted != hash_line(text, f"{stem}.json"):
        raise Damaged(f"{name}: {stem}.json does not have the hash in {stem}.sha256")
    return text


def keep(target: Path, aside: Path, stem: str, text: bytes, access: Access) -> None:
    """Store bytes in a new folder, there as a whole or not at all whenever this is cut short.

    1. Write both files into a folder in `aside` that nobody reads, and bring them to the disk.
    2. Give the folder its name in one step, which fails if there is one of that name.
    3. Bring the name to the disk.

    Raises Taken when there is something of that name already.
    """
    access.set_folder(target.parent)
    incoming = Path(mkdtemp(prefix=INCOMING, dir=aside))
    try:
        _write(incoming / f"{stem}.json", text, access)
        _write(incoming / f"{stem}.sha256", hash_line(text, f"{stem}.json"), access)
        incoming.chmod(access.folder)
        sync_folder(incoming)
        incoming.rename(target)
    except OSError as error:
        shutil.rmtree(incoming, ignore_errors=True)
        if target.exists():
            name = f"{target.parent.name}/{target.name}"
            raise Taken(f"{name} is there already, and is never overwritten") from error
        raise
    for folder in dict.fromkeys((target.parent, aside)):
        sync_folder(folder)


def _write(path: Path, text: bytes, access: Access) -> None:
    write_file(path, text)
    path.chmod(access.fixed_file)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one to work in a folder; the system lets go for a process that dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def stray_files(folder: ReleaseFolder, period: str) -> Iterator[str]:
    """Files and folders among a period's releases that no release put there."""
    parent, names = folder.root / period, folder.names(period)
    own = {folder.root / name for name in names}
    expected = {path / name for path in own for name in (RELEASE, HASH)}
    for path in sorted(parent.iterdir()) if parent.is_dir() else ():
        for found in sorted(path.iterdir()) if path in own else (path,):
            if found not in expected:
                yield f"{found.relative_to(folder.root)}: not part of a release"
