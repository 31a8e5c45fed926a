"""What the figures of a text may tell, in whatever words they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.disclosure.figures_in_text import told_by


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Thanet has 337 cases open to units", 337),
        ("three hundred and thirty-seven cases", 337),
        ("Three Hundred Thirty Seven cases", 337),
        ("1,337 cases", 1337),
        ("1\u00a0337 cases", 1337),
        ("our 337th case", 337),
        ("our thirty-seventh case", 37),
        ("the fifteenth child, and the twelfth family", 15),
        ("the fifteenth child, and the twelfth family", 12),
        ("her twentieth visit", 20),
        ("the eleventh and the seventeenth", 11),
        ("the eleventh and the seventeenth", 17),
        ("thirty\u00adseven cases", 37),
        ("thirtyseven cases", 37),
        ("337cases", 337),
        ("\uff13\uff13\uff17 cases", 337),
        ("33\u200b7 cases", 337),
        ("\u00bd of the 26", 13),
        ("1.2 thousand cases", 1200),
        ("two dozen families", 24),
        ("twenty five, not six", 25),
        ("about half as many as Dover, which had 7", 3),
        ("about half as many as Dover, which had 7", 4),
        ("Dover had 7, twice as many as we did", 14),
        ("a quarter of the 28", 7),
        ("one in five of the 40", 8),
        ("12% of 25 families", 3),
        ("30% fewer than the 20 of last year", 14),
        ("between 3 and 7", 5),
        ("6 to 9 families", 8),
        ("fewer than nine families", 8),
        ("more than 11 families", 12),
        ("of 19 families, all but two stayed", 17),
        ("rose by 4 from 9", 13),
        ("three times the 12 we had", 36),
    ],
)
def test_a_figure_is_found_however_it_is_said(text: str, count: int) -> None:
    assert count in told_by(text).counts()


@pytest.mark.parametrize(
    ("text", "base", "count"),
    [
        ("half as many as Dover", 26, 13),
        ("4 more than Dover", 9, 13),
        ("up by eleven", 20, 31),
        ("25% of all notifications", 52, 13),
        ("twice the number of Dover", 6, 12),
    ],
)
def test_a_figure_is_found_that_compares_with_one_that_is_known(
    text: str, base: int, count: int
) -> None:
    assert count not in told_by(text).counts()
    assert count in told_by(text).counts({base})


@pytest.mark.parametrize(
    "text",
    [
        "on 3 October 2015, by 3pm, in 2015/16, since 2014",
        "children aged 5, ages 0-4, 16+",
        "EH03, Tier 2, section 17, Q3, £5,000",
        "open for longer than 20 weeks, within three months",
        "no one was, a one-off, a single point of contact",
        "Notifications rose after the summer, as they do every autumn.",
        "the third quarter of 2015",
        "the sixth form, and sixth-formers",
    ],
)
def test_what_is_no_figure_of_people_tells_no_count(text: str) -> None:
    told = told_by(text)
    assert told.counts() == set()
    assert told.counts({7, 50}) == set()


def test_percentages_and_days_are_told_as_exactly_as_they_are_written() -> None:
    told = told_by("40 per cent were closed, 39.6% in Dover, in 12.5 days, or 8 to 9 days")
    assert told.tells(40.4, "percent")
    assert told.tells(39.6, "percent")
    assert not told.tells(39.2, "percent")
    assert told.tells(12.5, "days")
    assert told.tells(8.2, "days")
    assert not told.tells(12.4, "days")
    assert not told.tells(39.6, "days")


ONES = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spelt(number: int, hyphen: str) -> str:
    """A number from 1 to 999,999 in words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (hyphen + ONES[number % 10] if number % 10 else "")
    if number < 1000:
        said = f" and {spelt(number % 100, hyphen)}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{said}"
    rest = number % 1000
    joint = " and " if rest < 100 else " "
    said = joint + spelt(rest, hyphen) if rest else ""
    return f"{spelt(number // 1000, hyphen)} thousand{said}"


@given(st.integers(1, 999_999), st.sampled_from([" ", "-"]), st.booleans())
def test_every_number_is_found_in_digits_and_in_words(
    number: int, hyphen: str, is_first: bool
) -> None:
    words = spelt(number, hyphen)
    for said in (words, words.upper(), str(number), f"{number:,}"):
        text = f"{said} families moved" if is_first else f"There were {said}."
        assert number in told_by(text).counts()
        if number > 2:
            assert number not in told_by("There were families.").counts()
