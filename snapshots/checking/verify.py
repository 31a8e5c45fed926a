"""Verification: that every stored release is as it was made, and that the chain holds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from schemas.release import Release, ReleaseCell
from snapshots.checking.differences import differences
from snapshots.checking.reconciliation import described
from snapshots.releases.chain import Sealed, faults, unseal
from snapshots.releases.folder import ReleaseFolder, stray_files
from snapshots.releases.release_failures import Damaged


def problems(
    folder: ReleaseFolder, published: Mapping[str, bytes] | None, periods: Iterable[str]
) -> Iterator[str]:
    """What is wrong with the periods' releases, naming each file and link; nothing if all is well.

    1. Each file has the hash beside it, is canonical JSON, and says that it is what it is.
    2. Numbers leave no gap, each release holds the hash of the one before, and kinds follow.
    3. Folder and topic hold the same releases, byte for byte; None for no topic to compare with.
    """
    for period in periods:
        chain: list[Sealed | None] = []
        for name in folder.names(period):
            try:
                chain.append(unseal(name, folder.text(name)))
            except Damaged as damage:
                chain.append(None)
                yield str(damage)
        yield from faults(chain)
        yield from stray_files(folder, period)
        if published is not None:
            yield from _topic_problems(folder, published, period)


def _topic_problems(
    folder: ReleaseFolder, published: Mapping[str, bytes], period: str
) -> Iterator[str]:
    names = set(folder.names(period))
    others = {name for name in published if name.startswith(f"{period}/")}
    for name in sorted(names | others):
        if name not in names:
            yield f"{name}: in the topic but not in the folder; the next freeze puts it there"
        elif name not in others:
            yield f"{name}: in the folder but not in the topic; the next freeze sends it"
        elif folder.raw(name) != published[name]:
            yield f"{name}: the folder and the topic have different releases of that name"


def recompute_problems(release: Release, name: str, cells: list[ReleaseCell]) -> Iterator[str]:
    """What the log gives otherwise than a release says, from the cells recomputed at its cut."""
    found = list(differences(release.cells, cells))
    if found:
        yield f"{name}: {len(found):,} cells are not what the log gives\n{described(found)}"


class Unexplained(NamedTuple):
    """Messages of a release's cut that are gone, by erasure: those since, and of unknown ones."""

    since: Counter[str]
    unknown: Counter[str]


def gone_from(release: Release, erased: Counter[str], known: Mapping[str, str]) -> Unexplained:
    """Which messages that are gone from the log were there when a release was made.

    `known` has the day of each erasure. A place holder of another is nobody's: to believe it would
    let whoever writes to the log excuse any difference.
    """
    day = release.released_on.isoformat()
    return Unexplained(
        Counter({it: count for it, count in erased.items() if known.get(it, "") >= day}),
        Counter({it: count for it, count in erased.items() if it not in known}),
    )


def erased_since(
    release: Release, name: str, cells: list[ReleaseCell], erased: Counter[str]
) -> str:
    """What can still be shown of a release by a log of which erasures took messages before its cut.

    `erased` has how many, by erasure. Its figures stand: they are sums, which its hash and its
    chain hold. A cell that the rest of the log gives otherwise is not called wrong, and not shown
    to be right.
    """
    differing = len(list(differences(release.cells, cells)))
    messages, times = sum(erased.values()), len(erased)
    return (
        f"{name}: {messages:,} messages of its cut were erased since, or the same day, in "
        f"{times:,} erasure{'s' if times > 1 else ''}. Of "
        f"{len(release.cells):,} cells {len(release.cells) - differing:,} still come out of the "
        f"log, and {differing:,} cannot be shown any more"
    )
