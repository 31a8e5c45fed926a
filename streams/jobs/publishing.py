"""Publishing a release: what may go out is decided once, kept, and then written.

What goes out in public is read, decided and kept under one lock, on this machine by the folder and
on every other one by Kafka, which refuses whoever began before. So two who publish at once decide
one after the other, and the second knows what the first let out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from schemas.catalogue import Catalogue
from schemas.cells import CellKey
from schemas.release import Release
from schemas.settings import Settings
from snapshots.checking.made_with import catalogue_of
from snapshots.disclosure.disclose import disclose
from snapshots.disclosure.disclosed import Disclosed
from snapshots.disclosure.public import Issued
from snapshots.disclosure.public_record import (
    Acceptance,
    PublicRecord,
    RecordEntry,
    StoredEntry,
    record_of,
    sealed_entry,
    texts_of,
)
from snapshots.disclosure.record_folder import RecordFolder
from snapshots.disclosure.suppression import Reason, Rule
from snapshots.publish.public_profile import LetOut
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import month_before
from snapshots.publish.writing import PublicationFormat, check_apart, publish
from snapshots.releases import topic
from snapshots.releases.access import Access
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import Sealed, name_of, standing
from snapshots.releases.folder import ReleaseFolder, alone
from snapshots.releases.release_failures import Damaged, NotAllowed
from streams.jobs.going_out import GoingOut
from streams.jobs.previews import Preview
from streams.jobs.texts_read import check_texts, stopped_reason, stopped_texts

# Months before the period whose releases are shown in trends.
MONTHS_BACK = 12


class AskedRelease(NamedTuple):
    """Which release is to be published, where, and as what; the latest where no number is given."""

    period: str
    number: int | None
    to: Path
    formats: Sequence[PublicationFormat]


class PublicChoice(NamedTuple):
    """What is asked of a public release; what is None is as it was, or the usual.

    `narrow_by` is who takes it upon themselves that small counts keep fewer possible values than
    the rule asks for.
    """

    threshold: int | None = None
    zeros_shown: bool | None = None
    narrow_by: str | None = None


@dataclass(frozen=True)
class Publishing:
    """Publishes the releases of one deployment, on a day, and tells what is worth knowing."""

    settings: Settings
    catalogue: Catalogue
    today: date
    tell: Callable[[str], None]

    def internal(self, asked: AskedRelease) -> list[Path]:
        """Publish everything for the council itself; the files. Raises ReleaseError, OSError."""
        chains = self._chains()
        sealed, others = _chosen(chains, asked)
        view = View(sealed.release, others, stored=sealed.text, formats=asked.formats)
        return self._write(view, asked)

    def public(
        self, asked: AskedRelease, choice: PublicChoice, previewed: str | None = None
    ) -> list[Path]:
        """Publish what may go out; the files written.

        1. Be the only one, and complete the record, which a run that died may have left undone.
        2. Refuse unless all is there that the record tells of.
        3. Decide what may go out, by the rule that the month first went out by, if it did; refuse
           unless that is what was `previewed`, where its hash is given.
        4. Put that into the record, before anything of it goes out.
        5. Write the publication.

        Raises ReleaseError, OSError.
        """
        check_apart(asked.to, "public")
        with self._record() as kept:
            outgoing = self._outgoing(kept, asked, choice)
            check_texts(outgoing.stopped)
            if previewed not in {None, outgoing.sha256}:
                raise NotAllowed(
                    f"{outgoing.sealed.name} would not go out as it was previewed: something has "
                    "changed since, so nothing went out. Preview it again"
                )
            if outgoing.entry and not outgoing.is_out:
                kept.add(self._taken_upon(outgoing.entry, choice))
        disclosure = LetOut(outgoing.let_out.values(), outgoing.rule)
        release, shown = outgoing.sealed.release, outgoing.shown
        view = View(release, shown, "public", disclosure, formats=asked.formats)
        return self._write(view, asked)

    def preview(self, asked: AskedRelease, choice: PublicChoice) -> Preview:
        """What `public` would let out, and why not the rest; nothing is kept or written for it.

        Raises ReleaseError, OSError.
        """
        check_apart(asked.to, "public")
        return self._outgoing(self._seen(), asked, choice).preview

    def accept(self, name: str, number: int, by: str, reason: str) -> None:
        """Keep that someone has read a text of a release, and why it may go out as it stands.

        Raises ReleaseError, OSError.
        """
        if not by.strip() or not reason.strip():
            raise NotAllowed("to accept a text give --by and --reason")
        with self._record() as kept:
            every = (it for chain in kept.chains for it in chain)
            sealed = next((it for it in every if it.name == name), None)
            if sealed is None:
                raise NotAllowed(f"there is no release {name}: `caseline snapshot list` shows them")
            texts = texts_of(sealed.release)
            if number >= len(texts):
                raise NotAllowed(f"{name} has texts 0 to {len(texts) - 1}, and no text {number}")
            text = texts[number][1]
            if not kept.record.accepts(name, number, text):
                entry = kept.record.next("accepted", self.today, sealed)
                hashed = sha256(text.encode())
                accepted = Acceptance(
                    text=number, sha256=hashed, by=by.strip(), reason=reason.strip()
                )
                kept.add(entry.model_copy(update={"accepted": accepted}))

    def _write(self, view: View, asked: AskedRelease) -> list[Path]:
        access = Access.of(self.settings.releases_readers)
        return publish(view, asked.to, asked.formats, access)

    def _chains(self) -> list[list[Sealed]]:
        folder = ReleaseFolder(self.settings.releases)
        return [folder.read(period) for period in folder.periods()]

    @contextmanager
    def _record(self) -> Iterator["_Kept"]:
        """The record, whole and complete, for the only one who may add to it meanwhile."""
        folder = self._record_folder
        folder.folder.mkdir(parents=True, exist_ok=True)
        with alone(folder.folder):
            brokers = self.settings.kafka
            publisher = topic.ReleasePublisher(brokers, topic.PUBLIC_TRANSACTIONS)
            folder.clear()
            record = _completed(folder, publisher, topic.public_record(brokers))
            yield self._checked(_Kept(record, folder, publisher, self._chains()))

    def _seen(self) -> "_Kept":
        """The record, whole, for who only looks at it: what is added is kept nowhere."""
        folder = self._record_folder
        texts = _agreeing(folder.texts(), topic.public_record(self.settings.kafka))
        return self._checked(_Kept(record_of(texts), folder, None, self._chains()))

    @property
    def _record_folder(self) -> RecordFolder:
        return RecordFolder(self.settings.releases, Access.of(self.settings.releases_readers))

    def _checked(self, kept: "_Kept") -> "_Kept":
        """The record with what went out before there was one. Raises Damaged unless it is whole."""
        releases = {it.name: it for chain in kept.chains for it in chain}
        self._take_in(kept, releases)
        missing = list(kept.record.strangers({name: it.sha256 for name, it in releases.items()}))
        if missing:
            raise Damaged(
                "what went out before is not whole, so that nothing more may go out: "
                + "; ".join(missing)
                + ". Bring the folder of releases up to date from where they were made"
            )
        return kept

    def _take_in(self, kept: "_Kept", releases: Mapping[str, Sealed]) -> None:
        """Begin the record with what went out before there was one."""
        if not all(it.entry.was_before for it in kept.record.entries):
            return
        for public in kept.folder.from_before():
            name = name_of(public.period, public.number)
            if name in kept.record.let_out:
                continue
            if name not in releases:
                raise Damaged(f"{name} went out in public, and is not in the folder of releases")
            entry = kept.record.next("let-out", self.today, releases[name])
            kept.add(entry.model_copy(update={"public": public, "was_before": True}))

    def _outgoing(self, kept: "_Kept", asked: AskedRelease, choice: PublicChoice) -> GoingOut:
        """What of a release goes out. Raises NotAllowed, NotProtected."""
        record, chains = kept.record, kept.chains
        sealed, others = _chosen(chains, asked)
        rule = _rule(record, sealed, choice)
        withdrawals = _withdrawals(record, chains, sealed)
        issued = _issued(record, chains)
        stopped = [text for it in withdrawals for text in stopped_reason(record, it, rule, issued)]
        let_out = record.let_out
        entry = next((it.entry for it in record.entries if _lets_out(it.entry, sealed)), None)
        is_out, reasons = entry is not None, dict[CellKey, Reason]()
        if sealed.release.kind != "withdrawn" and entry is None:
            entry, disclosed = self._decided(record, sealed, issued, rule)
            reasons = disclosed.reasons
            stopped += stopped_texts(record, sealed, disclosed, rule, issued)
            assert entry.public is not None
            let_out = {**let_out, sealed.name: entry.public}
        told = {*let_out, *(it.name for it in withdrawals)}
        shown = [it for it in others if name_of(it.period, it.number) in told]
        hashes = {it.name: it.sha256 for chain in chains for it in chain}
        beside = [hashes[name_of(it.period, it.number)] for it in shown]
        return GoingOut(sealed, rule, entry, is_out, shown, beside, let_out, reasons, stopped)

    def _decided(
        self,
        record: PublicRecord,
        sealed: Sealed,
        issued: Sequence[Issued],
        rule: Rule,
    ) -> tuple[RecordEntry, Disclosed]:
        """The entry that would let a release out, and how that was found. Raises NotProtected."""
        release = sealed.release
        measures = catalogue_of(release, self.catalogue).measure
        disclosed = disclose(release, measures, rule, issued)
        entry = record.next("let-out", self.today, sealed).model_copy(
            update={
                "public": disclosed.public,
                "narrow": disclosed.left(release, disclosed.narrow),
                "exposed": disclosed.left(release, disclosed.exposed),
            }
        )
        return entry, disclosed

    def _taken_upon(self, entry: RecordEntry, choice: PublicChoice) -> RecordEntry:
        """An entry with who takes its narrow counts upon themselves. Raises NotAllowed."""
        if entry.exposed:
            self.tell(
                f"{len(entry.exposed)} small counts could already be worked out from what went out "
                "before:" + _lines(entry.exposed)
            )
        if not entry.narrow:
            return entry
        told = (
            f"{len(entry.narrow)} small counts keep fewer possible values than the rule asks for:"
            + _lines(entry.narrow)
        )
        if choice.narrow_by is None:
            raise NotAllowed(
                f"{told}\nNothing went out. If they may, say who takes that upon themselves: "
                "--accept-narrow NAME"
            )
        self.tell(told)
        return entry.model_copy(update={"narrow_by": choice.narrow_by})


def _issued(record: PublicRecord, chains: Sequence[Sequence[Sealed]]) -> list[Issued]:
    """What went out, each with the release that it is of."""
    releases = {it.name: it.release for chain in chains for it in chain}
    return [Issued(releases[name], public) for name, public in record.let_out.items()]


@dataclass(frozen=True)
class _Kept:
    """The record, the places that it is kept in, and the releases it tells of.

    Without a publisher nothing is kept: the record is only looked at.
    """

    record: PublicRecord
    folder: RecordFolder
    publisher: topic.ReleasePublisher | None
    chains: list[list[Sealed]]

    def add(self, entry: RecordEntry) -> None:
        """Put an entry into the topic and then the folder. Raises NotPublished, Taken, OSError."""
        it: StoredEntry = sealed_entry(entry)
        if self.publisher is not None:
            self.publisher.write(it.name, it.text)
            self.folder.write(it)
        self.record.entries.append(it)


def _completed(
    folder: RecordFolder, publisher: topic.ReleasePublisher, published: Mapping[str, bytes]
) -> PublicRecord:
    """Give the folder and the topic what only the other has of the record.

    Raises Damaged when they disagree or an entry is missing in both.
    """
    stored = folder.texts()
    record = record_of(_agreeing(stored, published))
    for it in record.entries:
        if it.name not in stored:
            folder.write(it)
        if it.name not in published:
            publisher.write(it.name, it.text)
    return record


def _agreeing(stored: Mapping[str, bytes], published: Mapping[str, bytes]) -> dict[str, bytes]:
    """What folder and topic have of the record together. Raises Damaged when they disagree."""
    for name in sorted(stored.keys() & published.keys()):
        if stored[name] != published[name]:
            raise Damaged(
                f"{name}: the folder and the topic have different entries of that name; "
                "`caseline snapshot verify` looks closer"
            )
    return {**stored, **published}


def _lets_out(entry: RecordEntry, sealed: Sealed) -> bool:
    return entry.public is not None and entry.release == sealed.name


def _chosen(
    chains: Sequence[Sequence[Sealed]], asked: AskedRelease
) -> tuple[Sealed, list[Release]]:
    """The release asked for, and every other one that its publication may show.

    Of its own month those that are withdrawn as well, for the log. Raises NotAllowed.
    """
    period, number = asked.period, asked.number
    own = [it for chain in chains for it in chain if it.release.period == period]
    wanted = [it for it in own if number in (None, it.release.number)]
    if not wanted:
        which = f"release {number} of {period}" if number else f"release of {period}"
        raise NotAllowed(f"there is no {which}: `caseline snapshot list` shows what there is")
    chosen = wanted[-1]
    if chosen.release.kind != "withdrawn" and chosen not in standing(own):
        raise NotAllowed(
            f"{chosen.name} was withdrawn: publish the withdrawal, or the release made since"
        )
    first = month_before(period, MONTHS_BACK)
    earlier = [
        it.release
        for chain in chains
        for it in standing(chain)
        if first <= it.release.period < period and it.release.kind != "withdrawn"
    ]
    return chosen, [*earlier, *(it.release for it in own if it is not chosen)]


def _withdrawals(
    record: PublicRecord, chains: Sequence[Sequence[Sealed]], sealed: Sealed
) -> list[Sealed]:
    """The withdrawals that a publication tells of: of what had gone out, and itself."""
    own = [it for chain in chains for it in chain if it.release.period == sealed.release.period]
    first_out = min(
        (it.release.number for it in own if it.name in record.let_out),
        default=sealed.release.number,
    )
    return [
        it
        for it in own
        if it.release.kind == "withdrawn"
        and first_out <= it.release.number <= sealed.release.number
    ]


def _rule(record: PublicRecord, sealed: Sealed, choice: PublicChoice) -> Rule:
    """The rule of a release: that of its month, if any of it has gone out. Raises NotAllowed."""
    fixed = record.rule_of(sealed.release.period)
    rule = fixed or Rule()
    given = {"threshold": choice.threshold, "zeros_shown": choice.zeros_shown}
    asked = rule.model_copy(update={name: it for name, it in given.items() if it is not None})
    if fixed and asked != fixed:
        zeros = "shown" if fixed.zeros_shown else "suppressed"
        raise NotAllowed(
            f"{sealed.release.period} first went out with counts up to {fixed.threshold} "
            f"suppressed and zeros {zeros}, and that rule holds for good"
        )
    return asked


def _lines(found: Sequence[object]) -> str:
    return "".join(f"\n  {it}" for it in found)
