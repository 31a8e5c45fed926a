"""What is published of a release under disclosure control, and nothing else of it.

A suppressed cell says so (`c`) and carries no numerator, denominator, value, previous value,
direction or rating. Everything that goes out in a public publication is to be taken from here:
shares of bands, trends and changes as well.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Literal, NamedTuple

from schemas.cells import CellKey
from schemas.release import NOT_COUNTED, Frozen, Period, Rag, Release, ReleaseCell
from schemas.scorecard import Direction, Status
from snapshots.disclosure.suppression import Rule

PublicStatus = Literal[Status, "suppressed"]
# Why there is no previous value: the month before had none, or it is not public.
PreviousStatus = Literal["reported", "none", "suppressed"]


class PublicCell(Frozen):
    """One cell as it may go out; of a suppressed one, only that it is."""

    code: str
    area: str
    age_band: str
    level: str = ""
    numerator: int | float | None
    denominator: int | float | None
    value: int | float | None
    status: PublicStatus
    previous: int | float | None
    previous_status: PreviousStatus
    direction: Direction | None
    target: float | None
    rag: Rag | None

    @property
    def key(self) -> CellKey:
        """What tells it from the other cells."""
        return CellKey(self.code, self.area, self.age_band, self.level)

    @property
    def is_told(self) -> bool:
        """Whether it says what it counts, if only that nothing was counted."""
        return self.numerator is not None or self.status in NOT_COUNTED


class PublicChange(Frozen):
    """A change since the release before, where both values are public; never what caused it."""

    code: str
    area: str
    age_band: str
    level: str = ""
    before: int | float | None
    after: int | float | None


class PublicRelease(Frozen):
    """The public side of one release, which is kept: a later release must not undo it."""

    period: Period
    number: int
    rule: Rule
    cells: tuple[PublicCell, ...]
    changes: tuple[PublicChange, ...]

    @cached_property
    def by_key(self) -> dict[CellKey, PublicCell]:
        """The cells by code, area and age band."""
        return {cell.key: cell for cell in self.cells}

    def is_suppressed(self, key: CellKey) -> bool:
        """Whether a cell is suppressed."""
        return self.by_key[key].status == "suppressed"


class Left(Frozen):
    """What values of a small count stay possible, where they are fewer than the rule asks for."""

    period: Period
    code: str
    area: str
    age_band: str
    least: int
    greatest: int

    def __str__(self) -> str:
        return (
            f"{self.period} {self.code} {self.area or 'no district'} {self.age_band}: "
            f"{self.least} to {self.greatest}"
        )


class Issued(NamedTuple):
    """A release that has gone out, with what was public of it."""

    release: Release
    public: PublicRelease


def public_release(
    release: Release, rule: Rule, suppressed: Collection[CellKey], issued: Collection[Issued]
) -> PublicRelease:
    """The public side of a release with the cells in `suppressed` withheld."""
    before = _latest(issued, month_before(release.period), None)
    replaced = _latest(issued, release.period, release.number)
    earlier = before.by_key if before else {}
    rules = (rule, before.rule) if before else (rule,)
    counts = {each.code for each in release.indicators if each.unit == "count"}
    since = {each.code for each in release.indicators if release.is_rated_by_previous(each)}
    cells = tuple(
        _cell(
            each,
            suppressed,
            _Before(earlier.get(each.key), each.code in counts, rules),
            rated_by_previous=each.code in since,
        )
        for each in release.cells
    )
    return PublicRelease(
        period=release.period,
        number=release.number,
        rule=rule,
        cells=cells,
        changes=_changes(release, suppressed, replaced),
    )


def month_before(period: str) -> str:
    """The period before one, both as YYYY-MM."""
    year, month = (int(part) for part in period.split("-"))
    return f"{year}-{month - 1:02}" if month > 1 else f"{year - 1}-12"


def month_after(period: str) -> str:
    """The period after one, both as YYYY-MM."""
    year, month = (int(part) for part in period.split("-"))
    return f"{year}-{month + 1:02}" if month < 12 else f"{year + 1}-01"


def _latest(issued: Collection[Issued], period: str, below: int | None) -> PublicRelease | None:
    numbered = [
        each.public
        for each in issued
        if each.public.period == period and (below is None or each.public.number < below)
    ]
    return max(numbered, key=lambda public: public.number, default=None)


class _Before(NamedTuple):
    """What the month before's own release says in public of a cell."""

    cell: PublicCell | None
    is_count: bool
    rules: tuple[Rule, ...]

    def shown(self, previous: int | float | None) -> tuple[int | float | None, PreviousStatus]:
        """The previous value, where it tells nothing that is not public.

        Late events may have changed it since. A count can be judged as it is now; what a changed
        percentage rests on cannot, so that one waits for a revision of its own month.
        """
        if self.cell is None or self.cell.status == "suppressed":
            return None, "suppressed"
        if previous != self.cell.value and not (
            self.is_count
            and isinstance(previous, int)
            and not any(rule.is_small(previous) for rule in self.rules)
        ):
            return None, "suppressed"
        return previous, "none" if previous is None else "reported"


def _cell(
    cell: ReleaseCell, suppressed: Collection[CellKey], before: _Before, *, rated_by_previous: bool
) -> PublicCell:
    is_suppressed = cell.key in suppressed
    is_public = not is_suppressed and cell.status != "not-at-this-level"
    previous, previous_status = before.shown(cell.previous)
    if is_suppressed:
        previous, previous_status = None, "suppressed"
    is_compared = is_public and previous_status == "reported"
    return PublicCell(
        code=cell.code,
        area=cell.area,
        age_band=cell.age_band,
        level=cell.level,
        numerator=cell.numerator if is_public else None,
        denominator=cell.denominator if is_public else None,
        value=cell.value if is_public else None,
        status="suppressed" if is_suppressed else cell.status,
        previous=previous if is_public else None,
        previous_status=previous_status,
        direction=cell.direction if is_compared else None,
        target=cell.target,
        rag=cell.rag if is_public and (is_compared or not rated_by_previous) else None,
    )


def _changes(
    release: Release, suppressed: Collection[CellKey], replaced: PublicRelease | None
) -> tuple[PublicChange, ...]:
    """The changes whose values are both public, and not near each other.

    None where the release before never was public.
    """
    if replaced is None:
        return ()
    now = {cell.key: cell for cell in release.cells}
    return tuple(
        PublicChange(
            code=each.code,
            area=each.area,
            age_band=each.age_band,
            level=each.level,
            before=each.before,
            after=each.after,
        )
        for each in release.changes
        if (key := each.key) not in suppressed
        and key in replaced.by_key
        and not replaced.is_suppressed(key)
        and replaced.by_key[key].value == each.before
        and not _is_small_move(replaced, replaced.by_key[key], now[key])
    )


def _is_small_move(replaced: PublicRelease, before: PublicCell, after: ReleaseCell) -> bool:
    """Whether a count moved by so few that it may point to a child, as a corrected age does."""
    pairs = (before.numerator, after.numerator), (before.denominator, after.denominator)
    return any(
        old is not None and new is not None and 0 < abs(old - new) <= replaced.rule.threshold
        for old, new in pairs
    )
