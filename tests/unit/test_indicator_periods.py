"""The alert on a flow is of its month or year; that on a stock goes on from month to month."""

from datetime import date

import pytest

from processors.places.indicator_places import is_over, news, period_on
from processors.rules import Rules
from schemas.alerts import IndicatorChange
from schemas.catalogue import Catalogue, Indicator, Period, load_catalogue
from tests.support.indicatorfigures import figure

TODAY, NOVEMBER = date(2015, 10, 31), date(2015, 11, 1)


@pytest.mark.parametrize(
    ("code", "period"),
    [
        ("EH05", None),  # open on the day
        ("EH14", None),
        ("EH12", None),  # of the last six months
        ("EH09", None),
        ("EH01", "month"),
        ("EH16", "month"),
        ("EH23", "month"),  # closed in the month twelve months ago
        ("CEH03", "year"),
        ("EH21@2017", "year"),
        ("CEH02", None),
        ("CEH06", "month"),
        ("SCS01", None),
        ("SCS02", None),
        ("SCS04", "month"),
        ("EH24", "month"),
        ("EH26", None),
        ("EH27", "month"),
        ("CEH19", "month"),
        ("CEH26", None),
    ],
)
def test_stock_or_flow_follows_from_the_measures(code: str, period: Period | None) -> None:
    catalogue = load_catalogue()
    assert catalogue.period_of(indicator(catalogue, code)) == period


def indicator(catalogue: Catalogue, code: str) -> Indicator:
    return next(it for it in catalogue.indicator if it.code == code)


def told(changes: dict[str, IndicatorChange]) -> list[tuple[str | None, str, int, str | None]]:
    return [(it.period, it.state, it.version, it.reason) for it in changes.values()]


def test_a_stock_that_is_still_breached_is_not_over_on_the_first_of_the_month(
    rules: Rules,
) -> None:
    bad, good = figure(rules, "EH14", 10, 20), figure(rules, "EH14", 20, 20)
    first = news([bad], {}, TODAY)
    assert told(first) == [(None, "breached", 1, None)]
    assert news([bad], first, NOVEMBER) == {}
    over = news([good], first, NOVEMBER)
    assert told(over) == [(None, "resolved", 2, "recovered")]
    assert told(news([bad], over, date(2016, 2, 1))) == [(None, "breached", 3, None)]


def test_a_flow_of_a_year_is_over_with_the_financial_year(rules: Rules) -> None:
    bad = figure(rules, "EH16", 5, 10)._replace(flow="year")
    first = news([bad], {}, TODAY)
    assert told(first) == [("2015/16", "breached", 1, None)]
    assert news([bad], first, date(2016, 3, 31)) == {}
    assert sorted(told(news([bad], first, date(2016, 4, 1)))) == [
        ("2015/16", "resolved", 2, "period-ended"),
        ("2016/17", "breached", 1, None),
    ]


def test_periods_are_named_by_month_and_by_financial_year() -> None:
    assert period_on("month", TODAY) == "2015-10"
    assert [period_on("year", date(y, m, 1)) for y, m in ((2015, 3), (1999, 4))] == [
        "2014/15",
        "1999/00",
    ]
    assert period_on(None, TODAY) is None
    assert not is_over("2015-10", TODAY)
    assert is_over("2015-10", NOVEMBER)
    assert not is_over(None, NOVEMBER)
