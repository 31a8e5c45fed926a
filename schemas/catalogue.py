"""The indicator catalogue as data: measures, and the indicators that are formulas over them.

A *measure* says which cases (or notifications) count on which days; the ledger turns it into dated
entries. An *indicator* divides sums of measures and says how the result is shown. Both are read
from TOML and checked when loaded, so that an indicator's rule stands in one place.
"""

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Days a case has. `received` to `closed` are the words of Indicators; `notified` is the day of
# one notification of a case that may get several.
CaseDay = Literal["received", "contact", "plan", "closed", "notified"]
# What a figure is rated against (Indicators, Scorecard): its target, or the month before.
RagScheme = Literal["target", "previous"]
AGE_BANDS = ("0-4", "5-10", "11-15", "16+", "unknown")
ALL_AGES = "all"


class Data(BaseModel):
    """Base of everything in the catalogue: strict, immutable, no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Match(Data):
    """A test on a text: exactly one of the four lists is given. Case matters."""

    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    contains_any: tuple[str, ...] = ()
    contains_none: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_one_list(self) -> Self:
        if (
            sum(
                bool(words)
                for words in (self.any_of, self.none_of, self.contains_any, self.contains_none)
            )
            != 1
        ):
            raise ValueError("give exactly one of any_of, none_of, contains_any, contains_none")
        return self

    def __call__(self, text: str) -> bool:
        """Whether `text` passes."""
        if self.any_of:
            return text in self.any_of
        if self.none_of:
            return text not in self.none_of
        if self.contains_any:
            return any(word in text for word in self.contains_any)
        return not any(word in text for word in self.contains_none)


class Start(Data):
    """A day before which nothing counts: a case's day, or a time after it.

    `days` adds calendar days; `working_days` goes to the first day on which more than that many
    working days have passed.
    """

    day: CaseDay
    days: int = 0
    working_days: int | None = None


class Window(Data):
    """How long a case's day keeps it counted.

    `month`: while the as-of date is in the same calendar month. `last-months`: while the day is in
    the last `months` months. `months-after`: in the `months` calendar months after the day's own.
    """

    day: CaseDay
    kind: Literal["month", "last-months", "months-after"]
    months: int = 0


class Span(Data):
    """The time from one of a case's days to another."""

    start: CaseDay = Field(alias="from")
    end: CaseDay = Field(alias="to")


class Limit(Span):
    """A bound on a span: more than so many days or working days, and at most so many."""

    unit: Literal["days", "working-days"]
    more_than: int = -1
    at_most: int = 2**31


class Measure(Data):
    """What counts, from when, until when; and, with `total`, the days that are summed as well."""

    name: str
    of: Literal["case", "notification"]
    state: Literal["open", "closed"] | None = None
    holder: Match | None = None
    outcome: Match | None = None
    notification_type: Match | None = None
    starts: tuple[Start, ...] = ()
    window: Window | None = None
    limit: Limit | None = None
    total: Span | None = None

    @model_validator(mode="after")
    def _tests_what_it_has(self) -> Self:
        if self.outcome and self.state != "closed":
            raise ValueError(f"measure {self.name}: only a closed case has an outcome")
        if self.of == "notification" and (self.state or self.holder):
            raise ValueError(f"measure {self.name}: a notification has no state and no holder")
        if self.of == "case" and self.notification_type:
            raise ValueError(f"measure {self.name}: a case may have notifications of several types")
        return self

    @property
    def slots(self) -> list[str]:
        """The names under which its sums are kept: its own and, with `total`, `<name>.days`."""
        return [self.name, f"{self.name}.days"] if self.total else [self.name]


class Indicator(Data):
    """An indicator: what it is called, how it is worked out, and how it is shown.

    `amber` is by how much it may fall short of what it is rated against and still be Amber, in its
    own unit.
    """

    code: str
    title: str
    definition: str
    family: str
    frequency: Literal["M", "Q", "A"]
    unit: Literal["count", "percent", "rate", "days"]
    polarity: Literal["H", "L", "T"]
    bands: Literal["share", "count", "value"]
    levels: tuple[str, ...]
    scale: int = 1
    amber: Annotated[float, Field(ge=0)] | None = None
    numerator: dict[str, int]
    denominator: dict[str, int] | Literal["population"] | None = None


class Catalogue(Data):
    """Every measure and indicator, checked: names unique, every formula over known slots."""

    direction: Literal["change", "improvement"]
    rag: RagScheme = "target"
    measure: Annotated[tuple[Measure, ...], Field(min_length=1)]
    indicator: Annotated[tuple[Indicator, ...], Field(min_length=1)]
    version: str = ""

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        for kind, names in (
            ("measure", [measure.name for measure in self.measure]),
            ("indicator", [indicator.code for indicator in self.indicator]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} named twice: {', '.join(twice)}")
        for indicator in self.indicator:
            terms = set(indicator.numerator)
            if isinstance(indicator.denominator, dict):
                terms |= set(indicator.denominator)
            unknown = sorted(terms - set(self.slots))
            if unknown:
                raise ValueError(
                    f"indicator {indicator.code}: no measure called {', '.join(unknown)}"
                )
        return self

    @property
    def slots(self) -> list[str]:
        """Every measure's slots, in order."""
        return [slot for measure in self.measure for slot in measure.slots]


def load_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue in a TOML file, or the one that ships; `version` is the hash of its text.

    Raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError when the file cannot be
    read, is not TOML, or breaks a rule of the catalogue.
    """
    text = path.read_bytes() if path else (files("schemas") / "data/catalogue.toml").read_bytes()
    data = tomllib.loads(text.decode("utf-8"))
    version = hashlib.sha256(text).hexdigest()[:16]
    # Through JSON mode, in which strict validation takes lists for tuples.
    return Catalogue.model_validate_json(json.dumps({**data, "version": version}))
