"""Tasks on releases, as data: what a publisher asks for from afar, and what came of it."""

from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from schemas.release import Frozen, Period, ReleaseKind, Sha256
from schemas.settings import Settings
from streams.jobs.previews import Preview

Number = Annotated[int, Field(ge=1)]
Threshold = Annotated[int, Field(ge=1)]


class FreezeTask(Frozen):
    """Make a release of a month; one of kind `withdrawn` takes back those before it."""

    what: Literal["freeze"] = "freeze"
    period: Period
    kind: ReleaseKind
    reason: str | None = None
    released_on: date | None = None
    by: str


class PreviewTask(Frozen):
    """Find what of a release would go out in public, and keep and write nothing."""

    what: Literal["preview"] = "preview"
    period: Period
    number: Number
    threshold: Threshold | None = None
    zeros_shown: bool | None = None


class PublishTask(Frozen):
    """Publish a release in public, exactly as it was previewed.

    `preview` is the hash of the preview. `accepts_narrow` says that `by` takes upon themselves
    that small counts keep fewer possible values than the rule asks for.
    """

    what: Literal["publish"] = "publish"
    period: Period
    number: Number
    threshold: Threshold | None = None
    zeros_shown: bool | None = None
    preview: Sha256
    accepts_narrow: bool = False
    by: str


class PublishInternalTask(Frozen):
    """Publish a release for the council itself, with small numbers as they are."""

    what: Literal["publish-internal"] = "publish-internal"
    period: Period
    number: Number
    by: str


class AcceptTask(Frozen):
    """Keep that someone has read a text of a release, and that it may go out as it stands."""

    what: Literal["accept"] = "accept"
    period: Period
    number: Number
    text: Annotated[int, Field(ge=0)]
    reason: str
    by: str


ReleaseTask = Annotated[
    FreezeTask | PreviewTask | PublishTask | PublishInternalTask | AcceptTask,
    Field(discriminator="what"),
]


class TaskOutcome(Frozen):
    """What came of a task: done; refused, with the command's own words; or failed, with why.

    `release` names the release that it was of, once there is one, and `is_new` whether the task
    made it.
    """

    state: Literal["done", "refused", "failed"]
    text: str
    notes: tuple[str, ...] = ()
    release: str | None = None
    is_new: bool = False
    preview: Preview | None = None


class TaskOrder(NamedTuple):
    """A task, whose settings it is done with, and on which day."""

    settings: Settings
    today: date
    task: ReleaseTask


class TaskProgress(Frozen):
    """How many records of the log there are to go through, and how many were."""

    total: int
    read: int = 0
    evaluated: int = 0
