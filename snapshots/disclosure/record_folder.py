"""The public record as it lies in the folder of releases, and what is wrong with it."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.public_record import NUMBER_NAME, StoredEntry, entry_name, record_of
from snapshots.releases.access import Access
from snapshots.releases.chain import name_of
from snapshots.releases.folder import INCOMING, keep, kept
from snapshots.releases.release_failures import Damaged
from snapshots.releases.topic import PUBLIC

STEM = "entry"
# What went out before there was a record: the public side of a release in a file of its own.
BEFORE_THE_RECORD = re.compile(r"\d{4}-\d{2}-\d{3,}\.json")


@dataclass(frozen=True)
class RecordFolder:
    """The record as it lies in the folder of releases."""

    releases: Path
    access: Access = Access.OWNER

    @property
    def folder(self) -> Path:
        """Where entries lie."""
        return self.releases / PUBLIC

    def names(self) -> list[str]:
        """The names of the entries, in order."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        numbers = sorted(int(it.name) for it in found if NUMBER_NAME.fullmatch(it.name))
        return [entry_name(number) for number in numbers]

    def texts(self) -> dict[str, bytes]:
        """Every entry's bytes. Raises Damaged unless each has the hash beside it."""
        return {name: kept(self.releases / name, name, STEM) for name in self.names()}

    def write(self, it: StoredEntry) -> None:
        """Store an entry, as a whole or not at all. Raises Taken."""
        self.folder.mkdir(parents=True, exist_ok=True)
        keep(self.releases / it.name, self.folder, STEM, it.text, self.access)

    def clear(self) -> None:
        """Remove what a process that died left behind; only while no other one writes."""
        for left in self.folder.glob(f"{INCOMING}*"):
            shutil.rmtree(left)

    def from_before(self) -> list[PublicRelease]:
        """What went out before there was a record. Raises Damaged for what is not whole."""
        paths = sorted(self.folder.iterdir()) if self.folder.is_dir() else ()
        return [_public_side(path) for path in paths if BEFORE_THE_RECORD.fullmatch(path.name)]


def _public_side(path: Path) -> PublicRelease:
    try:
        public = PublicRelease.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise Damaged(f"{PUBLIC}{path.name}: not the public side of a release") from error
    if path.name != f"{public.period}-{public.number:03}.json":
        raise Damaged(f"{PUBLIC}{path.name}: it is of another release")
    return public


def record_problems(
    folder: RecordFolder, topic: Mapping[str, bytes] | None, releases: Mapping[str, str]
) -> Iterator[str]:
    """What is wrong with the record, naming each entry; nothing if all is well.

    1. Each file has the hash beside it, and is an entry; numbers leave no gap, and each entry
       holds the hash of the one before.
    2. Folder and topic hold the same entries, byte for byte; None for no topic to compare with.
    3. The releases that it tells of are there as they were: `releases` has their hashes by name.
    4. What went out before there was a record is in it, once it has any entry.
    """
    if topic is not None:
        yield from _topic_problems(folder, topic)
    try:
        record = record_of(folder.texts())
        earlier = folder.from_before()
    except Damaged as damage:
        yield str(damage)
        return
    yield from record.strangers(releases)
    told = record.let_out
    for public in earlier if record.entries else ():
        if told.get(name_of(public.period, public.number)) != public:
            yield f"{PUBLIC}{public.period}-{public.number:03}.json: not in the public record"


def _topic_problems(folder: RecordFolder, topic: Mapping[str, bytes]) -> Iterator[str]:
    names = set(folder.names())
    for name in sorted(names | topic.keys()):
        if name not in topic:
            yield f"{name}: in the folder but not in the topic; the next publication sends it"
        elif name not in names:
            yield f"{name}: in the topic but not in the folder; the next publication puts it there"
        elif _raw(folder, name) != topic[name]:
            yield f"{name}: the folder and the topic have different entries of that name"


def _raw(folder: RecordFolder, name: str) -> bytes:
    path = folder.releases / name / f"{STEM}.json"
    return path.read_bytes() if path.is_file() else b""
