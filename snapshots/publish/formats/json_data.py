"""A publication as JSON: the figures as they are shown, and the schema they follow."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.areas import Areas
from schemas.catalogue import Indicator
from schemas.release import (
    Commentary,
    Period,
    Rag,
    Release,
    ReleaseCell,
    ReleaseKind,
    Sha256,
)
from schemas.schemes import DirectionScheme, RagScheme
from schemas.scorecard import Direction
from snapshots.disclosure.public import PublicStatus
from snapshots.publish.formats.proof import proof_of
from snapshots.publish.text.shown_figures import Shown, ShownCell
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import FigureMark, Profile, Symbol

SCHEMA_FILE = "scorecard.schema.json"


class PublishedModel(BaseModel):
    """Base of everything published: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedFigure(PublishedModel):
    """A number, or the symbol that stands in its place: z, x, c or low."""

    value: int | float | None
    symbol: Symbol | None


class PublishedCell(PublishedModel):
    """One figure; what it rests on is absent where it is suppressed, and in public for ratios."""

    code: str
    area: str = Field(description="the name of the place")
    level: str = Field(description="what kind of place it is; empty for one of the areas")
    age_band: str
    status: PublicStatus = Field(
        description="whether it is counted, supplied, or why it is missing"
    )
    figure: PublishedFigure
    numerator: int | float | None
    denominator: int | float | None
    previous: PublishedFigure
    direction: Direction | None
    target: float | None
    rag: Rag | None
    marks: tuple[FigureMark, ...] = Field(description="p provisional, r revised, b break in series")


class PublishedChange(PublishedModel):
    """A figure that a release changed, as both are shown."""

    code: str
    area: str
    level: str
    age_band: str
    before: str
    after: str


class PublishedJudgement(PublishedModel):
    """A target or a rating that a release changed, of all ages together."""

    code: str
    area: str
    what: Literal["Target", "Rating"]
    before: str
    after: str


class PublishedCommentChange(PublishedModel):
    """A comment that a release changed, added or left out; empty for none."""

    code: str | None
    area: str
    before: str
    after: str


class PublishedRelease(PublishedModel):
    """One release of the period, what it changed and why; inside the council also who made it."""

    number: int
    kind: ReleaseKind
    released_on: date
    author: str | None
    reason: str
    changes: tuple[PublishedChange, ...]
    unlisted: int = Field(description="figures that moved by too few to be listed in public")
    judged: tuple[PublishedJudgement, ...]
    comments: tuple[PublishedCommentChange, ...]


class PublishedScheme(PublishedModel):
    """How the figures of a family are compared, and what their ratings are against."""

    family: str
    direction: DirectionScheme
    rag: RagScheme


class PublishedScorecard(PublishedModel):
    """One month's scorecard as published, and the log of its releases, this one last."""

    format: Literal[3] = 3
    profile: Profile
    period: Period
    as_of: date
    proof_file: str | None = Field(description="the file of this publication by which it is proved")
    sha256: Sha256 | None = Field(description="the SHA-256 of that file")
    previous_release: Sha256 | None
    catalogue_version: str
    calendar_version: str
    schemes: tuple[PublishedScheme, ...]
    indicators: tuple[Indicator, ...]
    areas: Areas
    age_bands: tuple[str, ...]
    releases: tuple[PublishedRelease, ...]
    cells: tuple[PublishedCell, ...]
    commentary: tuple[Commentary, ...]


def json_files(view: View) -> Iterator[tuple[str, bytes]]:
    """The scorecard as shown with its schema; inside the council also the release itself."""
    yield view.named("scorecard.json"), _text(published(view).model_dump(mode="json"))
    yield view.named(SCHEMA_FILE), _text(_schema(PublishedScorecard))
    if view.is_internal:
        yield view.named("release.json"), view.text
        yield view.named("release.schema.json"), _text(_schema(Release))


def published(view: View) -> PublishedScorecard:
    """The scorecard as shown."""
    release, proof = view.release, proof_of(view)
    return PublishedScorecard(
        profile=view.profile,
        period=release.period,
        as_of=release.as_of,
        proof_file=proof.file if proof else None,
        sha256=proof.sha256 if proof else None,
        previous_release=release.previous_release if view.profile == "internal" else None,
        catalogue_version=release.catalogue_version,
        calendar_version=release.calendar_version,
        schemes=_schemes(release),
        indicators=release.indicators,
        areas=release.areas,
        age_bands=release.age_bands,
        releases=tuple(_release(view, one) for one in [*view.history, release]),
        cells=tuple(
            _cell(view, view.cell(cell.code, cell.area, cell.age_band, cell.level), cell)
            for cell in release.cells
        ),
        commentary=release.commentary,
    )


def _release(view: View, release: Release) -> PublishedRelease:
    return PublishedRelease(
        number=release.number,
        kind=release.kind,
        released_on=release.released_on,
        author=release.author if view.is_internal else None,
        reason=release.reason,
        changes=tuple(
            PublishedChange(
                code=one.change.code,
                area=one.change.area,
                level=one.change.level,
                age_band=one.change.age_band,
                before=one.before,
                after=one.after,
            )
            for one in view.changes(release)
        ),
        unlisted=view.unlisted(release),
        judged=tuple(
            PublishedJudgement(
                code=one.indicator.code,
                area=one.area,
                what=one.what,
                before=one.before,
                after=one.after,
            )
            for one in view.judged_anew(release)
        ),
        comments=tuple(
            PublishedCommentChange(code=one.code, area=one.area, before=one.before, after=one.after)
            for one in view.comments_changed(release)
        ),
    )


def _schemes(release: Release) -> tuple[PublishedScheme, ...]:
    first = {one.family: one for one in reversed(release.indicators)}
    schemes = {family: release.scheme_of(one) for family, one in sorted(first.items())}
    return tuple(
        PublishedScheme(family=family, direction=it.direction, rag=it.rag)
        for family, it in schemes.items()
    )


def _cell(view: View, cell: ShownCell, frozen: ReleaseCell) -> PublishedCell:
    internal = view.profile == "internal"
    return PublishedCell(
        code=cell.key.indicator,
        area=cell.key.place,
        level=cell.key.level,
        age_band=cell.key.band,
        status="suppressed" if cell.figure.symbol is Symbol.SUPPRESSED else frozen.status,
        figure=_figure(cell.figure),
        numerator=cell.numerator if internal else None,
        denominator=cell.denominator if internal else None,
        previous=_figure(cell.previous),
        direction=cell.direction,
        target=frozen.target,
        rag=cell.rag,
        marks=cell.marks,
    )


def _figure(shown: Shown) -> PublishedFigure:
    return PublishedFigure(value=shown.value, symbol=shown.symbol)


def _schema(model: type[BaseModel]) -> dict[str, object]:
    schema = model.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _text(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
