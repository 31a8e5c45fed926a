"""What tests of disclosure control share: a small county, and what an attacker is after."""

from collections import Counter

from schemas.areas import Area, Areas
from schemas.catalogue import Indicator, load_catalogue
from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.disclose import disclose, primary
from snapshots.disclosure.disclosed import Disclosed
from snapshots.disclosure.public import Issued, PublicRelease, public_release
from snapshots.disclosure.suppression import Rule
from tests.support.attack import Attack, Solver
from tests.support.releases import Counts, Figures, release_of

CATALOGUE = load_catalogue().released
INDICATORS = {indicator.code: indicator for indicator in CATALOGUE.indicator}
RULE = Rule()
COUNTY = Areas(
    levels=["county", "area", "district"],
    area=[
        Area(name="County", level="county"),
        Area(name="North", level="area", parent="County"),
        Area(name="South", level="area", parent="County"),
        Area(name="Alder", level="district", parent="North"),
        Area(name="Birch", level="district", parent="North"),
        Area(name="Cedar", level="district", parent="South"),
        Area(name="Damson", level="district", parent="South"),
    ],
)
AGES = ("all", "0-4", "5-10", "unknown")
ALDER = CellKey("EH04", "Alder", "0-4")
LEAVES: tuple[str | None, ...] = ("Alder", "Birch", "Cedar", "Damson", None)


def chosen(*codes: str) -> tuple[Indicator, ...]:
    return tuple(INDICATORS[code] for code in codes)


def protected(release: Release, *issued: Issued, rule: Rule = RULE) -> Disclosed:
    return disclose(release, CATALOGUE.measure, rule, issued)


def small_release(
    figures: Figures, *codes: str, number: int = 1, period: str = "2015-10"
) -> Release:
    return release_of(figures, chosen(*codes), COUNTY, AGES, number=number, period=period)


def unsecured(release: Release, rule: Rule = RULE) -> PublicRelease:
    """What would go out with no secondary suppression."""
    return public_release(release, rule, primary(release, rule), ())


def alone(release: Release, public: PublicRelease) -> Attack:
    attack = Attack(release.indicators, release.areas, release.age_bands)
    attack.read(public)
    attack.know_definitions(release.period)
    return attack


# The sums an attacker is after: each with the indicator and cell that withholds it.
Sums = list[tuple[CellKey, dict[str, int]]]


def withheld(release: Release, public: PublicRelease, rule: Rule = RULE) -> Sums:
    """Every small count behind a suppressed cell, and every suppressed count of any size."""
    found: Sums = []
    for cell in release.cells:
        key = cell.key
        if not public.is_suppressed(key):
            continue
        indicator = INDICATORS[cell.code]
        if indicator.source == "supplied" or cell.status == "supplied":
            continue
        numerator, denominator = cell.counted
        if indicator.denominator is None:
            found.append((key, indicator.numerator))
            continue
        if indicator.unit != "days" and rule.is_small(numerator):
            found.append((key, indicator.numerator))
        if isinstance(indicator.denominator, dict):
            if rule.is_small(denominator):
                found.append((key, indicator.denominator))
            rest = Counter(indicator.denominator)
            rest.subtract(indicator.numerator)
            if indicator.unit == "percent" and rule.is_small(denominator - numerator):
                found.append((key, {slot: times for slot, times in rest.items() if times}))
    return found


def pinned(attack: Attack, period: str, sums: Sums) -> Sums:
    """The sums of which the attack leaves a single value."""
    solvers: dict[tuple[str, ...], Solver] = {}
    found: Sums = []
    for (code, area, band, _), slots in sums:
        if tuple(slots) not in solvers:
            solvers[tuple(slots)] = attack.about(period, slots)
        if solvers[tuple(slots)].leaves_one_value(attack.terms(period, slots, area, band)):
            found.append((CellKey(code, area, band), slots))
    return found


def everywhere(count: int, **other: int) -> Counts:
    """The same count in every leaf area and band, but for `Alder_04=3` and the like."""
    return {
        (leaf, age): other.get(f"{leaf}_{age.replace('-', '')}", count)
        for leaf in LEAVES
        for age in AGES[1:]
    }


def step_downs(
    count: int = 20, *, number: int = 1, period: str = "2015-10", **other: int
) -> Release:
    figures = {"step_downs": everywhere(count, **other)}
    return small_release(figures, "EH04", number=number, period=period)
