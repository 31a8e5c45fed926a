"""Figures that others supply (docs/events.md): what indicators are divided by or compared with."""

from typing import Annotated, Literal, NotRequired, get_args

from pydantic import AfterValidator, Field, StringConstraints, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from schemas.events.attributes import STRICT, Attributes, Count, Month, Name, Number, Year
from schemas.events.case import Service


def _runs_forward(ages: str) -> str:
    """Refuse a range that ends before it begins."""
    first, _, last = ages.partition("-")
    if last and int(last) < int(first):
        raise PydanticCustomError("ages", "no range of ages")
    return ages


# A band of the scorecard, or any range of completed years such as 0-18.
AgeRange = Annotated[
    str,
    StringConstraints(pattern=r"^(all|[0-9]{1,3}(-[0-9]{1,3}|\+))$"),
    AfterValidator(_runs_forward),
]
Group = Literal["all", "deprived", "bme", "disabled-sen"]
GROUPS: tuple[Group, ...] = get_args(Group)
# A month, a year from April, or a school term.
Period = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])|-T[1-9])?$")]
SuppliedStatus = Literal["supplied", "to-be-supplied", "not-available"]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@with_config(STRICT)
class Population(TypedDict):
    """Data of `population.published`: people of an area, or place, in a mid-year estimate."""

    area: Name
    age_band: AgeRange
    year: Year
    count: Count
    group: NotRequired[Group | None]


@with_config(STRICT)
class Workforce(TypedDict):
    """Data of `workforce.reported`: full-time equivalents of a provider."""

    provider: Name
    area: NotRequired[Name | None]
    service: NotRequired[Service | None]
    fte: NonNegative


@with_config(STRICT)
class Target(TypedDict):
    """Data of `target.set`: what an indicator should reach in a year.

    Without `area` it is the whole authority's. `amber` is the furthest value from the target that
    still counts as near it.
    """

    code: Name
    area: NotRequired[Name | None]
    year: Year
    target: Number
    amber: NotRequired[Number | None]


@with_config(STRICT)
class Supplied(TypedDict):
    """Data of `measure.supplied`: a figure whose events live elsewhere, for one period only.

    Either `value`, or `numerator` and `denominator`, where the status is `supplied`.
    """

    code: Name
    family: NotRequired[Name | None]
    area: Name
    age_band: AgeRange
    period: Period
    value: NotRequired[Number | None]
    numerator: NotRequired[Number | None]
    denominator: NotRequired[NonNegative | None]
    status: SuppliedStatus
    provenance: Name


def _is_given_in_one_way(data: Supplied) -> Supplied:
    """Refuse half of a pair, a pair and a value, and nothing at all that is said to be supplied."""
    given = {name for name in ("value", "numerator", "denominator") if data.get(name) is not None}
    whole = given in ({"value"}, {"numerator", "denominator"})
    if not whole and (given or data["status"] == "supplied"):
        raise PydanticCustomError("supplied", "neither a value nor a numerator and a denominator")
    return data


@with_config(STRICT)
class Narrative(TypedDict):
    """Data of `commentary.written`: beside a figure, or without `code` an area's headline."""

    code: NotRequired[Name | None]
    area: Name
    period: Month
    author_role: Name
    text: Name


@with_config(STRICT)
class PopulationPublished(Attributes):
    """A population estimate for an area and band."""

    type: Literal["population.published"]
    data: Population


@with_config(STRICT)
class WorkforceReported(Attributes):
    """How many full-time equivalents work for a provider."""

    type: Literal["workforce.reported"]
    data: Workforce


@with_config(STRICT)
class TargetSet(Attributes):
    """A target for an indicator in a year."""

    type: Literal["target.set"]
    data: Target


@with_config(STRICT)
class MeasureSupplied(Attributes):
    """A figure that others worked out."""

    type: Literal["measure.supplied"]
    data: Annotated[Supplied, AfterValidator(_is_given_in_one_way)]


@with_config(STRICT)
class CommentaryWritten(Attributes):
    """The narrative beside a month's figure."""

    type: Literal["commentary.written"]
    data: Narrative
