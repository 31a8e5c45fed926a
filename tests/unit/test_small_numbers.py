"""Commentary: small numbers that may count people are pointed out, the rest is passed over."""

import pytest

from snapshots.disclosure.commentary import small_numbers_in
from snapshots.disclosure.suppression import Rule


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 disengaged, 1 stepped up", ["1", "1"]),
        ("three families moved", ["three"]),
        ("Two of the 14 cases in Thanet", ["Two of the 14"]),
        ("one in five", ["one in five"]),
        ("4 out of 5 closed", ["4 out of 5"]),
        ("a single case, a couple of siblings", ["single", "couple"]),
        ("both children moved away", ["both"]),
        ("only 3 step-ups, in Dover", ["3"]),
        ("3, 4 and 5 families", ["3", "4", "5"]),
        ("2-3 families", ["2"]),
        ("families (2) moved; closures: 4.", ["2", "4"]),
        ("In October 3 closed", ["3"]),
        ("2 children aged 4 in 2015", ["2"]),
        ("fewer than 5 cases, under 4 cases", ["5", "4"]),
        ("rose by two on EH17", ["two"]),
        ("one of the families", ["one"]),
    ],
)
def test_a_number_that_may_count_people_is_pointed_out(text: str, found: list[str]) -> None:
    assert [each.text for each in small_numbers_in(text, Rule())] == found


@pytest.mark.parametrize(
    "text",
    [
        "on 3 October 2015, October 3rd, October 4, 2015",
        "from 1st to 5th October, on 2015-10-03, 3/10/2015",
        "by 3pm or 4.30 pm, at 10:05",
        "5%, 4 per cent, 4.5%, 3 percentage points, one per cent",
        "aged 5, ages 0-4, 5-10, 16+, a 4 year old, 3-year-old, under 5s, ages 3 to 4",
        "EH03, EH 3, EH13 and CEH4, Q3, Tier 2, level 3, section 17, phase 1",
        "within 4 weeks, three months, 5 working days, the last 3 months, two years",
        "816 notifications, 1,234 cases, 25 of 140 cases, 1.5 days",
        "twenty-five cases, two hundred families, 3 million, five thousand",
        "no one was, one-off, one another, a single point of contact",
        "1. First point\n2. Second point",
        "2015/16 and 2014-15, £5, £3m",
        "six families, 6 cases, 0 cases",
        "",
    ],
)
def test_what_counts_no_people_is_passed_over(text: str) -> None:
    assert small_numbers_in(text, Rule()) == []


def test_the_threshold_and_zeros_are_the_rules() -> None:
    text = "0 closed, 7 opened, none moved"
    assert [each.text for each in small_numbers_in(text, Rule(threshold=9))] == ["7"]
    hidden = small_numbers_in(text, Rule(zeros_shown=False))
    assert [each.text for each in hidden] == ["0", "none"]


def test_a_finding_says_where_it_is_and_what_stands_around_it() -> None:
    text = "In the north of the county three families disengaged before the plan was agreed."
    (found,) = small_numbers_in(text, Rule())
    assert text[found.start : found.end] == "three"
    assert "the county three families" in found.context
