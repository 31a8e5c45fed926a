"""The chain of a period's releases: numbers, kinds, and each one's hash in the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from schemas.release import FORMAT, Position, Release, ReleaseKind
from snapshots.releases.canonical import canonical, parsed, sha256
from snapshots.releases.release_failures import Damaged, LaterFormat, NotAllowed

# What may follow what; None is the beginning. A revision is scheduled, a correction mends an
# error: both need a first release that they change, and a reason.
MAY_FOLLOW: dict[ReleaseKind | None, tuple[ReleaseKind, ...]] = {
    None: ("provisional", "first"),
    "provisional": ("provisional", "first", "withdrawn"),
    "first": ("final", "revised", "corrected", "withdrawn"),
    "final": ("revised", "corrected", "withdrawn"),
    "revised": ("final", "revised", "corrected", "withdrawn"),
    "corrected": ("final", "revised", "corrected", "withdrawn"),
    "withdrawn": ("provisional", "first"),
}
NEEDS_A_REASON = frozenset({"revised", "corrected", "withdrawn"})
# Those of which none may follow another one of the kind.
ONCE = frozenset(kind for kind in MAY_FOLLOW if kind and kind not in MAY_FOLLOW[kind])
USUAL_REASONS: dict[ReleaseKind, str] = {
    "provisional": "Provisional figures of the month.",
    "first": "First release of the month's figures.",
    "final": "Final figures of the month.",
}


@dataclass(frozen=True)
class Sealed:
    """A release as it is stored: canonical JSON and its hash."""

    release: Release
    text: bytes
    sha256: str

    @property
    def name(self) -> str:
        """Its place, such as 2015-10/001."""
        return name_of(self.release.period, self.release.number)


@dataclass(frozen=True)
class Request:
    """A release that is asked for.

    Asked for again, by the same author for the same reason, it is the same one, unless there is
    news since (`already`, `has_news`). The scheduled job asks only for what is not there yet,
    whoever made it.
    """

    period: str
    kind: ReleaseKind
    author: str
    reason: str
    is_scheduled: bool = False


def name_of(period: str, number: int) -> str:
    """A release's place in the folder and its key in the topic."""
    return f"{period}/{number:03d}"


def seal(release: Release) -> Sealed:
    """A new release in the form that is hashed and stored."""
    text = canonical(release.model_dump(mode="json", by_alias=True))
    return Sealed(release, text, sha256(text))


def unseal(name: str, text: bytes) -> Sealed:
    """The release that a stored text holds, in the format of its time or a later one up to ours.

    What is hashed are the bytes as they are stored, never what this version would write.

    1. The text is canonical JSON, so that there is no other text of the same release.
    2. It says of itself that it is of a format that is known.
    3. It has what a release has, and says that it is the one of that name.

    Raises Damaged, or LaterFormat for one that a later version has written.
    """
    format_number = stated_format(name, text)
    if format_number is not None and format_number > FORMAT:
        raise LaterFormat(
            f"{name}: written in format {format_number} by a later Caseline; this one reads "
            f"formats up to {FORMAT}, so it can neither check nor show it: bring it up to date"
        )
    try:
        release = Release.model_validate_json(text)
    except ValidationError as error:
        raise Damaged(f"{name}: not a release") from error
    sealed = Sealed(release, text, sha256(text))
    if sealed.name != name:
        raise Damaged(f"{name}: it says that it is {sealed.name}")
    return sealed


def stated_format(name: str, text: bytes) -> int | None:
    """The format that a stored text says it is of; None for none. Raises Damaged."""
    try:
        said = parsed(text)
    except ValueError as error:
        raise Damaged(f"{name}: {error}, so it is not what was written") from error
    number = said.get("format") if isinstance(said, dict) else None
    return number if isinstance(number, int) else None


def requested(period: str, kind: ReleaseKind, author: str, reason: str | None) -> Request:
    """A request with the usual reason where none is given. Raises NotAllowed without one."""
    given = (reason or "").strip()
    if kind in NEEDS_A_REASON and not given:
        raise NotAllowed(f"a {kind} release needs a reason: give --reason")
    if not author.strip():
        raise NotAllowed("a release needs an author: give --by")
    return Request(period, kind, author.strip(), given or USUAL_REASONS[kind])


def standing(chain: Sequence[Sealed]) -> list[Sealed]:
    """The releases that stand: those since the last withdrawal."""
    return list(chain[first_standing([it.release.kind for it in chain]) :])


