"""How to read a publication: the sentences that every format says in the same words."""

from schemas.catalogue import Indicator
from schemas.release import Release
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import (
    FREQUENCY_WORDS,
    KIND_MEANINGS,
    POLARITY_WORDS,
    RAG_MEANINGS,
    SCHEME_MEANINGS,
    UNIT_WORDS,
    UNKNOWN_AGE,
    long_date,
    month_before,
    month_title,
)

BAND_WORDS = {
    "share": "Age bands are shown as shares of the whole",
    "count": "Age bands are shown as numbers",
    "value": "Age bands show the indicator itself for children of that age",
    "none": "It is of all ages together",
}


def disclosure_note(view: View) -> str:
    """Whether anything is suppressed, and so who may read on."""
    if view.profile == "public":
        return "Small numbers, and what would reveal them, are suppressed and shown as [c]."
    return (
        "Internal: nothing is suppressed. Small numbers may point to a child, so do not pass "
        "this on."
    )


def reading_notes(view: View) -> list[str]:
    """The data notes."""
    top = view.release.areas.top
    return [
        (
            f"Figures are as of {long_date(view.release.as_of)}: only what is dated on or before "
            "that day counts."
        ),
        (
            "Percentages, rates and days are rounded to one decimal, a half up, from the exact "
            "fraction. Where there is nothing to divide by there is no figure: [z], never 0%."
        ),
        (
            "“Previous” is the same indicator as of the last day of the month before, as the "
            "latest release of that month has it; where it has none, as it was known when this "
            "release was made."
        ),
        *_known_otherwise(view),
        "Each month of a trend is as its latest release has it.",
        *_compared(view),
        (
            "“To be supplied” stands where others work a figure out and have not given it for the "
            "month; what they gave says that it is supplied. Figures of a quarter, a term or a "
            "year stand in the month that they are for alone."
        ),
        "Ages are in completed years when the notification was received.",
        (
            f"In the open data the areas between {top} and its districts, which have no official "
            "codes, stand at the level “Planning area”. Table tools may leave that level out; its "
            "counts are the sums of its districts."
        ),
        (
            f"A case with no district, or one outside {top}, counts in {top} only, so districts "
            "may add up to less than the whole."
        ),
    ]


def _compared(view: View) -> list[str]:
    """How directions and ratings are to be read, and of which families where they differ."""
    families = dict.fromkeys(one.family for one in view.release.indicators)
    first = {one.family: one for one in reversed(view.release.indicators)}
    found: dict[str, list[str]] = {}
    for family in families:
        scheme = view.release.scheme_of(first[family])
        for words in (SCHEME_MEANINGS[scheme.direction], RAG_MEANINGS[scheme.rag]):
            found.setdefault(words, []).append(family)
    return [
        words if len(of) == len(families) else f"{', '.join(of)}: {words}"
        for words, of in found.items()
    ]


def _known_otherwise(view: View) -> list[str]:
    """That more is known of the month before than its release has; inside the council alone."""
    number = view.known_otherwise if view.is_internal else 0
    if not number:
        return []
    month = month_title(month_before(view.release.period))
    figures = "1 figure is" if number == 1 else f"{number:,} figures are"
    return [
        (
            f"Of {month}, {figures} known otherwise by now than in its latest release; a revision "
            "of it would show that."
        )
    ]


def kind_meaning(view: View) -> str:
    """What kind of release it is, and whether the month was over when it was made."""
    release, meaning = view.release, KIND_MEANINGS[view.release.kind]
    if release.kind == "provisional" and release.released_on <= release.as_of:
        return f"{meaning} The month was not over when they were made."
    return meaning


def unlisted_note(view: View, release: Release) -> str:
    """That figures moved by so few that they are not listed; empty where none did."""
    number = view.unlisted(release)
    if not number:
        return ""
    figures = "1 figure" if number == 1 else f"{number:,} figures"
    return (
        f"{figures} moved by so few that to list them could point to a child. They are marked "
        "where they stand."
    )


def reading_of(indicator: Indicator) -> str:
    """How often an indicator is worked out, what it is measured in, and which way is better."""
    per = f" per {indicator.scale:,}" if indicator.unit == "rate" else ""
    return (
        f"{FREQUENCY_WORDS[indicator.frequency]}. {UNIT_WORDS[indicator.unit]}{per}. "
        f"{POLARITY_WORDS[indicator.polarity]}. {BAND_WORDS[indicator.bands]}."
        + (" Others supply it." if indicator.source == "supplied" else "")
    )


def band_note(view: View) -> str:
    """Which age bands are shares, for the foot of a scorecard."""
    shares = [one.code for one in view.release.indicators if one.bands == "share"]
    note = f"Age bands of {', '.join(shares)} are shares of the overall figure." if shares else ""
    if UNKNOWN_AGE in view.release.age_bands:
        note += " Children with no usable date of birth count in the overall figure only."
    return f"Ages are in completed years. {note.strip()}".strip()


def charts_lead(view: View) -> str:
    """What the charts by area show."""
    top = view.release.areas.top
    return (
        f"{month_title(view.release.period)}, all ages. The figures stand beside the bars. For "
        f"percentages, days and rates a dashed line marks {top}; for numbers {top} has no bar, as "
        "it would dwarf the others."
    )


def change_summary(view: View) -> str:
    """What the release changed, and why, in a line or two."""
    release = view.release
    if release.number == 1:
        month = month_title(release.period)
        return (
            f"This is the first time that figures of {month} are released, so nothing earlier has "
            "changed."
        )
    if view.before(release) is None:
        return f"It replaces no release that stands. Why: {release.reason}"
    judged = view.judged_anew(release)
    told = [
        _so_many(len(view.changes(release)) + view.unlisted(release), "figure"),
        *(
            _so_many(number, word)
            for word, number in (
                ("target", sum(one.what == "Target" for one in judged)),
                ("rating", sum(one.what == "Rating" for one in judged)),
                ("comment", len(view.comments_changed(release))),
            )
            if number
        ),
    ]
    listed = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    verb = "differs" if told in (["No figure"], ["1 figure"]) else "differ"
    return f"{listed} {verb} from the release before. Why: {release.reason}"


def _so_many(number: int, word: str) -> str:
    return f"{number or 'No'} {word}" if number < 2 else f"{number:,} {word}s"
