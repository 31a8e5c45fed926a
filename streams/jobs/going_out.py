"""What of a release would go out in public: decided, and not yet kept or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.public_record import RecordEntry
from snapshots.disclosure.suppression import Reason, Rule
from snapshots.releases.canonical import canonical, sha256
from snapshots.releases.chain import Sealed, name_of
from streams.jobs.previews import Preview, StoppedWords, Withheld


@dataclass(frozen=True)
class GoingOut:
    """A release, what of it goes out, and what its publication shows beside it.

    `beside` are the hashes of the releases that are `shown`.

    `entry` is what the public record has, or will have, of it; None of a withdrawal, which has no
    figures. It `is_out` where the record has it. `let_out` has the public sides of all that is out,
    this one among them.
    """

    sealed: Sealed
    rule: Rule
    entry: RecordEntry | None
    is_out: bool
    shown: Sequence[Release]
    beside: Sequence[str]
    let_out: Mapping[str, PublicRelease]
    reasons: Mapping[CellKey, Reason] = field(default_factory=dict)
    stopped: Sequence[StoppedWords] = ()

    @property
    def sha256(self) -> str:
        """A hash of all that a publication is made of; the same once it is in the record."""
        entry = self.entry
        told = {
            "release": self.sealed.sha256,
            "rule": self.rule.model_dump(mode="json"),
            "shown": [*self.beside],
            "entry": entry.model_dump(
                mode="json", include={"number", "before", "public", "narrow", "exposed"}
            )
            if entry
            else None,
        }
        return sha256(canonical(told))

    @property
    def preview(self) -> Preview:
        """It, for who is to decide."""
        release, entry = self.sealed.release, self.entry
        about = Preview(
            period=release.period,
            number=release.number,
            kind=release.kind,
            release_sha256=self.sealed.sha256,
            sha256=self.sha256,
            is_out=self.is_out,
            rule=self.rule,
            texts=tuple(self.stopped),
        )
        if entry is None or entry.public is None:
            return about
        earlier = [
            it.number
            for it in self.let_out.values()
            if it.period == release.period and it.number < release.number
        ]
        return about.model_copy(
            update={
                "cells": sum(it.status != "not-at-this-level" for it in release.cells),
                "withheld": tuple(self._withheld(entry.public)),
                "narrow": entry.narrow,
                "exposed": entry.exposed,
                "since": name_of(release.period, max(earlier)) if earlier else None,
                "changes": entry.public.changes,
                "unlisted": len(release.changes) - len(entry.public.changes) if earlier else 0,
            }
        )

    def _withheld(self, public: PublicRelease) -> list[Withheld]:
        return [
            Withheld(
                code=it.code,
                area=it.area,
                age_band=it.age_band,
                level=it.level,
                reason=self.reasons.get(it.key),
            )
            for it in public.cells
            if it.status == "suppressed"
        ]
