"""Closures made for July and August 2015 print as Kent's did, whatever was closed besides."""

import random
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from examples import october_2015
from examples.october_2015.cases import UNIT, Case
from examples.october_2015.earlier_closures import EarlierClosures
from examples.october_2015.printed import read_trend

# Months, their first receipt that the average duration of six months counts, and their last day.
MONTHS = {
    "2015-07": (date(2015, 2, 1), date(2015, 7, 31)),
    "2015-08": (date(2015, 3, 1), date(2015, 8, 31)),
}
LEFT_OUT = {"re-opened", "Closure - Open to Early Help", "Moved Out of Kent"}
BANK_HOLIDAYS = ["2015-01-01", "2015-04-03", "2015-04-06", "2015-05-04", "2015-05-25", "2015-08-31"]
SEPTEMBERS = [
    ("2015-04-20", "2015-08-28"),
    ("2015-05-05", "2015-07-20"),
    ("2015-06-01", "2015-08-03"),
]


@pytest.mark.parametrize("times", [0, 1, 25])
def test_closures_of_july_and_august_print_as_kents_did(times: int) -> None:
    assert october_2015.__file__
    trend = read_trend(Path(october_2015.__file__).parent / "trend.csv")
    known = [
        Case("Dover", "5-10", date.fromisoformat(since).toordinal(), UNIT,
             closed=date.fromisoformat(until).toordinal())
        for since, until in SEPTEMBERS * times
    ]  # fmt: skip
    added = EarlierClosures(trend, known, random.Random(times)).make()
    assert all(date.fromordinal(it.received) <= date(2015, 3, 31) for it in added)
    for month, (since, last) in MONTHS.items():
        assert figures([*known, *added], month, since, last) == {
            code: trend[code, month] for code in ("EH12", "EH15", "EH16", "EH17", "EH19", "EH20")
        }


def figures(cases: list[Case], month: str, since: date, last: date) -> dict[str, str]:
    """What a scorecard would print of closed unit cases."""
    days = [
        (date.fromordinal(it.received), date.fromordinal(it.closed), it.outcome)
        for it in cases
        if it.closed
    ]
    recent = [(until - start).days for start, until, _ in days if start >= since and until <= last]
    here = [it for it in days if f"{it[1]:%Y-%m}" == month]
    counted = [outcome for _, _, outcome in here if outcome not in LEFT_OUT]
    long = {late: [it[2] for it in here if is_late(*it[:2]) == late] for late in (False, True)}
    step_ups = {late: found.count("Escalation to SCS") for late, found in long.items()}
    achieved = sum("Outcomes achieved" in it for it in counted)
    return {
        "EH12": shown(sum(recent), len(recent), 1),
        "EH15": str(len(counted)),
        "EH16": shown(achieved, len(counted), 100) + "%",
        "EH17": str(sum(step_ups.values())),
        "EH19": shown(step_ups[False], len(long[False]), 100) + "%",
        "EH20": shown(step_ups[True], len(long[True]), 100) + "%",
    }


def is_late(start: date, until: date) -> bool:
    """Whether more than 20 weeks lie between."""
    after = np.datetime64(start) + 1, np.datetime64(until) + 1
    return bool(np.busday_count(*after, holidays=BANK_HOLIDAYS) > 100)


def shown(part: int, whole: int, scale: int) -> str:
    """To one decimal, half up."""
    tenths = int(Fraction(10 * scale * part, whole) + Fraction(1, 2))
    return f"{tenths // 10}.{tenths % 10}"
