"""Service standards as data: what is watched, by what limit, and who answers for it.

A *standard* bounds the time a step of a case may take; an *indicator standard* bounds an
indicator's value. Both are read from TOML and checked when loaded.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.catalogue import Catalogue, Data
from schemas.datafile import data_file
from schemas.events.case import Service

Severity = Literal["warning", "critical"]
OwnerKind = Literal["team", "provider", "area"]
Code = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
# TOML has words for what is no number, or without end.
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Standard(Data):
    """A limit on the time from a case's `clock` day to its milestone, or to its closure.

    The limit is kept up to and with the last day on which no more than `limit` days, or working
    days, have passed. An alert is due soon from the first day on which no more than `due_soon` of
    them are left, so `due_soon` of 0 means on the last day only.
    """

    code: Code
    title: str
    service: Service
    clock: Literal["received", "receipt"]
    milestone: Literal["worker", "contact", "plan"] | None = None
    limit: Annotated[int, Field(ge=1, le=2_000)]
    unit: Literal["days", "working-days"]
    due_soon: Annotated[int, Field(ge=0)]
    severity: Severity
    owner: OwnerKind

    @property
    def milestone_day(self) -> str | None:
        """The case's day that ends the wait; None for its closure.

        Of a commissioned service, and of any worker, what counts is what was done from receipt on.
        """
        if self.milestone is None:
            return None
        is_since_receipt = self.clock == "receipt" or self.milestone == "worker"
        return f"service_{self.milestone}" if is_since_receipt else self.milestone

    @model_validator(mode="after")
    def _warns_within_its_limit(self) -> Self:
        if self.due_soon >= self.limit:
            raise ValueError(f"standard {self.code}: due_soon must be less than limit")
        return self


class IndicatorStandard(Data):
    """A target for an indicator's value, by area and by provider.

    It is that of the day, or of the month or year so far (`Catalogue.period_of`).

    `target`, `at_risk_within` and `clear_by` are in the indicator's own unit.
    """

    code: Code
    title: str
    indicator: str
    target: Finite
    at_risk_within: Annotated[Finite, Field(ge=0)]
    clear_by: Annotated[Finite, Field(ge=0)]
    least_denominator: Annotated[int, Field(ge=1)]
    severity: Severity


class Standards(Data):
    """Every standard, checked: codes unique; `version` is the hash of the text they came from.

    `providers` names the providers that figures are kept of, as `case.allocated` has them.
    """

    providers: tuple[str, ...] = ()
    standard: tuple[Standard, ...]
    indicator_standard: tuple[IndicatorStandard, ...] = ()
    version: str = ""

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Self:
        codes = [it.code for it in self.standard]
        codes += [it.code for it in self.indicator_standard]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"standard named twice: {', '.join(twice)}")
        if len(set(self.providers)) < len(self.providers):
            raise ValueError("provider named twice")
        return self

    @property
    def slots(self) -> list[str]:
        """The names under which the ledger keeps how many open cases breach each standard."""
        return [f"breached:{standard.code}" for standard in self.standard]


NO_STANDARDS = Standards(standard=())


def load_standards(catalogue: Catalogue, path: Path | None = None) -> Standards:
    """The standards in a TOML file, or those that ship, for the indicators of a catalogue.

    Raises OSError or ValueError (of which tomllib.TOMLDecodeError and pydantic.ValidationError
    are) when the file cannot be read, is not TOML, or breaks a rule.
    """
    file = data_file(path, "standards.toml")
    standards = file.into(Standards, version=file.version)
    known = {indicator.code: indicator for indicator in catalogue.indicator}
    for it in standards.indicator_standard:
        if it.indicator not in known:
            raise ValueError(f"standard {it.code}: no indicator called {it.indicator}")
        if known[it.indicator].polarity == "T":
            raise ValueError(f"standard {it.code}: {it.indicator} is better neither high nor low")
        if not known[it.indicator].is_counted:
            raise ValueError(f"standard {it.code}: {it.indicator} is not counted alone")
    return standards
