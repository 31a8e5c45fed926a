"""What a publication shows of a release: its figures, their trend, and the log of its changes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from schemas.areas import Area
from schemas.catalogue import ALL_AGES, Indicator
from schemas.cells import CellKey
from schemas.places import PROVIDER, Place
from schemas.release import Change, Commentary, Release, ReleaseCell
from snapshots.checking.comments import ChangedComment, changed_comments
from snapshots.publish.text.shown_figures import (
    Disclosure,
    NothingHidden,
    Shown,
    ShownCell,
    ShownFigures,
    symbol,
)
from snapshots.publish.text.wording import (
    AFTER_FIRST,
    ANOTHER_TEXT,
    UNKNOWN_AGE,
    FigureMark,
    Profile,
    Symbol,
    month_before,
    number_text,
)
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import seal

TREND_MONTHS = 13
# Shown on the front page and as charts, where the catalogue names none.
FEWEST_HEADLINES = 6
# Parts of an indicator that, changed, break its series.
RULE = ("definition", "unit", "scale", "numerator", "denominator")


class DisclosureMissingError(ValueError):
    """A public publication was asked for without saying what is to be suppressed."""


@dataclass(frozen=True)
class Point:
    """One month of a trend."""

    period: str
    shown: Shown
    marks: tuple[FigureMark, ...]


@dataclass(frozen=True)
class ShownChange:
    """A cell that a release changed, as it may be shown."""

    change: Change
    indicator: Indicator
    before: str
    after: str


@dataclass(frozen=True)
class JudgedAnew:
    """A target or a rating that is another one than in the release before."""

    indicator: Indicator
    area: str
    what: Literal["Target", "Rating"]
    before: str
    after: str


class View:
    """A release with what else its pages need, every figure as it may be shown.

    `stored` are the release's bytes, which may be of an earlier format, and so not what would be
    written now; those of one that is stored nowhere are made here. `others` may hold releases of
    any period in any order, and `formats` says what is written. Of an earlier period the one with
    the greatest number is shown in trends; earlier ones of the same period make the log.
    """

    def __init__(
        self,
        release: Release,
        others: Sequence[Release] = (),
        profile: Profile = "internal",
        disclosure: Disclosure | None = None,
        stored: bytes | None = None,
        formats: Collection[str] = ("html", "pdf", "xlsx", "csv", "json"),
    ) -> None:
        if profile == "public" and disclosure is None:
            raise DisclosureMissingError("the public profile needs to know what to suppress")
        public = disclosure if profile == "public" else None
        self.release = release
        self.profile = profile
        self.formats = frozenset(formats)
        self.disclosure: Disclosure = public or NothingHidden()
        self._others = tuple(others)
        self._by_key: dict[tuple[str, int], Mapping[CellKey, ReleaseCell]] = {}
        self.text = stored or seal(release).text

    @cached_property
    def sha256(self) -> str:
        """The release's own hash, which the next one of its chain carries.

        It is for the council alone: with it, whoever knows the rest could try values of suppressed
        figures until the hash is right.
        """
        return sha256(self.text)

    @property
    def is_internal(self) -> bool:
        """Whether it is for the council alone."""
        return self.profile == "internal"

    def named(self, name: str) -> str:
        """The name of a file; internal ones are told from public ones wherever they lie."""
        stem, dot, end = name.partition(".")
        mark = "_internal" if "_" in stem else "-internal"
        return f"{stem}{mark}{dot}{end}" if self.is_internal else name

    @property
    def bands(self) -> list[str]:
        """The age bands of the printed scorecard, overall first; not those of unknown age."""
        return [band for band in self.release.age_bands if band != UNKNOWN_AGE]

    @property
    def headlines(self) -> list[Indicator]:
        """The indicators that stand for the rest; the first six where the catalogue names none."""
        chosen = [one for one in self.in_areas if one.headline]
        return chosen or list(self.in_areas[:FEWEST_HEADLINES])

    @cached_property
    def periods(self) -> list[str]:
        """The months of the trend, oldest first: up to 13, from the first that was released."""
        period = self.release.period
        first = month_before(period, TREND_MONTHS - 1)
        start = min((known for known in self._by_period if known >= first), default=period)
        back = (month_before(period, months) for months in range(TREND_MONTHS - 1, -1, -1))
        return [month for month in back if month >= start]

    @cached_property
    def history(self) -> list[Release]:
        """The releases of this period before this one, in order."""
        return sorted(
            (
                other
                for other in self._others
                if other.period == self.release.period and other.number < self.release.number
            ),
            key=lambda other: other.number,
        )

    def cell(self, code: str, area: str, band: str = ALL_AGES, level: str = "") -> ShownCell:
        """A figure of the release, which has one wherever an indicator exists."""
        cell = self.cell_of(self.release.period, CellKey(code, area, band, level))
        if cell is None:
            raise KeyError(f"{code}, {area}, {band}: the release has no such cell")
        return cell

    def has(self, code: str, area: str, band: str = ALL_AGES, level: str = "") -> bool:
        """Whether an indicator exists at a place, of an age band."""
        return (code, area, band, level) in self._cells_of(self.release)

    def at(self, place: Place) -> list[Indicator]:
        """The indicators that exist at a place."""
        own = self.release.indicators
        return [one for one in own if self.has(one.code, place.name, level=place.level)]

    @cached_property
    def in_areas(self) -> list[Indicator]:
        """The indicators that areas have figures of."""
        return self.at(Place("", self.release.areas.top))

    @cached_property
    def places(self) -> list[Place]:
        """The places beside the areas that the release has figures of, level by level."""
        found = {Place(one.level, one.area): None for one in self.release.cells if one.level}
        return sorted(found)

    def cell_of(self, period: str, key: CellKey) -> ShownCell | None:
        """A figure of a month; None where no release of it has one."""
        figures = self._figures.get(period)
        return figures.cell(key) if figures else None

    def release_of(self, period: str) -> Release | None:
        """The release that is shown for a month, if there is one."""
        return self._by_period.get(period)

    def trend(self, code: str, area: str, band: str = ALL_AGES, level: str = "") -> list[Point]:
        """The figure of each month, oldest first; `x` for a month without a release."""
        key = CellKey(code, area, band, level)
        return [self._point(period, key) for period in self.periods]

    def children(self, name: str) -> list[Area]:
        """The areas right below one."""
        return [area for area in self.release.areas.area if area.parent == name]

    def of_provider(self, name: str) -> list[Place]:
        """A provider in each area and district that the release has figures of it in."""
        inside = {f"{name} / {area.name}" for area in self.release.areas.area}
        own = (it for it in self.places if it.level.startswith(f"{PROVIDER}-"))
        return [it for it in own if it.name in inside]

    def commentary(self, area: str, code: str | None = None) -> list[Commentary]:
        """What was written about an area, or about a figure of it."""
        return [note for note in self.release.commentary if note.area == area and note.code == code]

    def before(self, release: Release) -> Release | None:
        """The release of this period that one replaced; none for a beginning, anew or not."""
        before = next((one for one in self.history if one.number == release.number - 1), None)
        is_beginning = before is None or "withdrawn" in {before.kind, release.kind}
        return None if is_beginning else before

    def changes(self, release: Release) -> list[ShownChange]:
        """What a release of this period changed, in the order of the scorecard.

        A change of a suppressed figure is left out altogether: that it changed says something.
        So is one by so few that it may point to a child (`unlisted`).
        """
        indicators = {one.code: one for one in release.indicators}
        return [
            _shown_change(change, indicators[change.code])
            for change in self._changes(release)
            if not self._is_small_move(change, release)
        ]

    def unlisted(self, release: Release) -> int:
        """How many figures moved by so few that they are not listed, though both are shown."""
        return sum(self._is_small_move(change, release) for change in self._changes(release))

    def judged_anew(self, release: Release) -> list[JudgedAnew]:
        """The targets and ratings that differ from the release before, of all ages together."""
        before = self.before(release)
        if before is None:
            return []
        was, now = (ShownFigures(one, self.disclosure, {}) for one in (before, release))
        found: list[JudgedAnew] = []
        indicators = {one.code: one for one in release.indicators}
        for each in release.cells:
            if each.age_band != ALL_AGES:
                continue
            old, new = was.cell(each.key), now.cell(each.key)
            if old is not None and new is not None:
                found += _judged_anew(indicators[each.code], each.area, old, new)
        return found

    def comments_changed(self, release: Release) -> list[ChangedComment]:
        """The comments that are others, new, or gone since the release before.

        In public what was said before is not said again: it may be what had to be mended.
        """
        before = self.before(release)
        found = changed_comments(before, release) if before else []
        if self.is_internal:
            return found
        return [replace(one, before=ANOTHER_TEXT if one.before else "") for one in found]

    def _changes(self, release: Release) -> list[Change]:
        before = self.before(release)
        codes = {one.code for one in release.indicators}
        return [
            change
            for change in release.changes
            if change.code in codes and not self._hides_change(change, before, release)
        ]

    def _is_small_move(self, change: Change, release: Release) -> bool:
        before = self.before(release)
        old = self._cells_of(before).get(change.key) if before else None
        new = self._cells_of(release).get(change.key)
        if old is None or new is None:
            return False
        return self.disclosure.hides_move(release, old, new)

    def _cells_of(self, release: Release) -> Mapping[CellKey, ReleaseCell]:
        name = release.period, release.number
        if name not in self._by_key:
            self._by_key[name] = {cell.key: cell for cell in release.cells}
        return self._by_key[name]

    @cached_property
    def _by_period(self) -> dict[str, Release]:
        latest = {self.release.period: self.release}
        for other in sorted(self._others, key=lambda other: other.number):
            if other.period < self.release.period:
                latest[other.period] = other
        return latest

    @cached_property
    def _figures(self) -> dict[str, ShownFigures]:
        found: dict[str, ShownFigures] = {}
        for period, one in sorted(self._by_period.items()):
            before = found.get(month_before(period))
            found[period] = ShownFigures(one, self.disclosure, dict(self._marks(one)), before)
        return found

    @property
    def known_otherwise(self) -> int:
        """Of how many figures the month before is known otherwise than its release has it."""
        return self._figures[self.release.period].known_otherwise()

    def _point(self, period: str, key: CellKey) -> Point:
        cell = self.cell_of(period, key)
        if cell is None:
            return Point(period, symbol(Symbol.NOT_AVAILABLE), ())
        return Point(period, cell.figure, cell.marks)

    def _marks(self, release: Release) -> Iterator[tuple[CellKey, tuple[FigureMark, ...]]]:
        revised, broken = self._revised(release), self._broken(release)
        for cell in release.cells:
            key = cell.key
            marks = (
                (FigureMark.PROVISIONAL, release.kind == "provisional"),
                (FigureMark.REVISED, key in revised),
                (FigureMark.BREAK, cell.code in broken),
            )
            yield key, tuple(mark for mark, applies in marks if applies)

    def _revised(self, release: Release) -> frozenset[CellKey]:
        """Cells changed since the first release of a period, by it or by one between."""
        before = (
            other
            for other in self._others
            if other.period == release.period and other.number < release.number
        )
        chain = [*sorted(before, key=lambda other: other.number), release]
        withdrawn = [at for at, one in enumerate(chain) if one.kind == "withdrawn"]
        chain = chain[withdrawn[-1] + 1 :] if withdrawn else chain
        return frozenset(
            change.key
            for earlier, later in zip([None, *chain], chain, strict=False)
            if later.kind in AFTER_FIRST
            for change in later.changes
            if not self._hides_change(change, earlier, later)
        )

    def _broken(self, release: Release) -> frozenset[str]:
        """Indicators that the month before was worked out for by another rule."""
        before = self._by_period.get(month_before(release.period))
        if before is None:
            return frozenset()
        rules = {one.code: one.model_dump(include=set(RULE)) for one in before.indicators}
        return frozenset(
            one.code
            for one in release.indicators
            if one.code in rules and one.model_dump(include=set(RULE)) != rules[one.code]
        )

    def _hides_change(self, change: Change, before: Release | None, after: Release) -> bool:
        key = change.key
        hidden_before = self.disclosure.hides(before, key) if before else self.profile == "public"
        return hidden_before or self.disclosure.hides(after, key)


def _judged_anew(
    indicator: Indicator, area: str, old: ShownCell, new: ShownCell
) -> Iterator[JudgedAnew]:
    if old.target != new.target:
        yield JudgedAnew(indicator, area, "Target", old.target or "None", new.target or "None")
    ratings = old.rag or old.no_rating, new.rag or new.no_rating
    if ratings[0] != ratings[1]:
        yield JudgedAnew(indicator, area, "Rating", *ratings)


def _shown_change(change: Change, indicator: Indicator) -> ShownChange:
    before, after = (
        f"[{Symbol.NOT_APPLICABLE}]" if value is None else number_text(indicator, value)
        for value in (change.before, change.after)
    )
    return ShownChange(change, indicator, before, after)
