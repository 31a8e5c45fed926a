"""The public record: what was let out in public, in the order in which it was.

What may go out of a release rests on all that went out before, so the record is kept as releases
are: entries are numbered, each holds the hash of the one before, and they lie in the folder of
releases and in the topic. An entry is written before what it tells of goes out.

public/00001/entry.json       canonical JSON
public/00001/entry.sha256     its hash, as `sha256sum --check` reads it

Before there was a record the public side of a release lay in public/2015-10-001.json. The first
entries take those in.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from schemas.release import Frozen, Release, Sha256
from snapshots.disclosure.public import Left, PublicRelease
from snapshots.disclosure.suppression import Rule
from snapshots.releases.access import Access
from snapshots.releases.canonical import canonical, parsed, sha256
from snapshots.releases.chain import Sealed, name_of
from snapshots.releases.failures import Damaged, LaterFormat
from snapshots.releases.folder import INCOMING, keep, kept
from snapshots.releases.topic import PUBLIC

# The format that entries are written in; stored ones keep theirs.
FORMAT = 1
STEM = "entry"
NUMBER_NAME = re.compile(r"\d{5,}")
BEFORE_THE_RECORD = re.compile(r"(\d{4}-\d{2})-(\d{3,})\.json")


class Acceptance(Frozen):
    """Someone has read a text of a release, and says why it may go out with its figures."""

    text: Annotated[int, Field(ge=0)]
    sha256: Sha256
    by: str
    reason: str


class Entry(Frozen):
    """One entry: a release that was let out, or a text of one that was accepted.

    `release` and `release_sha256` say which release it is of. With `public`, what was let out of
    it: `narrow` and `exposed` name the small counts that it protects less than the rule asks for,
    and `narrow_by` who took that upon themselves. `was_before` marks what went out before there
    was a record.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    number: Annotated[int, Field(ge=1)]
    before: Sha256 | None
    what: Literal["let-out", "accepted"]
    on: date
    release: str
    release_sha256: Sha256
    public: PublicRelease | None = None
    narrow: tuple[Left, ...] = ()
    exposed: tuple[Left, ...] = ()
    narrow_by: str | None = None
    was_before: bool = False
    accepted: Acceptance | None = None

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Self:
        if (self.public is None) != (self.what != "let-out"):
            raise ValueError("an entry has the public side of a release that it lets out")
        if (self.accepted is None) != (self.what != "accepted"):
            raise ValueError("an entry has an acceptance, if it is one")
        if self.public and name_of(self.public.period, self.public.number) != self.release:
            raise ValueError("an entry has the public side of another release")
        return self


@dataclass(frozen=True)
class Kept:
    """An entry as it is stored, with its hash."""

    entry: Entry
    text: bytes
    sha256: str

    @property
    def name(self) -> str:
        """Its place in the folder and its key in the topic."""
        return entry_name(self.entry.number)


class Record:
    """The entries, in order, and what they say."""

    def __init__(self, entries: Iterable[Kept] = ()) -> None:
        self.entries = list(entries)

    def next(self, what: Literal["let-out", "accepted"], on: date, of: Sealed) -> Entry:
        """The beginnings of the next entry, which is of a release; not yet checked."""
        return Entry.model_construct(
            format=FORMAT,
            number=len(self.entries) + 1,
            before=self.entries[-1].sha256 if self.entries else None,
            what=what,
            on=on,
            release=of.name,
            release_sha256=of.sha256,
        )

    @property
    def let_out(self) -> dict[str, PublicRelease]:
        """The public side of each release that has gone out, by the release's name."""
        return {
            it.entry.release: it.entry.public for it in self.entries if it.entry.public is not None
        }

    def rule_of(self, period: str) -> Rule | None:
        """The rule that a period's figures first went out by, which holds for good."""
        rules = (it.rule for it in self.let_out.values() if it.period == period)
        return next(rules, None)

    def accepts(self, release: str, number: int, text: str) -> bool:
        """Whether a text of a release was accepted as it stands."""
        own = (it.entry.accepted for it in self.entries if it.entry.release == release)
        told = {(it.text, it.sha256) for it in own if it}
        return (number, sha256(text.encode())) in told

    def strangers(self, releases: Mapping[str, str]) -> Iterator[str]:
        """What the record tells of and is not there, by the hashes of the releases there are."""
        for it in self.entries:
            there = releases.get(it.entry.release)
            if there is None:
                yield f"{it.name}: {it.entry.release}, which it tells of, is not in the folder"
            elif there != it.entry.release_sha256:
                yield f"{it.name}: {it.entry.release} is not the release that it tells of"


def entry_name(number: int) -> str:
    """An entry's place in the folder and its key in the topic."""
    return f"{PUBLIC}{number:05}"


def sealed_entry(entry: Entry) -> Kept:
    """A new entry in the form that is hashed and stored. Raises ValueError for one that is none."""
    checked = Entry.model_validate_json(canonical(entry.model_dump(mode="json")))
    text = canonical(checked.model_dump(mode="json"))
    return Kept(checked, text, sha256(text))


def unsealed(name: str, text: bytes) -> Kept:
    """The entry that a stored text holds. Raises Damaged, or LaterFormat."""
    try:
        said = parsed(text)
    except ValueError as error:
        raise Damaged(f"{name}: {error}, so it is not what was written") from error
    number = said.get("format") if isinstance(said, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise LaterFormat(f"{name}: of format {number}, by a later Caseline: update this one")
    try:
        entry = Entry.model_validate_json(text)
    except ValidationError as error:
        raise Damaged(f"{name}: not an entry of the public record") from error
    found = Kept(entry, text, sha256(text))
    if found.name != name:
        raise Damaged(f"{name}: it says that it is {found.name}")
    return found


def record_of(texts: Mapping[str, bytes]) -> Record:
    """The record from its stored texts by name. Raises Damaged when any of it is missing."""
    entries = [unsealed(name, texts[name]) for name in sorted(texts, key=_number_of)]
    wrong = list(_faults(entries))
    if wrong:
        raise Damaged("; ".join(wrong))
    return Record(entries)


def _number_of(name: str) -> int:
    number = name.removeprefix(PUBLIC)
    if not NUMBER_NAME.fullmatch(number):
        raise Damaged(f"{name!r} is not the name of an entry of the public record")
    return int(number)


def _faults(entries: Sequence[Kept]) -> Iterator[str]:
    before: Kept | None = None
    for expected, it in enumerate(entries, start=1):
        if it.entry.number != (before.entry.number + 1 if before else 1):
            yield f"{it.name}: {entry_name(expected)} is missing before it"
        elif it.entry.before != (before.sha256 if before else None):
            yield f"{it.name}: the hash it holds of the entry before is of another one"
        before = it


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

    def write(self, it: Kept) -> None:
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


def texts_of(release: Release) -> list[tuple[str, str]]:
    """The texts that people wrote for a release, each with what it is of: the reason, comments.

    A comment with the role of who wrote it, as it goes out.
    """
    said = [
        (f"{it.area}, {it.code or 'headline'}", f"{it.text} ({it.author_role})")
        for it in release.commentary
    ]
    return [("reason", release.reason), *said]
