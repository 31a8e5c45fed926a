"""The indicator catalogue as data: measures, and the indicators that are formulas over them.

A *measure* says which facts count on which days; the ledger turns it into dated entries. An
*indicator* divides sums of measures and says how the result is shown. Both are read from TOML and
checked when loaded, so that an indicator's rule stands in one place. FACTS says which days and
flags each kind of fact about a case has.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.datafile import data_file
from schemas.events.activity import Characteristic
from schemas.events.case import Service
from schemas.events.reference import Group
from schemas.events.scs import ScsStatus
from schemas.places import SiteKind
from schemas.schemes import DirectionScheme, Scheme
from schemas.schemes import RagScheme as RagScheme

AGE_BANDS = ("0-4", "5-10", "11-15", "16+", "unknown")
ALL_AGES = "all"
# Every age band that a figure is of, all ages first.
BANDS = (ALL_AGES, *AGE_BANDS)


class Fact(NamedTuple):
    """A kind of fact about a case: the days and flags that each one has."""

    days: tuple[str, ...]
    flags: tuple[str, ...] = ()


# A day is absent where the fact has none. `received` to `closed` are the words of the rules;
# `receipt` is the first allocation to the holder's service, and the `service_` days are milestones
# that count from then on; `until` is the last day of a spell, a time in which one service has a
# case.
FACTS: dict[str, Fact] = {
    "case": Fact(
        days=(
            "received",
            "contact",
            "plan",
            "closed",
            "receipt",
            "service_worker",
            "service_contact",
            "service_plan",
            "referrer",
            "stepped_up",
            "destination",
            "sustained",
        ),
        flags=("troubled_families_evidence",),
    ),
    "notification": Fact(days=("received", "notified", "plan")),
    "spell": Fact(days=("received", "until")),
}


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

    day: str
    days: int = 0
    working_days: int | None = None


class Window(Data):
    """How long a fact's day keeps it counted.

    `month`: while the as-of date is in the same calendar month. `last-months`: while the day is in
    the last `months` months. `months-after`: in the `months` calendar months after the day's own.
    `month-after`: in the one calendar month that is `months` after the day's own. `financial-year`:
    from the day until the year from April that it lies in is over. `until-year-end`: the same, and
    before the day as well.
    """

    day: str
    kind: Literal[
        "month", "last-months", "months-after", "month-after", "financial-year", "until-year-end"
    ]
    months: int = 0


Period = Literal["month", "year"]
# The windows that end with a period, whatever the fact's day; the others move on day by day.
PERIODS: dict[str, Period] = {
    "month": "month",
    "month-after": "month",
    "financial-year": "year",
    "until-year-end": "year",
}


class Span(Data):
    """The time from one of a fact's days to another."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")


class Limit(Span):
    """A bound on a span: more than so many days, working days or months, and at most so many.

    With `unended` a span whose end has not come is longer than any bound; else it keeps none. In
    months, a span of at most n is one whose end is within n months after its start.
    """

    unit: Literal["days", "working-days", "months"]
    more_than: int = -1
    at_most: int = 2**31
    unended: bool = False

    @model_validator(mode="after")
    def _is_at_most_in_months(self) -> Self:
        if self.unit == "months" and (self.more_than != -1 or self.unended):
            raise ValueError("a limit in months says at_most alone")
        return self


class Relation(Data):
    """Something else that is true of the same child, before or after a fact's day.

    With `before`, it gives the fact a flag: the child has another case that was with a service
    (`spell`, tested by `holder`) on a day in the last `months` months as of that day, or that had
    closed while with it (`closure`) within `months` months before. With `same`, that case's first
    notification must also say the same of it. With `after`, it gives the fact a day: the first
    opening in social care (`scs-opening`) within `months` months after.
    """

    name: str
    of: Literal["case", "notification"]
    to: Literal["spell", "closure", "scs-opening"]
    months: Annotated[int, Field(ge=1)]
    before: str | None = None
    after: str | None = None
    holder: Match | None = None
    same: Literal["primary_reason"] | None = None

    @model_validator(mode="after")
    def _has_one_side(self) -> Self:
        if (self.before is None) == (self.after is None):
            raise ValueError(f"relation {self.name}: give either before or after")
        if (self.to == "scs-opening") != (self.after is not None):
            raise ValueError(f"relation {self.name}: what comes after is an scs-opening alone")
        return self


