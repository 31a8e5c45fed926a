"""The releases there are: what each says of itself, read once, as a release never changes."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import msgspec

from schemas.release import Release, ReleaseKind
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import first_standing, name_of, unseal
from snapshots.releases.folder import RELEASE, ReleaseFolder
from snapshots.releases.release_failures import Damaged

# Releases whose account of themselves is kept, and whose figures are.
ACCOUNTS, WHOLE = 1_000, 2


class ReleaseAccount(msgspec.Struct, frozen=True):
    """What a release says of itself."""

    period: str
    number: int
    kind: ReleaseKind
    as_of: date
    released_on: date
    author: str
    reason: str


@dataclass(frozen=True)
class ListedRelease:
    """A release, whether it stands or was withdrawn, and the hash of what lies there."""

    account: ReleaseAccount
    stands: bool
    sha256: str

    @property
    def address(self) -> str:
        """Where it is shown."""
        return f"/releases/{self.account.period}/{self.account.number}"


@dataclass(frozen=True)
class ReleaseList:
    """The releases of every month, the latest month first, and what is wrong with any."""

    releases: list[ListedRelease]
    troubles: list[str]

    def find(self, period: str, number: str) -> ListedRelease | None:
        """The one of a month and number, as an address has them; None where there is none."""
        named = {(it.account.period, f"{it.account.number}"): it for it in self.releases}
        return named.get((period, number))


def release_list(root: Path) -> ReleaseList:
    """What is in the folder of releases."""
    folder = ReleaseFolder(root)
    found: list[ListedRelease] = []
    troubles: list[str] = []
    for period in reversed(folder.periods()):
        accounts: list[tuple[ReleaseAccount, str]] = []
        for name in folder.names(period):
            try:
                accounts.append(_account(root, name, _written(root, name)))
            except (Damaged, OSError, msgspec.MsgspecError):
                troubles.append(
                    f"{name} is not as it was made: `caseline snapshot verify` says why"
                )
        first = first_standing([it.kind for it, _ in accounts])
        found += [
            ListedRelease(it, at >= first, hashed) for at, (it, hashed) in enumerate(accounts)
        ]
    return ReleaseList(found, troubles)


def last_release(root: Path) -> ReleaseAccount | None:
    """The latest release of the latest month; None where there is none that can be read."""
    folder = ReleaseFolder(root)
    try:
        for period in reversed(folder.periods()):
            for name in reversed(folder.names(period)):
                return _account(root, name, _written(root, name))[0]
    except (Damaged, OSError, msgspec.MsgspecError):
        return None
    return None


def whole_release(root: Path, listed: ListedRelease) -> Release:
    """A release with its figures. Raises Damaged, OSError."""
    name = name_of(listed.account.period, listed.account.number)
    return _whole(root, name, _written(root, name))


def _written(root: Path, name: str) -> int:
    """When a release's file was last written: one that was tampered with is read again."""
    return (root / name / RELEASE).stat().st_mtime_ns


@lru_cache(maxsize=ACCOUNTS)
def _account(root: Path, name: str, written: int) -> tuple[ReleaseAccount, str]:
    del written
    text = ReleaseFolder(root).text(name)
    account = msgspec.json.decode(text, type=ReleaseAccount)
    if name_of(account.period, account.number) != name:
        raise Damaged(f"{name}: it says that it is another one")
    return account, sha256(text)


@lru_cache(maxsize=WHOLE)
def _whole(root: Path, name: str, written: int) -> Release:
    del written
    return unseal(name, ReleaseFolder(root).text(name)).release
