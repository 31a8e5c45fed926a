"""Releases: a month's scorecard frozen for publication, and what it rests on.

A release is immutable. Its canonical JSON (snapshots.releases.canonical) is what is hashed, stored
and published from, so everything that a page needs years later is in it: the figures, the rules
and the wording of the indicators, the bank holidays, the tree of areas, and where in the log the
figures come from.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.areas import Areas
from schemas.catalogue import AnyMeasure, DeclaredTarget, Indicator, Relation
from schemas.cells import CellKey
from schemas.places import NO_PLACES, Places
from schemas.schemes import RagScheme, Scheme
from schemas.scorecard import Direction, Status
from schemas.scorecard import Rag as Rag

# The format that releases are written in. Stored ones keep theirs for ever: what is added to a
# release has a default that says what it was before, so that all earlier formats can be read.
# 1  the first.
# 2  keeps what its figures were worked out with: the measures, the bank holidays, and what the
#    ratings are against; indicators may have a tolerance for them.
# 3  keeps only the measures that its figures rest on, and relations between cases and places
#    where any rests on them; indicators say where they come from and whether they are released;
#    messages before the cut that were passed over are named.
# 4  may be a withdrawal: the month's releases before it no longer stand, and it has no figures.
# 5  has every level of place and what others supply, so that a figure may lack its numerator and
#    denominator; compares and rates by family, and keeps the schemes and the declared targets.
FORMAT = 5

# The kinds in the order a period goes through them. A revision is scheduled (late data); a
# correction mends an error; both come after a first release and need a reason. A
# withdrawal takes back what was released in error; the month then begins anew.
FrozenKind = Literal["provisional", "first", "final", "revised", "corrected"]
ReleaseKind = Literal[FrozenKind, "withdrawn"]
Period = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Frozen(BaseModel):
    """Base of everything in a release: strict, immutable, no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


# What a figure is that nothing was counted for, so that others' was looked for.
NOT_COUNTED = ("supplied", "to-be-supplied")


class ReleaseCell(Frozen):
    """One cell: as a live scorecard row, with its target and rating where it has them.

    `area` is the name of the place; `level` is what kind of place it is, unless one of the areas.
    """

    code: str
    area: str
    age_band: str
    level: str = ""
    numerator: int | float | None
    denominator: int | float | None
    value: int | float | None
    status: Status
    previous: int | float | None
    direction: Direction | None
    target: float | None
    rag: Rag | None

    @property
    def key(self) -> CellKey:
        """What tells it from the other cells."""
        return CellKey(self.code, self.area, self.age_band, self.level)

    @property
    def counted(self) -> tuple[int, int]:
        """The numerator and denominator as they are counted: nothing where others supply them.

        A denominator that others supply, such as staff, may lie between whole numbers.
        """
        if self.status in NOT_COUNTED or self.numerator is None or self.denominator is None:
            return 0, 0
        return int(self.numerator), int(self.denominator)


class Position(Frozen):
    """Where a partition was cut: the release rests on all its records before `offset`.

    Except those before `begins`, which the log had lost.
    """

    topic: str
    partition: int
    offset: int
    begins: int = 0


class PassedOver(Frozen):
    """A message that nobody takes in, because an operator has said so, and why."""

    topic: str
    partition: int
    offset: int
    reason: str


class Commentary(Frozen):
    """The narrative beside a figure (`code`), or a headline summary of an area (no code)."""

    code: str | None
    area: str
    author_role: str
    text: str


class Cause(Frozen):
    """An event that came between two releases, by its identity and where it lies in the log."""

    topic: str
    partition: int
    offset: int
    source: str
    id: str
    revision: int
    type: str
    subject: str


class Change(Frozen):
    """A cell that differs from the release before, and the events behind it.

    `causes` names the first of them in the log, and `more_causes` counts the rest.
    """

    code: str
    area: str
    age_band: str
    level: str = ""
    before: int | float | None
    after: int | float | None
    causes: tuple[Cause, ...]
    more_causes: Annotated[int, Field(ge=0)] = 0

    @property
    def key(self) -> CellKey:
        """Which cell it is."""
        return CellKey(self.code, self.area, self.age_band, self.level)


class Release(Frozen):
    """One release of a period's figures.

    `bank_holidays` are those of England on weekdays, from 1900 until the as-of date.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    period: Period
    number: Annotated[int, Field(ge=1)]
    kind: ReleaseKind
    as_of: date
    released_on: date
    author: str
    reason: str
    previous_release: Sha256 | None
    catalogue_version: str
    calendar_version: str
    direction_scheme: Literal["change", "improvement"]
    indicators: tuple[Indicator, ...]
    areas: Areas
    age_bands: tuple[str, ...]
    cut: tuple[Position, ...]
    cells: tuple[ReleaseCell, ...]
    commentary: tuple[Commentary, ...]
    quality: dict[str, int]
    changes: tuple[Change, ...]
    measures: tuple[AnyMeasure, ...] = ()
    bank_holidays: tuple[date, ...] = ()
    rag_scheme: RagScheme = "target"
    relations: tuple[Relation, ...] = ()
    places: Places = NO_PLACES
    passed_over: tuple[PassedOver, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    targets: tuple[DeclaredTarget, ...] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        if bool(self.measures) != (self.format > 1) and self.kind != "withdrawn":
            raise ValueError("a release keeps its measures, except in format 1")
        return self

    @model_validator(mode="after")
    def _has_figures(self) -> Self:
        if self.kind == "withdrawn" and (self.format < 4 or self.cells or self.changes):
            raise ValueError("a withdrawal has no figures, and came with format 4")
        return self

    def scheme_of(self, indicator: Indicator) -> Scheme:
        """How it compares and rates an indicator: by its family's scheme, or as all it holds."""
        found = (it for it in self.schemes if indicator.family in it.families)
        return next(found, None) or Scheme(
            name="of the release",
            families=(indicator.family,),
            direction=self.direction_scheme,
            rag=self.rag_scheme,
        )

    def is_rated_by_previous(self, indicator: Indicator) -> bool:
        """Whether a rating says how a figure compares with that of the month before."""
        return self.scheme_of(indicator).rag == "previous"

    @property
    def is_premature(self) -> bool:
        """Whether it has official figures of a month that was not over when they were released."""
        return self.kind not in {"provisional", "withdrawn"} and self.released_on <= self.as_of
