"""Alerts as they are told: a record for each change of an alert's state.

Changes go to the `alerts` topic under the alert's id, so that compaction leaves the latest one.
"""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from schemas.standards import OwnerKind, Severity

ALERTS_TOPIC = "alerts"
# What people decide about alerts: acknowledgements and silences.
DECISIONS_TOPIC = "alert-decisions"
FORMAT: Final = 1

# `due-soon` and `breached` are active; `resolved` is over.
AlertState = Literal["due-soon", "breached", "resolved"]
# Why an alert is over: docs/alerts.md, Reasons, defines each.
Reason = Literal[
    "done",
    "done-late",
    "closed",
    "transferred",
    "corrected",
    "retracted",
    "recovered",
    "too-few",
    "period-ended",
    "withdrawn",
]


class _Told(BaseModel):
    """What changes of both kinds of alert have in common.

    `alert` is the alert's id, the same for the same (case, standard, episode) or (indicator, area
    or provider, period) wherever and whenever it is worked out; `version` counts its changes from
    1, and `learnt` is when this one became known. `since` is the civil date from which it is in its
    state. A *stand* is the time that it is in one state under one owner without a break: `stand` is
    the version it began with, `stand_learnt` when that became known. `historic` marks what was over
    before it was known: it is recorded, and delivered to nobody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    alert: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")]
    version: Annotated[int, Field(ge=1)]
    learnt: AwareDatetime | None = None
    stand: Annotated[int, Field(ge=1)] | None = None
    stand_learnt: AwareDatetime | None = None
    standard: str
    title: str
    state: AlertState
    since: date
    reason: Reason | None = None
    historic: bool = False
    severity: Severity
    owner_kind: OwnerKind
    owner: str
    area: str
    provider: str | None = None

    @property
    def key(self) -> str:
        """What tells this change from every other: receivers may know a repetition by it."""
        return f"{self.alert}:{self.version}"

    @property
    def is_active(self) -> bool:
        """Whether the alert is on."""
        return self.state != "resolved"


class CaseChange(_Told):
    """A change of the alert on one standard of one case in one episode, its nth time open.

    `due` is the day, or working day, by which the standard's limit is up, `breached_from` the first
    day that breaks it, which may be after a weekend. `worker` is the last one named. `area` is the
    case's district, or the top where that is unknown.
    """

    kind: Literal["case"] = "case"
    child: str
    case: str
    episode: Annotated[int, Field(ge=1)]
    service: str
    team: str | None = None
    worker: str | None = None
    due: date
    breached_from: date | None = None


class IndicatorChange(_Told):
    """A change of the alert on an indicator of an area, or of a provider.

    `period` is the month (2015-10) or the financial year (2015/16) that a flow is of; None for a
    stock, whose alert goes on from month to month. `value` is to one decimal, None where there was
    nothing to divide by.
    """

    kind: Literal["indicator"] = "indicator"
    indicator: str
    period: str | None
    numerator: int
    denominator: int
    value: float | None
    target: float

    @property
    def subject(self) -> str:
        """What it is about, for people: the indicator, and its period if it has one."""
        return f"{self.indicator} {self.period}" if self.period else self.indicator

    @property
    def value_text(self) -> str:
        """The value for people, with what it is made of."""
        value = "no value" if self.value is None else f"{self.value:g}"
        return f"{value} ({self.numerator} of {self.denominator})"


Change = Annotated[CaseChange | IndicatorChange, Field(discriminator="kind")]
CHANGE: TypeAdapter[CaseChange | IndicatorChange] = TypeAdapter(Change)