class Measure(Data):
    """What counts of cases, from when, until when; and, with `total`, the days summed as well.

    `flags` are those that a fact must have, its own or a relation's; a day may be a relation's too.
    """

    name: str
    of: Literal["case", "notification", "spell"]
    state: Literal["open", "closed"] | None = None
    holder: Match | None = None
    outcome: Match | None = None
    notification_type: Match | None = None
    flags: tuple[str, ...] = ()
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
        if self.of == "spell" and not self.holder:
            raise ValueError(f"measure {self.name}: a spell is with a service, so name its holder")
        if self.of != "notification" and self.notification_type:
            raise ValueError(f"measure {self.name}: a case may have notifications of several types")
        return self

    @property
    def slots(self) -> list[str]:
        """The names under which its sums are kept: its own and, with `total`, `<name>.days`."""
        return [self.name, f"{self.name}.days"] if self.total else [self.name]

    @property
    def period(self) -> Period | None:
        """The period with which it begins anew; None for what goes on from one to the next."""
        return PERIODS.get(self.window.kind) if self.window else None

    @property
    def days_named(self) -> set[str]:
        """The days that it rests on."""
        spans = [span for span in (self.limit, self.total) if span]
        named = {day for span in spans for day in (span.start, span.end)}
        named |= {start.day for start in self.starts}
        return named | ({self.window.day} if self.window else set())

    @property
    def names(self) -> set[str]:
        """The days and flags that it rests on, a relation's among them."""
        return self.days_named.union(self.flags)


# Where something of a person is counted once: where they live, at each site, or at each place that
# the session they attended is in.
Once = Literal["district", "site", "session"]


class Attended(Data):
    """Attendance at so many different sessions, in the month or in the last so many months.

    `at` is the kinds of site that count, any where it is empty; of what is counted at each site
    only attendance there counts, unless `anywhere`.
    """

    kind: Match | None = None
    at: tuple[SiteKind, ...] = ()
    anywhere: bool = False
    months: Annotated[int, Field(ge=1)] | None = None
    times: Annotated[int, Field(ge=1)] = 1


class OutcomeRule(Data):
    """An outcome recorded in the last so many months of a registration that is counted."""

    months: Annotated[int, Field(ge=1)]
    accredited: bool = False


