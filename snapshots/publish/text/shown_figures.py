"""One release's figures as they may be shown: a number, or the symbol that stands for it."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from processors.figures.direction import direction_of_travel
from processors.figures.evaluate import NO_VALUE, rounded_half_up
from processors.figures.rating import rating_since
from processors.figures.supplies import exact
from schemas.catalogue import ALL_AGES, Indicator
from schemas.cells import CellKey
from schemas.release import Rag, Release, ReleaseCell
from schemas.scorecard import Direction, Status
from snapshots.publish.text.wording import TO_BE_SUPPLIED, FigureMark, Symbol, number_text

MISSING = {
    "no-cases": Symbol.NOT_APPLICABLE,
    "not-at-this-level": Symbol.NOT_APPLICABLE,
    "not-available": Symbol.NOT_AVAILABLE,
    "to-be-supplied": Symbol.NOT_AVAILABLE,
}


class Disclosure(Protocol):
    """What may not be shown, of the release published and of every other one shown with it.

    A release that an implementation knows nothing of must be hidden altogether.
    """

    def hides(self, release: Release, key: CellKey) -> bool:
        """Whether a figure of a release, or anything worked out from it, is suppressed."""
        ...

    def hides_previous(self, release: Release, key: CellKey) -> bool:
        """Whether the figure of the month before, as that release has it, is suppressed."""
        ...

    def hides_number(self, number: int) -> bool:
        """Whether a count outside the scorecard is too small to show."""
        ...

    def hides_move(self, release: Release, before: ReleaseCell, after: ReleaseCell) -> bool:
        """Whether a figure of a release moved by so few since the one before that it says who."""
        ...


class NothingHidden:
    """The internal profile: every figure is shown."""

    def hides(self, release: Release, key: CellKey) -> bool:  # noqa: ARG002
        """No figure is suppressed."""
        return False

    def hides_previous(self, release: Release, key: CellKey) -> bool:  # noqa: ARG002
        """No earlier figure is suppressed."""
        return False

    def hides_number(self, number: int) -> bool:  # noqa: ARG002
        """No count is too small."""
        return False

    def hides_move(self, release: Release, before: ReleaseCell, after: ReleaseCell) -> bool:  # noqa: ARG002
        """No movement is too small."""
        return False


@dataclass(frozen=True)
class Shown:
    """A number with the text it is printed as, or a symbol alone."""

    value: int | float | None
    symbol: Symbol | None
    text: str


@dataclass(frozen=True)
class ShownCell:
    """One figure with all that is said beside it.

    `printed` is how the scorecard prints it: a band of some indicators is a share of the whole.
    The numerator and denominator are absent where the figure is suppressed.
    """

    key: CellKey
    figure: Shown
    printed: Shown
    previous: Shown
    direction: Direction | None
    target: str | None
    rag: Rag | None
    marks: tuple[FigureMark, ...]
    numerator: int | float | None
    denominator: int | float | None
    is_supplied: bool = False

    @property
    def no_direction(self) -> str:
        """What stands where there is no direction: that it is suppressed, or does not apply."""
        hidden = Symbol.SUPPRESSED in (self.figure.symbol, self.previous.symbol)
        return symbol(Symbol.SUPPRESSED if hidden else Symbol.NOT_APPLICABLE).text

    @property
    def no_rating(self) -> str:
        """What stands where there is no rating."""
        hidden = self.target is not None and self.figure.symbol is Symbol.SUPPRESSED
        return self.figure.text if hidden else "Not rated"


def symbol(which: Symbol) -> Shown:
    """A symbol in the place of a figure, in square brackets as printed."""
    return Shown(None, which, f"[{which}]")


def missing(status: Status) -> Shown:
    """What stands where a figure is missing, for the reason that its status is."""
    shown = symbol(MISSING.get(status, Symbol.NOT_AVAILABLE))
    return replace(shown, text=TO_BE_SUPPLIED) if status == "to-be-supplied" else shown


def number(indicator: Indicator, value: float, numerator: float) -> Shown:
    """A number as printed; one that rounds to zero and is not zero is `low`."""
    if not value and numerator and indicator.unit != "count":
        return Shown(value, Symbol.LOW, f"[{Symbol.LOW}]")
    return Shown(value, None, number_text(indicator, value))


class ShownFigures:
    """The cells of one release as they may be shown.

    `before` are those of the month before, as its latest release has them. What a figure is
    compared with is taken from there, so that a month has one figure wherever it stands; without
    it, from the release itself, which keeps what was known of the month before.
    """

    def __init__(
        self,
        release: Release,
        disclosure: Disclosure,
        marks: dict[CellKey, tuple[FigureMark, ...]],
        before: "ShownFigures | None" = None,
    ) -> None:
        self.release = release
        self._before = before
        self._disclosure = disclosure
        self._marks = marks
        self._indicators = {indicator.code: indicator for indicator in release.indicators}
        self._cells = {cell.key: cell for cell in release.cells}

    def cell(self, key: CellKey) -> ShownCell | None:
        """A figure and what is said beside it; None where the release has no such cell."""
        found = self._cells.get(key)
        return None if found is None else self._shown(key, found)

    def _shown(self, key: CellKey, cell: ReleaseCell) -> ShownCell:
        indicator = self._indicators[key.indicator]
        hidden = self._disclosure.hides(self.release, key)
        figure = self._figure(indicator, cell, hidden)
        before = self._before_of(key, cell)
        if before is None:
            previous, direction, rag = (
                self._previous(indicator, key, cell),
                cell.direction,
                cell.rag,
            )
        else:
            previous = symbol(Symbol.SUPPRESSED) if hidden else before.figure
            direction, rag = self._judged(indicator, cell, before)
        compared = figure.value is not None and previous.value is not None
        return ShownCell(
            key=key,
            figure=figure,
            printed=self._printed(indicator, key, cell, figure),
            previous=previous,
            direction=direction if compared else None,
            target=None if cell.target is None else number_text(indicator, cell.target),
            rag=self._rating(indicator, rag, figure, previous),
            marks=() if figure.value is None else self._marks.get(key, ()),
            numerator=None if hidden else cell.numerator,
            denominator=None if hidden else cell.denominator,
            is_supplied=cell.status == "supplied",
        )

    def known_otherwise(self) -> int:
        """Of how many figures more is known of the month before than its release has, by now."""
        return sum(
            before is not None
            and before.figure.value is not None
            and before.figure.value != cell.previous
            for key, cell in self._cells.items()
            for before in (self._before_of(key, cell),)
        )

    def _before_of(self, key: CellKey, cell: ReleaseCell) -> ShownCell | None:
        """The figure of the month before, unless that one is of another definition."""
        if self._before is None or cell.status == "not-at-this-level":
            return None
        if FigureMark.BREAK in self._marks.get(key, ()):
            return None
        return self._before.cell(key)

    def _judged(
        self, indicator: Indicator, cell: ReleaseCell, before: ShownCell
    ) -> tuple[Direction | None, Rag | None]:
        """How a figure compares with that of the month before as it was released."""
        rag, scheme = cell.rag, self.release.scheme_of(indicator)
        one = _exact(indicator, cell.numerator, cell.denominator, cell.value)
        other = _exact(indicator, before.numerator, before.denominator, before.figure.value)
        if scheme.rag == "previous" and cell.age_band == ALL_AGES and scheme.rates(indicator.code):
            share = scheme.share_of(indicator.code)
            rag = rating_since(indicator, _fraction(one), _fraction(other), share)
        aim = None if cell.target is None else exact(cell.target)
        return direction_of_travel(one, other, scheme.direction, indicator.polarity, aim), rag

    def _rating(
        self, indicator: Indicator, rag: Rag | None, figure: Shown, previous: Shown
    ) -> Rag | None:
        """A rating, unless it would say something of a figure that is suppressed."""
        rests_on_previous = self.release.is_rated_by_previous(indicator)
        if figure.value is None or (rests_on_previous and previous.value is None):
            return None
        return rag

    def _figure(self, indicator: Indicator, cell: ReleaseCell, hidden: bool) -> Shown:
        if cell.status == "not-at-this-level":
            return symbol(Symbol.NOT_APPLICABLE)
        if hidden:
            return symbol(Symbol.SUPPRESSED)
        if cell.value is None:
            return missing(cell.status)
        return number(indicator, cell.value, cell.numerator or 0)

    def _previous(self, indicator: Indicator, key: CellKey, cell: ReleaseCell) -> Shown:
        if cell.status == "not-at-this-level":
            return symbol(Symbol.NOT_APPLICABLE)
        if self._disclosure.hides_previous(self.release, key):
            return symbol(Symbol.SUPPRESSED)
        if cell.previous is None:
            rests_on_cases = indicator.source == "events" and (
                indicator.denominator is None or isinstance(indicator.denominator, dict)
            )
            return symbol(Symbol.NOT_APPLICABLE if rests_on_cases else Symbol.NOT_AVAILABLE)
        return number(indicator, cell.previous, 0)

    def _printed(
        self, indicator: Indicator, key: CellKey, cell: ReleaseCell, figure: Shown
    ) -> Shown:
        whole_key = key._replace(band=ALL_AGES)
        whole = self._cells.get(whole_key)
        if indicator.bands != "share" or key.band == ALL_AGES or whole is None:
            return figure
        if figure.value is None:
            return figure
        if self._disclosure.hides(self.release, whole_key):
            return symbol(Symbol.SUPPRESSED)
        return _share(cell.counted[0], whole.counted[0])


def _exact(
    indicator: Indicator, numerator: float | None, denominator: float | None, value: float | None
) -> tuple[int, int]:
    """A figure before it is rounded; a lower number of 0 for none.

    Of what others worked out there may be the value alone.
    """
    if value is None:
        return NO_VALUE
    if numerator is not None and indicator.unit == "count":
        return exact(numerator).as_integer_ratio()
    if numerator is not None and denominator:
        return (indicator.scale * exact(numerator) / exact(denominator)).as_integer_ratio()
    return exact(value).as_integer_ratio()


def _fraction(exact: tuple[int, int]) -> Fraction | None:
    return Fraction(*exact) if exact[1] else None


def _share(part: int, whole: int) -> Shown:
    if not whole:
        return symbol(Symbol.NOT_APPLICABLE)
    share = rounded_half_up(100 * part, whole)
    if part and not share:
        return Shown(share, Symbol.LOW, f"[{Symbol.LOW}]")
    return Shown(share, None, f"{share:,.1f}%")
