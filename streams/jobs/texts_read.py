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
from streams.jobs.previews import StoppedWords

# Of what a text is stopped for, so many are named.
MOST_NAMED = 3


def stopped_reason(
    record: PublicRecord, sealed: Sealed, rule: Rule, issued: Sequence[Issued]
) -> list[StoppedWords]:
    """The reason of a withdrawal, where it may tell what is withheld and nobody accepted it."""
    reason = sealed.release.reason
    if record.accepts(sealed.name, 0, reason):
        return []
    found = [it.context for it in small_numbers_in(plain_text(reason), rule)[:1]]
    found = found or [str(it) for it in told_of_before(sealed.release, issued, reason)]
    if not found:
        return []
    named = tuple(found[:MOST_NAMED])
    return [StoppedWords(release=sealed.name, number=0, where="reason", found=named)]


def stopped_texts(
    record: PublicRecord,
    sealed: Sealed,
    disclosed: Disclosed,
    rule: Rule,
    issued: Sequence[Issued],
) -> list[StoppedWords]:
    """The texts of a release that tell what is withheld, and that nobody has accepted."""
    release = sealed.release
    texts = Texts(release, disclosed, rule, issued)
    about = [(release.areas.top, None), *((it.area, it.code) for it in release.commentary)]
    stopped = []
    for number, ((where, text), (area, code)) in enumerate(
        zip(texts_of(release), about, strict=True)
    ):
        if record.accepts(sealed.name, number, text):
            continue
        found = texts.findings(area, code, text)
        named = [str(it) for it in found[:MOST_NAMED]]
        if len(found) > MOST_NAMED:
            named.append(f"and {len(found) - MOST_NAMED} more")
        if named:
            stopped.append(
                StoppedWords(release=sealed.name, number=number, where=where, found=tuple(named))
            )
    return stopped


def check_texts(stopped: Sequence[StoppedWords]) -> None:
    """Raises NotAllowed for texts that are stopped, of one release at a time."""
    if stopped:
        name = stopped[0].release
        lines = [line for it in stopped if it.release == name for line in it.lines]
        raise NotAllowed(
            "texts may tell what is withheld, so nothing went out:\n"
            + "\n".join(lines)
            + "\nChange what was written, and revise the release; or, where the figure is of "
            f"something else, say so for each text: caseline snapshot accept {name} --text N "
            "--by NAME --reason TEXT"
        )