class PersonMeasure(Data):
    """What counts of people, or of their cases in social care, while all that it asks for holds.

    Ages, in completed years, are those on the as-of date; what a person is, is what their latest
    event that says it says. `registered` asks for a registration in force: of a site of the kinds
    `at`, and of what is counted at each site there; `newly` for one first recorded in the month,
    and `registration` tests its kind. `resident` asks that they live in the site's district.
    `again_within` asks for an earlier opening within so many months. An opening or a closing counts
    in the month, or in the last `months` months.
    """

    name: str
    of: Literal["person", "scs-case", "scs-opening", "scs-closing"]
    once: Once = "district"
    at: tuple[SiteKind, ...] = ()
    age: tuple[int, int] | None = None
    deprived: bool | None = None
    characteristics: tuple[Characteristic, ...] = ()
    registered: bool = False
    newly: bool = False
    registration: Match | None = None
    resident: bool = False
    attended: Attended | None = None
    recorded: OutcomeRule | None = None
    scs: bool = False
    scs_status: ScsStatus | None = None
    origin: Match | None = None
    reason: Match | None = None
    months: Annotated[int, Field(ge=1)] | None = None
    again_within: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _asks_what_there_is(self) -> Self:
        if self.once == "site" and not self.at:
            raise ValueError(f"measure {self.name}: what is counted at sites says which, in at")
        if self.resident and self.once != "site":
            raise ValueError(f"measure {self.name}: people are residents of a site's district")
        if self.once == "session" and not self.attended:
            raise ValueError(f"measure {self.name}: only those who attended are at a session")
        is_often = self.attended is not None and self.attended.times > 1
        if self.once == "session" and (self.registered or self.recorded or is_often):
            raise ValueError(f"measure {self.name}: at sessions it is attended or not, no more")
        if self.of != "person" and (self.registered or self.attended or self.recorded):
            raise ValueError(f"measure {self.name}: social care asks for no registration")
        if (self.newly or self.registration) and not self.registered:
            raise ValueError(f"measure {self.name}: it tests a registration it does not ask for")
        if self.origin and self.of not in {"scs-case", "scs-opening"}:
            raise ValueError(f"measure {self.name}: only what was opened has an origin")
        if self.reason and self.of != "scs-closing":
            raise ValueError(f"measure {self.name}: only a closing has a reason")
        if self.again_within and self.of != "scs-opening":
            raise ValueError(f"measure {self.name}: only an opening comes again")
        if self.of != "person" and self.once != "district":
            raise ValueError(f"measure {self.name}: social care is counted where people live")
        return self

    @property
    def slots(self) -> list[str]:
        """The name under which its sum is kept."""
        return [self.name]

    @property
    def period(self) -> Period | None:
        """The period with which it begins anew; None for what goes on from one to the next."""
        is_flow = self.of in {"scs-opening", "scs-closing"} and not self.months
        attended_in_month = self.attended is not None and not self.attended.months
        return "month" if self.newly or attended_in_month or is_flow else None


class SessionMeasure(Data):
    """What counts of sessions held: how many, and with `total` a number that they report.

    In the month, or in the last `months` months; where the session is, or at each site alone.
    """

    name: str
    of: Literal["session"]
    once: Literal["district", "site"] = "district"
    at: tuple[SiteKind, ...] = ()
    kind: Match | None = None
    attended: bool = False
    months: Annotated[int, Field(ge=1)] | None = None
    total: Literal["participants", "feedback_good", "feedback_total"] | None = None

    @property
    def slots(self) -> list[str]:
        """The names under which its sums are kept: its own and, with `total`, `<name>.<number>`."""
        return [self.name, f"{self.name}.{self.total}"] if self.total else [self.name]

    @property
    def period(self) -> Period | None:
        """The period with which it begins anew; None for what goes on from one to the next."""
        return None if self.months else "month"


AnyMeasure = Annotated[Measure | PersonMeasure | SessionMeasure, Field(discriminator="of")]


class PopulationOf(Data):
    """A denominator: the people of the place, of an age range and group, in the latest estimate."""

    ages: str
    group: Group = "all"


class WorkforceOf(Data):
    """A denominator: the full-time equivalents that a provider reports for a service there."""

    fte: Service


