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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from schemas.release import Frozen, Release, Sha256
from snapshots.disclosure.public import Left, PublicRelease
from snapshots.disclosure.suppression import Rule
from snapshots.releases.canonical import canonical, sha256
from snapshots.releases.chain import Sealed, name_of, stated_format
from snapshots.releases.release_failures import Damaged, LaterFormat
from snapshots.releases.topic import PUBLIC

# The format that entries are written in; stored ones keep theirs.
# 1  the first.
# 2  cells and changes say what kind of place they are of.
FORMAT = 2
NUMBER_NAME = re.compile(r"\d{5,}")


class Acceptance(Frozen):
    """Someone has read a text of a release, and says why it may go out with its figures."""

    text: Annotated[int, Field(ge=0)]
    sha256: Sha256
    by: str
    reason: str


class RecordEntry(Frozen):
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
class StoredEntry:
    """An entry as it is stored, with its hash."""

    entry: RecordEntry
    text: bytes
    sha256: str

    @property
    def name(self) -> str:
        """Its place in the folder and its key in the topic."""
        return entry_name(self.entry.number)


class PublicRecord:
    """The entries, in order, and what they say."""

    def __init__(self, entries: Iterable[StoredEntry] = ()) -> None:
        self.entries = list(entries)

    def next(self, what: Literal["let-out", "accepted"], on: date, of: Sealed) -> RecordEntry:
        """The beginnings of the next entry, which is of a release; not yet checked."""
        return RecordEntry.model_construct(
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


def sealed_entry(entry: RecordEntry) -> StoredEntry:
    """A new entry in the form that is hashed and stored. Raises ValueError for one that is none."""
    checked = RecordEntry.model_validate_json(canonical(entry.model_dump(mode="json")))
    text = canonical(checked.model_dump(mode="json"))
    return StoredEntry(checked, text, sha256(text))


def unsealed(name: str, text: bytes) -> StoredEntry:
    """The entry that a stored text holds. Raises Damaged, or LaterFormat."""
    number = stated_format(name, text)
    if number is not None and number > FORMAT:
        raise LaterFormat(f"{name}: of format {number}, by a later Caseline: update this one")
    try:
        entry = RecordEntry.model_validate_json(text)
    except ValidationError as error:
        raise Damaged(f"{name}: not an entry of the public record") from error
    found = StoredEntry(entry, text, sha256(text))
    if found.name != name:
        raise Damaged(f"{name}: it says that it is {found.name}")
    return found


def record_of(texts: Mapping[str, bytes]) -> PublicRecord:
    """The record from its stored texts by name. Raises Damaged when any of it is missing."""
    entries = [unsealed(name, texts[name]) for name in sorted(texts, key=_number_of)]
    wrong = list(_faults(entries))
    if wrong:
        raise Damaged("; ".join(wrong))
    return PublicRecord(entries)


def _number_of(name: str) -> int:
    number = name.removeprefix(PUBLIC)
    if not NUMBER_NAME.fullmatch(number):
        raise Damaged(f"{name!r} is not the name of an entry of the public record")
    return int(number)


def _faults(entries: Sequence[StoredEntry]) -> Iterator[str]:
    before: StoredEntry | None = None
    for expected, it in enumerate(entries, start=1):
        if it.entry.number != (before.entry.number + 1 if before else 1):
            yield f"{it.name}: {entry_name(expected)} is missing before it"
        elif it.entry.before != (before.sha256 if before else None):
            yield f"{it.name}: the hash it holds of the entry before is of another one"
        before = it


def texts_of(release: Release) -> list[tuple[str, str]]:
    """The texts that people wrote for a release, each with what it is of: the reason, comments.

    A comment with the role of who wrote it, as it goes out.
    """
    said = [
        (f"{it.area}, {it.code or 'headline'}", f"{it.text} ({it.author_role})")
        for it in release.commentary
    ]
    return [("reason", release.reason), *said]
