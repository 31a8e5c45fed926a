"""The cover and the notes of the workbook."""

import pandas as pd
from gptables import Cover

from schemas.outward import for_workbook
from snapshots.publish.formats.proof import proof_of
from snapshots.publish.text import content, wording
from snapshots.publish.text.reading_guide import disclosure_note, kind_meaning, reading_notes
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import MEANINGS, SERVICE, long_date, month_title

NOTES = {
    "bands": (
        "Figures by age are in the unit of the indicator; the pages show some of them as shares. "
        "Ages are in completed years when the notification was received."
    ),
    "previous": (
        "The same indicator as of the last day of the month before, as the latest release of that "
        "month has it; where it has none, as it was known when this release was made."
    ),
    "marks": (
        "Marks stand in a column of their own, so that figures stay numbers. They name the "
        "columns they belong to."
    ),
    "trend": "Each month is as its latest release has it.",
}


def cover_sheet(view: View) -> Cover:
    """The first sheet: what this is, how to read it, and what identifies it."""
    release = view.release
    kind = wording.KIND_TITLES[release.kind]
    proof = proof_of(view)
    identity = content.identity(view, proof and (str(proof), proof.sha256))
    return Cover(
        title=f"{f'{wording.INTERNAL}: ' if view.is_internal else ''}"
        f"{SERVICE}: {release.areas.top}, {month_title(release.period)}",
        intro=_clean(
            f"{kind}, number {release.number}. {kind_meaning(view)}",
            (
                f"Figures as of {long_date(release.as_of)}, released on "
                f"{long_date(release.released_on)}. Why: {release.reason}"
            ),
            disclosure_note(view),
            *(note.text for note in view.commentary(release.areas.top)),
        ),
        about=_clean(
            *reading_notes(view),
            "Symbols and marks:",
            *(f"[{sign}] {meaning}" for sign, meaning in MEANINGS.items()),
            *(f"{name}: {fact.text}" for name, fact in identity if fact.code),
        ),
        contact=_clean(release.author if view.is_internal else release.areas.top),
    )


def _clean(*texts: str) -> list[str]:
    return [for_workbook(text) for text in texts]


def notes_table() -> pd.DataFrame:
    """The notes that titles of sheets refer to by name."""
    return pd.DataFrame({"Note reference": list(NOTES), "Note text": list(NOTES.values())})