class Indicator(Data):
    """An indicator: what it is called, how it is worked out, and how it is shown.

    `amber` is by how much it may fall short of what it is rated against and still be Amber, in its
    own unit. One that is `supplied` has no formula: others work it out. With `denominator_of` the
    denominator of a site is that of the district it lies in. One that is not `released` is shown
    live alone; a `headline` stands for the rest in publications.
    """

    code: str
    title: str
    definition: str
    family: str
    frequency: Literal["M", "Q", "T", "A", "R12M", "YTD", "to-date"]
    unit: Literal["count", "percent", "rate", "days", "ratio"]
    polarity: Literal["H", "L", "T"]
    bands: Literal["share", "count", "value", "none"]
    levels: tuple[str, ...]
    scale: int = 1
    amber: Annotated[float, Field(ge=0)] | None = None
    decimals: Literal[0, 1] = 1
    released: bool = True
    headline: bool = False
    source: Literal["events", "supplied"] = "events"
    numerator: dict[str, int] = {}
    denominator: dict[str, int] | Literal["population"] | PopulationOf | WorkforceOf | None = None
    denominator_of: Literal["district"] | None = None

    @model_validator(mode="after")
    def _has_a_formula_or_a_supplier(self) -> Self:
        if (self.source == "supplied") == bool(self.numerator):
            raise ValueError(f"indicator {self.code}: give a numerator, unless it is supplied")
        return self

    @property
    def is_counted(self) -> bool:
        """Whether it follows from what is counted of its place alone, with nothing supplied."""
        is_of_counts = self.denominator is None or isinstance(self.denominator, dict)
        return self.source == "events" and is_of_counts and self.denominator_of is None

    @property
    def terms(self) -> set[str]:
        """The slots that its formula sums."""
        below = self.denominator if isinstance(self.denominator, dict) else {}
        return self.numerator.keys() | below.keys()


class DeclaredTarget(Data):
    """A target of an indicator at places in a year, which a `target.set` of the same replaces.

    `places` are the top alone where they are left out. `monthly` is what it should reach in each
    month of the year, and what it is then rated against; `amber` is the furthest value that is
    still Amber.
    """

    code: str
    places: tuple[str, ...] = ()
    year: Annotated[int, Field(ge=1900, le=2199)]
    target: float
    monthly: float | None = None
    amber: float | None = None

    def at(self, top: str) -> tuple[str, ...]:
        """The places that it is of."""
        return self.places or (top,)


