"""Texts before they go out: each that may tell what is withheld has to be accepted by a person."""

from collections.abc import Sequence

from snapshots.disclosure.commentary import small_numbers_in
from snapshots.disclosure.disclosed import Disclosed
from snapshots.disclosure.public_record import PublicRecord, texts_of
from snapshots.disclosure.suppression import Rule
from snapshots.disclosure.texts import Texts
from snapshots.releases.chain import Sealed
from snapshots.releases.release_failures import NotAllowed
from streams.jobs.previews import StoppedWords

# Of what a text is stopped for, so many are named.
MOST_NAMED = 3


def stopped_reason(record: PublicRecord, sealed: Sealed, rule: Rule) -> list[StoppedWords]:
    """The reason of a withdrawal, where it has small numbers that nobody accepted."""
    reason = sealed.release.reason
    found = small_numbers_in(reason, rule)
    if not found or record.accepts(sealed.name, 0, reason):
        return []
    return [StoppedWords(release=sealed.name, number=0, where="reason", found=(found[0].context,))]


def stopped_texts(
    record: PublicRecord, sealed: Sealed, disclosed: Disclosed, rule: Rule
) -> list[StoppedWords]:
    """The texts of a release that tell what is withheld, and that nobody has accepted."""
    release = sealed.release
    texts = Texts(release, disclosed, rule)
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
