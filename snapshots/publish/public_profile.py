"""The public profile: nothing is shown but what disclosure control let out.

The public side of every release that has gone out is kept, because no later publication may undo
it (snapshots.disclosure).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.suppression import Rule
from snapshots.releases.canonical import canonical
from snapshots.releases.durable import sync_folder, write_file
from snapshots.releases.failures import Damaged

FOLDER = "public"
NAME = re.compile(r"\d{4}-\d{2}-\d{3,}\.json")


class LetOut:
    """What may not be shown, by the public sides of releases; one without is hidden altogether."""

    def __init__(self, public: Iterable[PublicRelease], rule: Rule) -> None:
        self._public: Mapping[tuple[str, int], PublicRelease] = {
            (one.period, one.number): one for one in public
        }
        self._rule = rule

    def hides(self, release: Release, key: CellKey) -> bool:
        """Whether a figure of a release is suppressed, or the release never went out."""
        public = self._public.get((release.period, release.number))
        return public is None or key not in public.by_key or public.is_suppressed(key)

    def hides_previous(self, release: Release, key: CellKey) -> bool:
        """Whether the previous value that a release has is suppressed, or never went out."""
        public = self._public.get((release.period, release.number))
        if public is None or key not in public.by_key:
            return True
        return public.by_key[key].previous_status == "suppressed"

    def hides_number(self, number: int) -> bool:
        """Whether a count outside the scorecard is small."""
        return self._rule.is_small(number)


@dataclass(frozen=True)
class PublicFolder:
    """The public sides that have gone out, kept beside the releases: public/2015-10-001.json."""

    releases: Path

    def read(self) -> list[PublicRelease]:
        """All of them, in order of period and number. Raises Damaged for one that is not whole."""
        folder = self.releases / FOLDER
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        found = [_read(folder / name) for name in names if NAME.fullmatch(name)]
        return sorted(found, key=lambda public: (public.period, public.number))

    def write(self, public: PublicRelease) -> None:
        """Keep one, before it goes out; as a whole or not at all."""
        folder = self.releases / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{public.period}-{public.number:03}.json"
        incoming = target.with_suffix(".incoming")
        write_file(incoming, canonical(public.model_dump(mode="json")))
        incoming.replace(target)
        sync_folder(folder)


def _read(path: Path) -> PublicRelease:
    try:
        return PublicRelease.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise Damaged(f"{FOLDER}/{path.name}: not the public side of a release") from error
