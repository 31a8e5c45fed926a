"""Figures that are supplied of what is counted: shown where nothing is counted, never released."""

from datetime import date
from typing import Any

from processors.rules import Rules
from schemas.scorecard import ScorecardRow
from tests.support.frozenlogs import FrozenLog
from tests.support.strategies import line_of

DAY = date(2015, 10, 31)


def event(number: int, kind: str, key: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "urn:beside",
        "type": kind,
        "subject": key,
        "partitionkey": key,
        "time": f"2015-10-{number:02}T09:00:00Z",
        "data": data,
    }


def supplied(number: int, area: str, code: str) -> dict[str, Any]:
    said = {"code": code, "area": area, "age_band": "all", "period": "2015-10", "value": 30}
    return event(number, "measure.supplied", area, **said, status="supplied", provenance="a return")


def log_of(rules: Rules) -> FrozenLog:
    notified = {"notification_type": "EHN", "district": "Thanet"}
    return FrozenLog(
        rules,
        [
            line_of(event(1, "notification.received", "A", **notified)),
            line_of(event(2, "case.allocated", "A", service="unit")),
            line_of(supplied(3, "Thanet", "EH14")),
            line_of(supplied(4, "Dover", "EH14")),
            line_of(supplied(5, "Dover", "EH16")),
        ],
    )


def by_cell(rows: list[ScorecardRow]) -> dict[tuple[str, str, str, str], ScorecardRow]:
    return {(it.code, it.level, it.area, it.age_band): it for it in rows}


def test_what_is_supplied_is_shown_where_nothing_is_counted_and_so_the_recount_says(
    rules: Rules,
) -> None:
    log = log_of(rules)
    rows = by_cell(log.scorecard(DAY))
    assert rows["EH14", "district", "Thanet", "all"].value == 100
    assert rows["EH14", "district", "Dover", "all"].value == 30
    assert rows["EH14", "district", "Dover", "all"].status == "supplied"
    assert rows == by_cell(log.recount(DAY))


def test_a_release_has_what_is_supplied_where_nothing_is_counted(rules: Rules) -> None:
    release = log_of(rules).release("2015-10").release
    cells = {(it.code, it.area): it for it in release.cells if it.age_band == "all"}
    assert cells["EH14", "Thanet"].value == 100
    for code in ("EH14", "EH16"):
        assert (cells[code, "Dover"].value, cells[code, "Dover"].status) == (30, "supplied")
