"""Populations that the printed rates imply: EH02 is EH01 per 10,000 of them.

For every area and band the printed rate and the known notifications leave a range of whole
numbers. Within it, bands are made to add up to the whole and districts to areas as nearly as the
printed rates allow (East's rates by band allow it least).
"""

from .geography import ALL_AGES, AREAS, BANDS, DISTRICTS, TOP, Cell, cells_of, printed_areas
from .milp import Linear, Model, total, value_of
from .printed import OCTOBER, PER_10_000, SEPTEMBER, Printed, PrintedCell

MOST = 400_000
NODES = 2_000

Populations = dict[tuple[str, str], int]
"""Children aged 0-18 by area and band, `all` included."""


def populations(
    printed: Printed, notified: dict[Cell, int], given_up: frozenset[PrintedCell]
) -> Populations:
    """Whole numbers that give every printed rate of October and September."""
    model = Model()
    counts = {
        (area, band): model.integer(1, MOST)
        for area in printed_areas()
        for band in (ALL_AGES, *BANDS)
    }
    for (area, band), count in counts.items():
        known = sum(notified[cell] for cell in cells_of(area, band))
        _require_rate(model, count, known, printed.cell(PER_10_000, area, band, OCTOBER))
    for area in printed_areas():
        known = printed.cell("EH01", area, ALL_AGES, SEPTEMBER).count
        cell = printed.cell(PER_10_000, area, ALL_AGES, SEPTEMBER)
        if cell in given_up:
            continue
        _require_rate(model, counts[area, ALL_AGES], known, cell)
    _prefer_sums(model, counts)
    values = model.solve(nodes=NODES, gap=0.01)
    return {key: value_of(count, values) for key, count in counts.items()}


def _require_rate(model: Model, people: Linear, known: int, cell: PrintedCell) -> None:
    model.rounds_to(cell.scale, Linear(constant=known), people, cell.tenths)


def _prefer_sums(model: Model, counts: dict[tuple[str, str], Linear]) -> None:
    for area in printed_areas():
        _prefer_equal(model, counts[area, ALL_AGES], total(counts[area, band] for band in BANDS))
    members = {**AREAS, TOP: DISTRICTS}
    for area, districts in members.items():
        for band in (ALL_AGES, *BANDS):
            _prefer_equal(model, counts[area, band], total(counts[d, band] for d in districts))


def _prefer_equal(model: Model, left: Linear, right: Linear) -> None:
    more, less = model.integer(0, MOST, 1), model.integer(0, MOST, 1)
    model.equal(left + more, right + less)
