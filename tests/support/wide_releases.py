"""Small releases of what is counted by provider, at sites, and once at each place."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from processors.figures.evaluate import shown
from schemas.catalogue import ALL_AGES, Indicator, load_catalogue
from schemas.places import PROVIDER, Place, Places, Site
from schemas.release import Release, ReleaseCell
from snapshots.disclosure.public import month_after
from tests.support.disclosing import COUNTY, LEAVES
from tests.support.releases import bare_release

INDICATORS = {it.code: it for it in load_catalogue().indicator}
PROVIDERS = ("Poplar", "Quince")
WITH = (*PROVIDERS, None)
# The leaves of what is counted for a provider: a district or none, a provider or none.
CASES = [(district, provider) for district in LEAVES for provider in WITH]
SITES = (
    Site(name="Acorn", kind="childrens-centre", district="Alder"),
    Site(name="Briar", kind="childrens-centre", district="Alder"),
    Site(name="Clover", kind="childrens-centre", district="Cedar"),
    Site(name="Daisy", kind="childrens-centre", district="Cedar"),
)

HUB = Site(name="Elder", kind="youth-hub", district="Birch")

Case = tuple[str | None, str | None]


def districts_in(area: str) -> set[str | None]:
    """The districts of an area; the top has those of none as well."""
    found: set[str | None] = set(COUNTY.leaves_under(area))
    return found | {None} if area == COUNTY.top else found


def cases_in(place: Place) -> set[Case]:
    """The leaves of a place, by its name."""
    if not place.level:
        return {(it, provider) for it in districts_in(place.name) for provider in WITH}
    provider, _, area = place.name.partition(" / ")
    return {(it, provider) for it in districts_in(area or COUNTY.top)}


def case_places() -> list[Place]:
    """Every place that a commissioned indicator has a figure of."""
    found = [Place("", it.name) for it in COUNTY.area]
    for provider in PROVIDERS:
        found.append(Place(PROVIDER, provider))
        found += [
            Place(f"{PROVIDER}-{it.level}", f"{provider} / {it.name}")
            for it in COUNTY.area
            if it.parent
        ]
    return found


def by_provider(counts: Sequence[int], parts: Sequence[int]) -> Release:
    """Open cases and those open for long, by district and provider."""
    whole = dict(zip(CASES, counts, strict=True))
    part = dict(zip(CASES, parts, strict=True))
    cells = []
    for place in case_places():
        leaves = cases_in(place)
        above, below = (sum(it[leaf] for leaf in leaves) for it in (part, whole))
        cells += [cell("CEH04", place, below, below), cell("CEH12", place, above, below)]
    return release_of(cells)


def to_date(period: str, ever: int, month: int) -> Release:
    """Closures to date, and those of the month: the same many in each district and provider."""
    cells = []
    for place in case_places():
        times = len(cases_in(place))
        cells.append(cell("CEH66", place, month * times, month * times))
        cells.append(cell("CEH70", place, ever // 2 * times, ever * times))
    return release_of(cells, period)


class YearToDate(NamedTuple):
    """Family support in a month, by district and provider: cases since April, new, open, closed."""

    period: str
    since_april: Sequence[int]
    new: Sequence[int]
    open: Sequence[int]
    closed: Sequence[int]

    @property
    def release(self) -> Release:
        """A release of them."""
        own = [
            (code, dict(zip(CASES, counts, strict=True)))
            for code, counts in zip(("CEH03", "CEH01", "CEH04", "CEH05"), self[1:], strict=True)
        ]
        cells = []
        for place in case_places():
            for code, counts in own:
                count = sum(counts[leaf] for leaf in cases_in(place))
                cells.append(cell(code, place, count, count))
        return release_of(cells, self.period)


def year_to_date(first: str, opened: int, months: Iterable[Sequence[int]]) -> list[YearToDate]:
    """Months one after the other, of what was new in each; of all there were, two in three close.

    As many are open everywhere when they begin.
    """
    is_open = [opened] * len(CASES)
    since, period, found = list(is_open), first, []
    for new in months:
        if period.endswith("-04"):
            since = list(is_open)
        since = [it + more for it, more in zip(since, new, strict=True)]
        closed = [min(it, 2 * more // 3) for it, more in zip(is_open, new, strict=True)]
        is_open = [it + more - less for it, more, less in zip(is_open, new, closed, strict=True)]
        found.append(YearToDate(period, since, new, is_open, closed))
        period = month_after(period)
    return found


def of_sites(registered: Sequence[int], in_district: int) -> Release:
    """Children known to social care: in districts those who are registered, and at centres."""
    cells = []
    living = {it: in_district + max(registered) for it in COUNTY.leaves}
    for area in COUNTY.names:
        own = [living[it] for it in COUNTY.leaves_under(area)]
        cells.append(cell("EH30", Place("", area), sum(it // 2 for it in own), sum(own)))
    for site, number in zip(SITES, registered, strict=True):
        place = Place(site.kind, site.name)
        cells.append(cell("CEH42", place, number, living[site.district]))
        cells.append(cell("CEH36", place, number + 1, number + 1))
    return release_of(cells)


def of_every_kind() -> Release:
    """Figures by area and provider, at centres and at a hub."""
    at_hub = [cell(it, Place(HUB.kind, HUB.name), 30, 40) for it in ("CEH50", "CEH51a")]
    releases = by_provider([20] * 15, [10] * 15), of_sites([30, 40, 50, 60], 100)
    return release_of([*(cell for it in releases for cell in it.cells), *at_hub])


def attenders(numbers: Sequence[int]) -> Release:
    """Different people at group sessions: once in each place, so in a whole no fewer than in it."""
    own = dict(zip(CASES, numbers, strict=True))
    cells = []
    for place in case_places():
        found = [own[leaf] for leaf in cases_in(place)]
        people = sum(found) - (sum(found) - max(found)) // 2
        cells.append(cell("CEH20", place, people, people))
    return release_of(cells)


def supplied(values: Sequence[int], denominators: Sequence[int] | None = None) -> Release:
    """A supplied figure in four districts and the whole."""
    code = "EH45" if denominators else "EH41"
    below = list(denominators or values)
    numbers = dict(zip(COUNTY.leaves, zip(values, below, strict=True), strict=True))
    numbers[COUNTY.top] = sum(values), sum(below)
    return release_of(
        cell(code, Place("", area), *pair, status="supplied") for area, pair in numbers.items()
    )


def cell(
    code: str, place: Place, above: int, below: int, *, status: str = "reported"
) -> ReleaseCell:
    """A cell of all ages."""
    indicator = INDICATORS[code]
    value = (above, 1) if indicator.unit == "count" else (indicator.scale * above, below)
    return ReleaseCell.model_validate(
        {
            "code": code,
            "area": place.name,
            "age_band": ALL_AGES,
            "level": place.level,
            "numerator": above,
            "denominator": below,
            "value": shown(indicator, value),
            "status": status if value[1] else "no-cases",
            **dict.fromkeys(("previous", "direction", "target", "rag")),
        }
    )


def release_of(cells: Iterable[ReleaseCell], period: str = "2015-10") -> Release:
    """A release of cells, with their indicators and the measures that ship."""
    found = list(cells)
    chosen = tuple(_chosen(found))
    release = bare_release(found, chosen, COUNTY, (ALL_AGES, "0-4"), period, 1)
    update: Mapping[str, object] = {
        "measures": load_catalogue().measure,
        "places": Places(provider=PROVIDERS, site=(*SITES, HUB)),
    }
    return release.model_copy(update=update)


def _chosen(cells: Iterable[ReleaseCell]) -> list[Indicator]:
    return [INDICATORS[code] for code in dict.fromkeys(it.code for it in cells)]
