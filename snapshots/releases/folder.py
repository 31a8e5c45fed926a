"""The release folder: a numbered folder a release, there as a whole or not at all.

2015-10/001/release.json      canonical JSON
2015-10/001/release.sha256    its hash, as `sha256sum --check` reads it
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from snapshots.releases.access import Access
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import Sealed, name_of, unseal
from snapshots.releases.failures import Damaged, NoRoom, Taken

RELEASE, HASH = "release.json", "release.sha256"
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
        try:
            text = (self.root / name / RELEASE).read_bytes()
            noted = (self.root / name / HASH).read_bytes()
        except FileNotFoundError as error:
            raise Damaged(f"{name}: {Path(error.filename).name} is missing") from error
        if noted != hash_line(text):
            raise Damaged(f"{name}: {RELEASE} does not have the hash in {HASH}")
        return text

    def raw(self, name: str) -> bytes:
        """A stored release's bytes, whatever they are; none where there is no file."""
        path = self.root / name / RELEASE
        return path.read_bytes() if path.is_file() else b""

    def read(self, period: str) -> list[Sealed]:
        """A period's releases in order. Raises Damaged for one that is not as it was made."""
        return [unseal(name, self.text(name)) for name in self.names(period)]

    def write(self, sealed: Sealed) -> None:
        """Store a release, which is there as a whole or not at all whenever this is cut short.

        1. Write both files into a folder that nobody reads, and bring them to the disk.
        2. Give the folder its name in one step, which fails if there is one of that name.
        3. Bring the name to the disk.

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
        self.access.set_folder(target.parent)
        incoming = Path(mkdtemp(prefix=INCOMING, dir=self.root))
        try:
            _write(incoming / RELEASE, sealed.text, self.access)
            _write(incoming / HASH, hash_line(sealed.text), self.access)
            incoming.chmod(self.access.folder)
            sync(incoming)
            incoming.rename(target)
        except OSError as error:
            shutil.rmtree(incoming, ignore_errors=True)
            if target.exists():
                raise Taken(f"{sealed.name} is there already, and is never overwritten") from error
            raise
        for folder in (target.parent, self.root):
            sync(folder)

    def clear(self) -> None:
        """Remove what a process that died left behind; only while no other one writes."""
        for left in self.root.glob(f"{INCOMING}*"):
            shutil.rmtree(left)


def _named(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(it.name for it in folder.iterdir() if it.is_dir() and pattern.fullmatch(it.name))


def hash_line(text: bytes) -> bytes:
    """What stands beside a release: its hash, as `sha256sum` writes it."""
    return f"{sha256(text)}  {RELEASE}\n".encode()


def _write(path: Path, text: bytes, access: Access) -> None:
    with path.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(access.fixed_file)


def sync(folder: Path) -> None:
    """Make a rename in a folder last through a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
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
