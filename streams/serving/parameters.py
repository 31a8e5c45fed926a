"""The parameters that addresses share: read strictly, and told in one order whatever theirs was."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, urlencode

from processors.figures.asking import AskedRows, NotThere, check_within_calendar
from streams.serving.problems import wrong_parameter

# No address that a person or a program has reason to ask for comes near these.
LONGEST_QUERY, MOST_FIELDS, LONGEST_VALUE = 4_000, 100, 200
# Entries of a list on one page.
PAGE_LENGTH = 50
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Parameter:
    """A parameter: what it is in words, and whether it may be given several times."""

    name: str
    about: str
    is_repeatable: bool = True


PARAMETERS = {
    it.name: it
    for it in (
        Parameter("area", "an area of the council"),
        Parameter("place", "a place of any kind: area, provider, centre, hub"),
        Parameter("level", "places of this kind"),
        Parameter("provider", "a provider, as a whole and in each area"),
        Parameter("age_band", "an age band, or `all`"),
        Parameter("family", "a family of indicators"),
        Parameter("code", "an indicator"),
        Parameter("as_of", "the date that figures are for; none is live", False),
        Parameter(
            "against",
            "what figures are held against: a date, as known now; a release such as `2015-10/1`; "
            "or what was known at a moment such as `2015-10-31T09:00:00Z`",
            False,
        ),
        Parameter("on", "of a forecast: a date to come; in 7, 14 and 28 days where none is given"),
        Parameter("cursor", "of a list: where its next part begins, as the last one said", False),
        Parameter("standard", "of alerts and forecasts: a standard"),
        Parameter("state", "of alerts: `breached` or `due-soon`"),
        Parameter("severity", "of alerts: `critical` or `warning`"),
        Parameter("owner", "of alerts: the team, provider or area that they are for"),
        Parameter("by", "of a series: `month`, or `day` for who sees the place in full", False),
        Parameter("count", "of a series: how many of these, up to 400", False),
        Parameter("who", "of the audit log: who asked, by the name that it has", False),
        Parameter("result", "of the audit log: what came of it", False),
        Parameter("part", "of a list: `numerator` or `denominator`", False),
        Parameter("page", "of a list: which page", False),
        Parameter("next", "of signing in: the page of this server to go to then", False),
        Parameter(
            "show",
            "of an average: its `distribution`; of a release: the `causes` of what is not so live; "
            "of a scorecard's page: each figure's `trend`, or `places` side by side; of "
            "operations: what is found `now`",
            False,
        ),
    )
}


def day_in(name: str, text: str, nor: str = "") -> date:
    """The day that a parameter names. Raises Problem, which says `nor` what else it is not."""
    try:
        if not DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise wrong_parameter(name, f"{text} is no date such as 2015-10-31{nor}") from None


def within_calendar(name: str, day: date) -> date:
    """A day that a parameter names, if there can be figures of it. Raises Problem."""
    try:
        check_within_calendar(day)
    except NotThere as error:
        raise wrong_parameter(name, str(error)) from error
    return day


@dataclass(frozen=True)
class Query:
    """What an address asks for, by parameter."""

    values: Mapping[str, tuple[str, ...]]

    def all(self, name: str) -> list[str] | None:
        """Every value that is given; None for none."""
        return list(self.values[name]) if name in self.values else None

    def one(self, name: str) -> str | None:
        """The first value that is given; None for none."""
        return self.values[name][0] if name in self.values else None

    @property
    def as_of(self) -> date | None:
        """The date asked for; None for live. Raises Problem."""
        text = self.one("as_of")
        return None if text is None else within_calendar("as_of", day_in("as_of", text))

    def single(self, name: str, otherwise: str | None = None) -> str | None:
        """The one value that is given, where only one makes sense. Raises Problem."""
        if len(self.values.get(name, ())) > 1:
            raise wrong_parameter(name, "one at a time here")
        return self.one(name) or otherwise

    @property
    def page(self) -> int:
        """Which page of a list, from 1. Raises Problem."""
        text = self.one("page") or "1"
        if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) > 0):
            raise wrong_parameter("page", f"{text} is no number of a page")
        return int(text)

    @property
    def rows(self) -> AskedRows:
        """Which rows of a scorecard it asks for."""
        return AskedRows(
            areas=self.all("area"),
            bands=self.all("age_band"),
            codes=self.all("code"),
            levels=self.all("level"),
            places=self.all("place"),
            providers=self.all("provider"),
            families=self.all("family"),
        )

    def query(self, **changed: str | None) -> str:
        """The query that asks for the same, but for what is changed; None leaves one out."""
        pairs = {**self.values, **{name: (it,) if it else () for name, it in changed.items()}}
        return urlencode([(name, it) for name in sorted(pairs) for it in pairs[name] or ()])


def with_query(path: str, query: str) -> str:
    """An address with a query, if there is one."""
    return f"{path}?{query}" if query else path


def part_of(page: int) -> slice:
    """What of a list is on a page of it."""
    return slice((page - 1) * PAGE_LENGTH, page * PAGE_LENGTH)


def pages_of(entries: int, page: int) -> int:
    """How many pages a list takes. Raises Problem where the one that is asked for is not there."""
    pages = max(1, -(-entries // PAGE_LENGTH))
    if page > pages:
        raise wrong_parameter("page", f"there are {pages}")
    return pages


def read_query(text: bytes, allowed: Iterable[str]) -> Query:
    """What a query asks for. What is given empty, as forms do, is not asked for. Raises Problem."""
    if len(text) > LONGEST_QUERY:
        raise wrong_parameter("query", f"longer than {LONGEST_QUERY} bytes")
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except UnicodeDecodeError:
        raise wrong_parameter("query", "not UTF-8 in percent encoding") from None
    except ValueError:
        raise wrong_parameter("query", f"more than {MOST_FIELDS} parameters") from None
    names = list(allowed)
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in names:
            there = f"there are {', '.join(names)}" if names else "there are none"
            raise wrong_parameter(
                name[:LONGEST_VALUE] or "query", f"no such parameter here: {there}"
            )
        if len(value) > LONGEST_VALUE:
            raise wrong_parameter(name, f"longer than {LONGEST_VALUE} characters")
        if value:
            found.setdefault(name, []).append(value)
    for name, values in found.items():
        if len(values) > 1 and not PARAMETERS[name].is_repeatable:
            raise wrong_parameter(name, "given more than once")
    return Query({name: tuple(sorted(set(values))) for name, values in found.items()})