class Catalogue(Data):
    """Every relation, measure and indicator, checked: names unique, all that they name known.

    `direction` and `rag` are those of families that are in no scheme.
    """

    direction: DirectionScheme
    rag: RagScheme = "target"
    scheme: tuple[Scheme, ...] = ()
    target: tuple[DeclaredTarget, ...] = ()
    relation: tuple[Relation, ...] = ()
    measure: Annotated[tuple[AnyMeasure, ...], Field(min_length=1)]
    indicator: Annotated[tuple[Indicator, ...], Field(min_length=1)]
    version: str = ""

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        for kind, names in (
            ("relation", [relation.name for relation in self.relation]),
            ("measure", [measure.name for measure in self.measure]),
            ("indicator", [indicator.code for indicator in self.indicator]),
            (
                "target",
                [f"{it.code} of {at}, {it.year}" for it in self.target for at in it.at("the top")],
            ),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} named twice: {', '.join(twice)}")
        for indicator in self.indicator:
            unknown = sorted(indicator.terms - set(self.slots))
            if unknown:
                raise ValueError(
                    f"indicator {indicator.code}: no measure called {', '.join(unknown)}"
                )
        return self

    @model_validator(mode="after")
    def _facts_have_what_is_named(self) -> Self:
        for relation in self.relation:
            _refuse(
                f"relation {relation.name}",
                {relation.before or relation.after or ""},
                relation.of,
                (),
            )
        for measure in self.case_measures:
            related = [it for it in self.relation if it.of == measure.of]
            name = f"measure {measure.name}"
            _refuse(name, measure.days_named, measure.of, [it.name for it in related if it.after])
            flags = {*FACTS[measure.of].flags, *(it.name for it in related if it.before)}
            unknown = sorted(set(measure.flags) - flags)
            if unknown:
                raise ValueError(f"{name}: a {measure.of} has no flag called {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _schemes_are_of_what_there_is(self) -> Self:
        family_of = {indicator.code: indicator.family for indicator in self.indicator}
        families = [family for scheme in self.scheme for family in scheme.families]
        twice = sorted({family for family in families if families.count(family) > 1})
        if twice:
            raise ValueError(f"family in two schemes: {', '.join(twice)}")
        unknown = sorted({it.code for it in self.target}.difference(family_of))
        if unknown:
            raise ValueError(f"target of no indicator: {', '.join(unknown)}")
        for scheme in self.scheme:
            unknown = sorted(set(scheme.families).difference(family_of.values()))
            unknown += sorted(it for it in scheme.codes if family_of.get(it) not in scheme.families)
            if unknown:
                raise ValueError(f"scheme {scheme.name}: has no {', '.join(unknown)}")
        return self

    def scheme_of(self, indicator: Indicator) -> Scheme:
        """How an indicator is compared and rated."""
        found = (it for it in self.scheme if indicator.family in it.families)
        return next(found, None) or Scheme(
            name="of all others",
            families=(indicator.family,),
            direction=self.direction,
            rag=self.rag,
        )

    def period_of(self, indicator: Indicator) -> Period | None:
        """The period that an indicator is a flow of; None for a stock.

        It is a flow if anything that it sums begins anew with a month or a year.
        """
        found = {it.period for it in self.measure if indicator.terms.intersection(it.slots)}
        return "month" if "month" in found else "year" if "year" in found else None

    @property
    def released(self) -> Self:
        """What a release keeps: the indicators that are released, and all that they rest on."""
        indicators = tuple(it for it in self.indicator if it.released)
        slots = {slot for it in indicators for slot in it.terms}
        measures = tuple(it for it in self.measure if slots.intersection(it.slots))
        named = {name for it in measures if isinstance(it, Measure) for name in it.names}
        relations = tuple(it for it in self.relation if it.name in named)
        kept = {"indicator": indicators, "measure": measures, "relation": relations}
        codes = {it.code for it in indicators}
        families = {it.family for it in indicators}
        schemes = (it.only(families, codes) for it in self.scheme if families & {*it.families})
        targets = tuple(it for it in self.target if it.code in codes)
        return self.model_copy(update={**kept, "scheme": tuple(schemes), "target": targets})

    @property
    def rests_on_places(self) -> bool:
        """Whether anything is counted by where people went; cases are by where children live."""
        return len(self.case_measures) < len(self.measure)

    @property
    def of_cases(self) -> list[Measure | Relation]:
        """All that is asked of cases: their measures, and the relations between them."""
        return [*self.case_measures, *self.relation]

    @property
    def case_measures(self) -> list[Measure]:
        """The measures of cases."""
        return [measure for measure in self.measure if isinstance(measure, Measure)]

    @property
    def person_measures(self) -> list[PersonMeasure]:
        """The measures of people and of their cases in social care."""
        return [measure for measure in self.measure if isinstance(measure, PersonMeasure)]

    @property
    def session_measures(self) -> list[SessionMeasure]:
        """The measures of sessions."""
        return [measure for measure in self.measure if isinstance(measure, SessionMeasure)]

    @property
    def slots(self) -> list[str]:
        """Every measure's slots, in order."""
        return [slot for measure in self.measure for slot in measure.slots]


def _refuse(name: str, days: set[str], fact: str, further: Sequence[str]) -> None:
    unknown = sorted(days - {*FACTS[fact].days, *further})
    if unknown:
        raise ValueError(f"{name}: a {fact} has no day called {', '.join(unknown)}")


def load_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue in a TOML file, or the one that ships; `version` is the hash of its text.

    The one that ships is read once a process, as nobody can change it there.

    Raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError when the file cannot be
    read, is not TOML, or breaks a rule of the catalogue.
    """
    return _catalogue_in(path) if path else _shipped()


def _catalogue_in(path: Path | None) -> Catalogue:
    file = data_file(path, "catalogue.toml")
    return file.into(Catalogue, version=file.version)


@cache
def _shipped() -> Catalogue:
    return _catalogue_in(None)


@cache
def shipped_indicators() -> Mapping[str, Indicator]:
    """The indicators of the catalogue that ships, by code."""
    return {it.code: it for it in load_catalogue().indicator}
