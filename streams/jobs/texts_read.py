"""Texts before they go out: each that may tell what is withheld has to be accepted by a person."""

from collections.abc import Sequence

from snapshots.disclosure.commentary import small_numbers_in
from snapshots.disclosure.disclosed import Disclosed
from snapshots.disclosure.public_record import PublicRecord, texts_of
from snapshots.disclosure.suppression import Rule
from snapshots.disclosure.texts import Texts
from snapshots.releases.chain import Sealed
from snapshots.releases.release_failures import NotAllowed

# Of what a text is stopped for, so many are named.
MOST_NAMED = 3


def check_reason(record: PublicRecord, sealed: Sealed, rule: Rule) -> None:
    """Raises NotAllowed for a withdrawal whose reason has small numbers that nobody accepted."""
    reason = sealed.release.reason
    found = small_numbers_in(reason, rule)
    if found and not record.accepts(sealed.name, 0, reason):
        raise NotAllowed(_stopped(sealed.name, [f"  text 0 (reason): {found[0].context}"]))


def check_texts(record: PublicRecord, sealed: Sealed, disclosed: Disclosed, rule: Rule) -> None:
    """Raises NotAllowed for texts that tell what is withheld, unless each was accepted."""
    release = sealed.release
    texts = Texts(release, disclosed, rule)
    about = [(release.areas.top, None), *((it.area, it.code) for it in release.commentary)]
    lines = []
    for number, ((where, text), (area, code)) in enumerate(
        zip(texts_of(release), about, strict=True)
    ):
        if record.accepts(sealed.name, number, text):
            continue
        found = texts.findings(area, code, text)
        lines += [f"  text {number} ({where}): {it}" for it in found[:MOST_NAMED]]
        if len(found) > MOST_NAMED:
            lines.append(f"  text {number} ({where}): and {len(found) - MOST_NAMED} more")
    if lines:
        raise NotAllowed(_stopped(sealed.name, lines))


def _stopped(name: str, lines: Sequence[str]) -> str:
    return (
        "texts may tell what is withheld, so nothing went out:\n"
        + "\n".join(lines)
        + "\nChange what was written, and revise the release; or, where the figure is of something "
        f"else, say so for each text: caseline snapshot accept {name} --text N --by NAME "
        "--reason TEXT"
    )
