"""Which rows of a scorecard are asked for, whoever asks: a command, a page or a program."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from processors.days.calendar import FIRST_YEAR, LAST_YEAR
from processors.rules import Rules
from schemas.catalogue import BANDS, Indicator
from schemas.places import PROVIDER, Place
from schemas.scorecard import ScorecardRow


class NotThere(ValueError):  # noqa: N818 - named for the condition
    """What is asked for is not there: `name` says of what, such as `age_band`."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        super().__init__(text)


@dataclass(frozen=True)
class AskedRows:
    """What a scorecard is asked for; all there is of what is not asked for."""

    areas: list[str] | None = None
    bands: list[str] | None = None
    codes: list[str] | None = None
    levels: list[str] | None = None
    places: list[str] | None = None
    providers: list[str] | None = None
    families: list[str] | None = None


class RowChoice:
    """The rows asked for; those of the areas where no other place is. Raises NotThere."""

    def __init__(self, rules: Rules, asked: AskedRows) -> None:
        indicators = rules.catalogue.indicator
        families = known(asked.families, _different(it.family for it in indicators), "family")
        codes = known(asked.codes, [it.code for it in indicators], "code")
        self._areas = known(asked.areas, rules.areas.names, "area")
        self._bands = known(asked.bands, BANDS, "age_band")
        self._asked, self._rules = asked, rules
        self.levels = self._levels()
        self._codes = {
            it.code
            for it in indicators
            if it.family in families and it.code in codes and {*it.levels} & {*self.levels}
        }
        for code in asked.codes or ():
            self._must_be_at_a_level(code)

    def _levels(self) -> list[str]:
        asked, all_levels = self._asked, self._rules.graph.levels
        if asked.levels:
            chosen = known(asked.levels, all_levels, "level")
            return [level for level in all_levels if level in chosen]
        if asked.places:
            return all_levels
        if asked.providers:
            return [level for level in all_levels if level.startswith(PROVIDER)]
        return self._rules.areas.levels

    def _must_be_at_a_level(self, code: str) -> None:
        (indicator,) = (it for it in self._rules.catalogue.indicator if it.code == code)
        if not set(indicator.levels).intersection(self.levels):
            raise NotThere(
                "code",
                f"{code} is a figure of another kind of place: ask for a level of "
                f"{', '.join(indicator.levels)}",
            )

    def chosen(self, rows: Sequence[ScorecardRow]) -> list[ScorecardRow]:
        """Those of the rows. Raises NotThere for a place or provider that has none."""
        places, providers = self._asked.places or [], self._asked.providers or []
        there = {row.area for row in rows}
        known(places, sorted(there), "place")
        known(providers, sorted({provider_of(row) for row in rows} - {""}), "provider")
        return [row for row in rows if self._is_chosen(row)]

    def _is_chosen(self, row: ScorecardRow) -> bool:
        asked = self._asked
        return (
            row.code in self._codes
            and row.age_band in self._bands
            and row.level in self.levels
            and (not asked.places or row.area in asked.places)
            and (not asked.providers or provider_of(row) in asked.providers)
            and (row.level not in self._rules.areas.levels or row.area in self._areas)
        )


def provider_of(row: ScorecardRow) -> str:
    """The provider that a row is of; empty for none."""
    return row.area.partition(" / ")[0] if row.level.startswith(PROVIDER) else ""


def _different(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def known(asked: Sequence[str] | None, there: Sequence[str], name: str) -> set[str]:
    """What was asked for, all there is if nothing. Raises NotThere for what is not."""
    unknown = sorted(set(asked or ()) - set(there))
    if unknown:
        has = f"there are {', '.join(there)}" if there else "there are none"
        raise NotThere(name, f"{', '.join(unknown)}: {has}")
    return set(asked or there)


def check_within_calendar(day: date) -> None:
    """Raises NotThere for a date that no figure can be worked out for."""
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise NotThere("as_of", f"{day}: dates lie within {FIRST_YEAR + 1} to {LAST_YEAR - 1}")


def indicator_of(rules: Rules, code: str) -> Indicator:
    """The indicator of a code. Raises NotThere."""
    (chosen,) = known([code], [it.code for it in rules.catalogue.indicator], "code")
    return next(it for it in rules.catalogue.indicator if it.code == chosen)


def place_of(rules: Rules, indicator: Indicator, name: str, level: str | None) -> Place:
    """The place of a name at which an indicator is. Raises NotThere."""
    levels = known([level] if level else None, rules.graph.levels, "level")
    named = {place.level for place in rules.graph.known() if place.name == name}
    provider, _, area = name.partition(" / ")
    if area:
        named |= {f"{PROVIDER}-{it.level}" for it in rules.areas.area if it.name == area}
    elif provider and not named:
        named = {PROVIDER}  # one that only events name
    there = [it for it in rules.graph.levels if it in named & levels & {*indicator.levels}]
    if not there:
        raise NotThere(
            "place",
            f"{indicator.code} is no figure of {name!r}: it is one of "
            f"{', '.join(indicator.levels)}",
        )
    if len(there) > 1:
        raise NotThere("place", f"{name!r} is {' and '.join(there)}: say which by level")
    return Place(there[0], name)
