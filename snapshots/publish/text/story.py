"""What a release says in sentences: how the whole moved, and how complete its parts are."""

from dataclasses import dataclass

from processors.record.quality import EXPLANATIONS, Oddity
from schemas.catalogue import Indicator
from schemas.scorecard import Direction
from snapshots.publish.text.shown_figures import ShownCell
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import UNKNOWN_AGE, month_before, month_title, number_text

MOVEMENTS = 5
# A count smaller than this moves by large percentages for little reason.
SMALLEST_TO_COMPARE = 20


@dataclass(frozen=True)
class Movement:
    """An indicator of the whole that moved, in a sentence."""

    indicator: Indicator
    direction: Direction
    sentence: str
    relative: float


@dataclass(frozen=True)
class Quality:
    """One kind of odd fact: how many there are, what it is, and what becomes of it."""

    kind: str
    number: str
    what: str
    becomes: str


@dataclass(frozen=True)
class IncompletePlaces:
    """Cases of an indicator that count in the whole only: no district, or no age."""

    indicator: Indicator
    whole: str
    no_district: str
    no_age: str


def movements(view: View) -> list[Movement]:
    """The largest relative movements of the whole since the month before, largest first."""
    found = [
        movement
        for indicator in view.in_areas
        if (movement := _movement(view, indicator)) is not None
    ]
    return sorted(found, key=lambda movement: -movement.relative)[:MOVEMENTS]


def _movement(view: View, indicator: Indicator) -> Movement | None:
    cell = view.cell(indicator.code, view.release.areas.top)
    now, before = cell.figure.value, cell.previous.value
    if now is None or before is None or cell.direction is None or now == before:
        return None
    if indicator.unit == "count" and min(now, before) < SMALLEST_TO_COMPARE:
        return None
    if not before:
        return None
    verb = "rose" if now > before else "fell"
    month = month_title(month_before(view.release.period))
    return Movement(
        indicator,
        cell.direction,
        f"{verb} from {cell.previous.text} in {month} to {cell.figure.text}, "
        f"{_by(indicator, abs(now - before), before)}.",
        abs(now - before) / before,
    )


def _by(indicator: Indicator, difference: float, before: float) -> str:
    if indicator.unit == "percent":
        return f"by {difference:.1f} percentage points"
    relative = f"{100 * difference / before:.0f}%"
    unit = " days" if indicator.unit == "days" else ""
    return f"by {number_text(indicator, difference)}{unit} ({relative})"


def quality(view: View) -> list[Quality]:
    """The odd facts that the release rests on, in the order in which they are explained."""
    texts = {str(kind): text for kind, text in EXPLANATIONS.items()}
    order = {str(kind): place for place, kind in enumerate(Oddity)}
    return [
        Quality(
            kind,
            "[c]" if view.disclosure.hides_number(count) else f"{count:,}",
            *_explained(texts.get(kind, kind)),
        )
        for kind, count in sorted(
            view.release.quality.items(), key=lambda item: (order.get(item[0], len(order)), item[0])
        )
    ]


def _explained(text: str) -> tuple[str, str]:
    what, _, becomes = text.partition(": ")
    return what[:1].upper() + what[1:], becomes[:1].upper() + becomes[1:]


def incomplete(view: View) -> list[IncompletePlaces]:
    """What is missing from districts and bands; nothing where any of it is suppressed."""
    rows = []
    top = view.release.areas.top
    for indicator in view.in_areas:
        if indicator.denominator is not None or indicator.source == "supplied":
            continue
        whole = view.cell(indicator.code, top)
        leaves = [view.cell(indicator.code, leaf) for leaf in view.release.areas.leaves]
        if any(one.is_supplied for one in (whole, *leaves)):
            continue
        has_ages = view.has(indicator.code, top, UNKNOWN_AGE)
        unknown = [view.cell(indicator.code, top, UNKNOWN_AGE)] if has_ages else []
        if _all_shown([whole, *leaves, *unknown]):
            missing = int((whole.figure.value or 0) - sum(one.figure.value or 0 for one in leaves))
            if view.disclosure.hides_number(missing):
                continue
            no_age = unknown[0].figure.text if unknown else "[x]"
            rows.append(IncompletePlaces(indicator, whole.figure.text, f"{missing:,}", no_age))
    return rows


def _all_shown(cells: list[ShownCell]) -> bool:
    return all(cell.figure.value is not None for cell in cells)
