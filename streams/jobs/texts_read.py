"""Texts before they go out: each that may tell what is withheld has to be accepted by a person."""

from collections.abc import Sequence

from snapshots.disclosure.commentary import small_numbers_in
from snapshots.disclosure.disclosed import Disclosed
from snapshots.disclosure.figures_in_text import plain_text
from snapshots.disclosure.public import Issued
from snapshots.disclosure.public_record import PublicRecord, texts_of
from snapshots.disclosure.suppression import Rule
from snapshots.disclosure.texts import Texts, told_of_before
from snapshots.releases.chain import Sealed
from snapshots.releases.release_failures import NotAllowed

# Of what a text is stopped for, so many are named.
MOST_NAMED = 3


def check_reason(
    record: PublicRecord, sealed: Sealed, rule: Rule, issued: Sequence[Issued]
) -> None:
    """Raises NotAllowed where the reason of a withdrawal may tell what is withheld."""
    reason = sealed.release.reason
    if record.accepts(sealed.name, 0, reason):
        return
    found = [it.context for it in small_numbers_in(plain_text(reason), rule)[:1]]
    found = found or [str(it) for it in told_of_before(sealed.release, issued, reason)]
    if found:
        lines = [f"  text 0 (reason): {it}" for it in found[:MOST_NAMED]]
        raise NotAllowed(_stopped(sealed.name, lines))


def check_texts(
    record: PublicRecord,
    sealed: Sealed,
    disclosed: Disclosed,
    rule: Rule,
    issued: Sequence[Issued],
) -> None:
    """Raises NotAllowed for texts that tell what is withheld, unless each was accepted."""
    release = sealed.release
    texts = Texts(release, disclosed, rule, issued)
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
