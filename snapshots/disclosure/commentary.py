"""Small numbers in a text: a person reads what is pointed out before the text goes out.

Free text leaks as well as tables do ("1 disengaged, 1 stepped up"; Conventions, Publishing
official figures). What is plainly not a count of people is passed over: dates, times, ages,
percentages, decimals, durations, codes, money and larger numbers that hold a small one.
"""

import re
from typing import NamedTuple

from snapshots.disclosure.suppression import Rule

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Words for a small number, with the number.
ALSO = {"nil": 0, "none": 0, "single": 1, "sole": 1, "couple": 2, "pair": 2, "both": 2, "twins": 2,
        "triplets": 3, "trio": 3}  # fmt: skip
MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
SHORT_MONTHS = "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
LARGE = "hundred|thousand|million|billion|dozen"
SPANS = "second|minute|hour|day|night|week|fortnight|month|quarter|term|year|yr"
NUMBER = rf"(?:\d+(?:\.\d+)?|{'|'.join(WORDS)})"
RANGE = rf"{NUMBER}(?:\s*(?:-|\u2013|to|or|and)\s*{NUMBER})?"

DAY = r"\d{1,2}(?:st|nd|rd|th)?"
MONTH = rf"(?:{MONTHS}|{SHORT_MONTHS})"
KINDS_OF_DAY = "calendar |working |school |full |more |further |last "
NUMBERED = (
    "tier|level|section|stage|step|phase|part|band|quarter|table|figure|chart|page|note|chapter|"
    "annex|appendix|grade|key stage|version|release|priority"
)
PHRASES = (
    "no[- ]one|one another|one[- ]off|one[- ]to[- ]one|one[- ]stop|at one (?:time|point)|day one|"
    "one day|a couple of times|sixth[- ]form(?:ers)?|number one|"
    "single (?:point|front door|view|assessment|parents?)"
)
# What is no figure at all though a number stands in it.
NO_FIGURES = (
    r"\d{4}-\d{1,2}(?:-\d{1,2})?\b",
    r"\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b",
    r"\b\d{4}[-/\u2013]\d{1,4}\b",
    rf"\b{DAY}(?:\s*(?:-|\u2013|to|and)\s*{DAY})?\s+(?:of\s+)?{MONTH}\b",
    rf"\b{MONTH}\.?\s+{DAY}\b(?=,?\s+\d{{4}}\b|(?<=[a-z])\b|\s*(?:,|\.|;|\)|$))",
    r"\b\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm)\b|\b\d{1,2}:\d{2}\b",
    rf"\b(?:aged?|ages)\s+{RANGE}\b|\b(?:under|over)[- ]{NUMBER}s\b",
    r"\b\d{1,2}\s*(?:-|\u2013)\s*\d{1,2}(?:s\b|\s+year|\s+olds?\b)",
    r"\b(?:0-4|5-10|11-15)\b|\b\d{1,2}\+",
    r"\b(?-i:[A-Z]{1,6}-?\d+[a-z]?|(?:EH|CEH|SCS|SISE|KS|Q) \d+[a-z]?)\b",
    rf"\b(?:{NUMBERED})s?\s+{RANGE}\b",
    r"£\s*\d[\d,.]*(?:k|m|bn)?\b",
    r"^\s*\d+[.)]\s",
    rf"\b(?:{PHRASES})\b",
)
# What is a figure, and yet no small count of people.
NO_SMALL_COUNTS = (
    rf"\b{RANGE}\s*(?:%|per\s?cent\b|percentage\b|pp\b|points?\b)",
    rf"\b{RANGE}[- ]+(?:{KINDS_OF_DAY})?(?:{SPANS})s?(?:'|\u2019)?(?:[- ]old)?\b",
    r"\b(?:\d+\.)+\d+\b|\b\d{1,3}(?:,\d{3})+(?:\.\d+)?\b",
    rf"\b(?:{TENS})[- ](?:{'|'.join(WORDS[1:10])})\b",
    rf"\b{NUMBER}\s+(?:{LARGE})\b(?:\s+and\s+{NUMBER}\b)?",
)
# The whole match is passed over.
PASSED_OVER = re.compile("|".join((*NO_FIGURES, *NO_SMALL_COUNTS)), re.IGNORECASE | re.MULTILINE)
# "one in five", "2 out of 3", "4 of the 5": one thing to point out, not two.
PROPORTION = rf"\b{NUMBER}\s+(?:in|out of|of)\s+(?:the\s+|every\s+)?{NUMBER}\b"
CANDIDATE = re.compile(
    rf"(?P<proportion>{PROPORTION})|(?P<digits>(?<![\w.,-])\d+(?![\w]|[.,]\d))|"
    rf"\b(?P<word>{'|'.join((*WORDS, *ALSO))})\b",
    re.IGNORECASE,
)
CONTEXT = 25


class SmallNumber(NamedTuple):
    """A small number in a text: as written, where, and with what stands around it."""

    text: str
    start: int
    end: int
    context: str


def small_numbers_in(text: str, rule: Rule) -> list[SmallNumber]:
    """The small numbers in a text that may count people, in the order they stand there."""
    masked = PASSED_OVER.sub(lambda found: "\x00" * len(found.group()), text)
    return [
        SmallNumber(
            found.group(),
            found.start(),
            found.end(),
            " ".join(text[max(0, found.start() - CONTEXT) : found.end() + CONTEXT].split()),
        )
        for found in CANDIDATE.finditer(masked)
        if _is_small(found, rule)
    ]


def _is_small(found: re.Match[str], rule: Rule) -> bool:
    if found["proportion"]:
        return any(
            rule.is_small(_number(each))
            for each in re.findall(rf"\b{NUMBER}\b", found["proportion"], re.IGNORECASE)
        )
    return rule.is_small(_number(found.group()))


def _number(text: str) -> int:
    """What a number in digits or words is; a fraction counts as its whole part."""
    word = text.lower()
    if word in WORDS:
        return WORDS.index(word)
    return ALSO[word] if word in ALSO else int(float(word))
