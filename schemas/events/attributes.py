"""What events of every topic share: scalar types, CloudEvents attributes, and the retraction.

The schemas are typed dictionaries rather than models: pydantic validates them with the same
strictness and the same JSON Schema, at two fifths of the cost an event, and validation is the
largest single cost of the stream. JSON `null` stands for "absent" throughout, as the CloudEvents
JSON format has it.
"""

from datetime import date
from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, with_config
from typing_extensions import TypedDict

# RFC 3339, section 5.6, with the offset that the contract requires. Whether the date exists is
# decided when it is converted (processors.record.decoding): a pattern cannot count the days of
# February.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
RFC3339 = rf"^{_DATE}[Tt]{_CLOCK}:[0-9]{{2}}(\.[0-9]+)?([Zz]|[+-]{_CLOCK})$"
FULL_DATE = f"^{_DATE}$"
MONTH = "^[0-9]{4}-(0[1-9]|1[0-2])$"

STRICT = ConfigDict(strict=True)


def _existing_date(text: str) -> str:
    """Refuse a date that no calendar has, such as 30 February."""
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("no such date") from error
    return text


Name = Annotated[str, StringConstraints(min_length=1)]
Instant = Annotated[
    str, StringConstraints(pattern=RFC3339), Field(json_schema_extra={"format": "date-time"})
]
Day = Annotated[
    str,
    StringConstraints(pattern=FULL_DATE),
    AfterValidator(_existing_date),
    Field(json_schema_extra={"format": "date"}),
]
# Whole numbers that JSON, msgpack and every client language carry exactly (RFC 7493, 2.2).
Count = Annotated[int, Field(ge=0, lt=2**53)]
Year = Annotated[int, Field(ge=1900, le=2199)]
Month = Annotated[str, StringConstraints(pattern=MONTH)]
Number = Annotated[float, Field(allow_inf_nan=False)]


@with_config(STRICT)
class Nothing(TypedDict):
    """Data of an event whose type says it all."""


@with_config(STRICT)
class Retraction(TypedDict):
    """Data of `event.retracted`."""

    retracts: Name


@with_config(STRICT)
class Attributes(TypedDict):
    """The CloudEvents attributes every event has (docs/events.md, Attributes)."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    subject: Name
    time: Instant
    partitionkey: Name
    revision: NotRequired[Count | None]


@with_config(STRICT)
class EventRetracted(Attributes):
    """The named event of the same source never counts."""

    type: Literal["event.retracted"]
    data: Retraction