def first_standing(kinds: Sequence[ReleaseKind]) -> int:
    """Where in a chain of these kinds the releases begin that stand: after the last withdrawal."""
    withdrawn = [at for at, kind in enumerate(kinds) if kind == "withdrawn"]
    return withdrawn[-1] + 1 if withdrawn else 0


def already(chain: Sequence[Sealed], request: Request) -> Sealed | None:
    """The release that answers a request, if it was made before.

    One that can come more than once must be the last of all: what came after it is a beginning
    anew, as is a withdrawal.
    """
    if request.is_scheduled:
        return _scheduled(chain, request)
    may_answer = standing(chain) if request.kind == "first" else chain[-1:]
    for sealed in may_answer:
        it = sealed.release
        if (it.kind, it.author, it.reason) == (request.kind, request.author, request.reason):
            return sealed
    return None


def _scheduled(chain: Sequence[Sealed], request: Request) -> Sealed | None:
    """What keeps the scheduled job from a month: a release that stands, or a withdrawal.

    Official figures from before the month was over do not, nor does the withdrawal of such.
    """
    for sealed in standing(chain):
        it = sealed.release
        if (request.kind == "provisional" or it.kind != "provisional") and not it.is_premature:
            return sealed
    is_withdrawn = bool(chain) and chain[-1].release.kind == "withdrawn"
    is_in_time = any(it.release.kind != "withdrawn" and not it.release.is_premature for it in chain)
    return chain[-1] if is_withdrawn and is_in_time else None


def has_news(cut: Iterable[Position], ends: Iterable[Position]) -> bool:
    """Whether the log goes on after a cut."""
    before = {(it.topic, it.partition): it.offset for it in cut}
    return any(it.offset > before.get((it.topic, it.partition), 0) for it in ends)


def says_the_same(one: Release, other: Release) -> bool:
    """Whether two releases of a month have the same figures and comments.

    Odd facts may differ: what is dated after the month is among them, and grows with the log.
    """
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("cells", "commentary", "catalogue_version")
    )


def check_may_follow(chain: Sequence[Sealed], request: Request) -> None:
    """Raises NotAllowed unless a release of that kind may come next."""
    last = chain[-1].release.kind if chain else None
    allowed = MAY_FOLLOW[last]
    if request.kind not in allowed:
        if chain and chain[-1].release.is_premature and request.kind in {"provisional", "first"}:
            raise NotAllowed(
                f"{request.period}: {chain[-1].name} was made before the month was over, and has "
                f"to be withdrawn first: caseline snapshot withdraw --period {request.period}"
            )
        after = f"after {chain[-1].name}, which is {last}," if chain else "at the beginning"
        raise NotAllowed(
            f"{request.period}: {after} comes one of {', '.join(allowed)}, not {request.kind}"
        )


def faults(chain: Sequence[Sealed | None]) -> list[str]:
    """What is wrong with a period's links, in order; None stands for a release found damaged."""
    found: list[str] = []
    for expected, sealed in enumerate(chain, start=1):
        if sealed is not None:
            before = chain[expected - 2] if expected > 1 else None
            is_unknown = expected > 1 and before is None
            found += _number_faults(sealed, expected)
            found += [] if is_unknown else _link_faults(sealed, before)
    return found


def _number_faults(sealed: Sealed, expected: int) -> list[str]:
    release = sealed.release
    if release.number == expected:
        return []
    return [f"{sealed.name}: {name_of(release.period, expected)} is missing before it"]


def _link_faults(sealed: Sealed, before: Sealed | None) -> list[str]:
    release, found = sealed.release, []
    if release.previous_release != (before.sha256 if before else None):
        what = f"what {before.name} is now" if before else "nothing, though it is the first"
        found.append(f"{sealed.name}: the hash it holds of the release before is not of {what}")
    kind = before.release.kind if before else None
    if release.kind not in MAY_FOLLOW[kind]:
        found.append(f"{sealed.name}: {release.kind} cannot come after {kind or 'nothing'}")
    return found


def chain_of(texts: Mapping[str, bytes]) -> list[Sealed]:
    """A period's chain from its stored texts by name. Raises Damaged when it is broken."""
    chain = [unseal(name, texts[name]) for name in sorted(texts, key=number_of)]
    found = faults(chain)
    if found:
        raise Damaged("; ".join(found))
    return chain


def number_of(name: str) -> int:
    """The number in a release's name. Raises Damaged when there is none."""
    number = name.rpartition("/")[2]
    if not number.isdecimal():
        raise Damaged(f"{name!r} is not the name of a release, such as 2015-10/001")
    return int(number)
