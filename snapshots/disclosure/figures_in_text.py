"""The figures that a text tells, or lets a reader work out, whatever the way it says them.

Digits and number words, ranges and bounds ("fewer than six"), percentages, parts and multiples
("about half as many"), differences ("three fewer", "all but two"). Too many are found rather than
too few: what a text may tell is compared with what is withheld, and a person has the last word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, permutations, product
from math import ceil, floor
from typing import Literal, NamedTuple

from snapshots.disclosure.commentary import CONTEXT, MONTH, NO_FIGURES

Kind = Literal["count", "percent", "days"]

UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# From the sixth on: those before stand in many a text that counts nobody.
ORDINAL_UNITS = (
    *("sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth"),
    *("fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
)
ORDINALS = {
    **{word: number for number, word in enumerate(ORDINAL_UNITS, start=6)},
    **{f"{word[:-1]}ieth": 10 * number for number, word in enumerate(TENS, start=2)},
}
PLAIN = {
    **{word: number for number, word in enumerate(UNITS)},
    **{word: 10 * number for number, word in enumerate(TENS, start=2)},
    **ORDINALS,
    # Without what stands between, which may be a sign that nobody sees.
    **{
        f"{tens}{units}": 10 * number + more
        for number, tens in enumerate(TENS, 2)
        for more, units in enumerate(UNITS[1:10], 1)
    },
    "nil": 0,
    "none": 0,
    "single": 1,
    "sole": 1,
    "both": 2,
    "couple": 2,
    "pair": 2,
    "twins": 2,
    "triplets": 3,
    "trio": 3,
    "score": 20,
}
MULTIPLIERS = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
PARTS = {
    "half": Fraction(1, 2),
    "halved": Fraction(1, 2),
    "twice": Fraction(2),
    "double": Fraction(2),
    "doubled": Fraction(2),
    "triple": Fraction(3),
    "treble": Fraction(3),
    "trebled": Fraction(3),
    "tripled": Fraction(3),
    "third": Fraction(1, 3),
    "quarter": Fraction(1, 4),
    "fifth": Fraction(1, 5),
    "sixth": Fraction(1, 6),
    "eighth": Fraction(1, 8),
    "tenth": Fraction(1, 10),
}
# "Q3", "the third quarter of 2015" and "the third team" are no parts of anything.
PART = re.compile(
    rf"\b(?:(?P<many>a|an|one|two|three|four|five)\s+)?(?P<part>{'|'.join(PARTS)})s?\b"
    r"(?!\s+(?:of\s+)?(?:the\s+year|20\d\d|time|team|party))",
    re.IGNORECASE,
)
TIMES = re.compile(r"\s*(?:times|-?fold)\b", re.IGNORECASE)
YEAR = (
    r"\b(?:in|of|since|during|from|until|to|by|before|after|and|year|for|than|"
    rf"{MONTH}),?\s+(?:19|20)\d\d\b"
)
# Each on the text as it is: the year of a date is one whatever stands before it.
NOT_READ = [
    re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in ("|".join(NO_FIGURES), YEAR)
]
TOKEN = re.compile(
    r"(?P<digits>(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)"
    r"|(?<![\w.])\d+(?:\.\d+)?(?!\d))"
    r"|(?P<word>[A-Za-z]+)"
)
NO_DIGIT = re.compile(r"[^\d.]")
# Fractions that are one sign, as words.
SIGNS = {"\u00bd": " half ", "\u00bc": " quarter ", "\u00be": " three quarters "}
SIGNS |= {"\u2153": " third ", "\u2154": " two thirds ", "\u2155": " fifth "}
PERCENT = re.compile(r"\s*(?:%|per\s?cent\b|percentage\b|pp\b)", re.IGNORECASE)
DAYS = re.compile(r"[\s-]+(?:calendar\s+|working\s+|more\s+|further\s+)?days?\b", re.IGNORECASE)
OTHER_SPANS = re.compile(
    r"[\s-]+(?:calendar\s+|full\s+|more\s+|further\s+|last\s+)?"
    r"(?:second|minute|hour|night|week|fortnight|month|quarter|term|year|yr)s?\b",
    re.IGNORECASE,
)
TO = re.compile(r"\s*(?:-|\u2013|to|and|or)\s*", re.IGNORECASE)
FEWER = re.compile(r"\b(?:fewer|less|lower)\s+than\s+$|\b(?:under|below)\s+$", re.IGNORECASE)
MORE = re.compile(r"\b(?:more|greater|higher)\s+than\s+$|\b(?:over|above)\s+$", re.IGNORECASE)
# Words that say by how much a number differs from another one, in the text or known.
DIFFERENCE = re.compile(
    r"\b(?:more|fewer|less|extra|additional|another|rose|rise|risen|fell|fall|fallen|"
    r"up(?!\s+to\b)|down(?!\s+to\b)|increased?|decreased?|dropp?ed|drop|grew|gained|lost|"
    r"all\s+but|except|apart\s+from)\b",
    re.IGNORECASE,
)
# Words that say that a number is part of another one in the text.
REST = re.compile(
    r"\b(?:others?|rest|remaining|remainder|of\s+(?:them|which|whom|these|those))\b",
    re.IGNORECASE,
)
PROPORTION = re.compile(r"\s+(?:in|out\s+of)\s+(?:every\s+)?", re.IGNORECASE)
COMPARED = re.compile(
    r"\b(?:in|as\s+(?:many|few|much)|than|of|times|compared|unlike)\b", re.IGNORECASE
)
# Ranges no longer than this tell every number in them.
LONGEST_RANGE = 20


class WrittenFigure(NamedTuple):
    """A number as it stands in a text."""

    value: Fraction
    decimals: int
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Readings:
    """All that the figures of a text may say, before anything else is known."""

    text: str
    figures: tuple[WrittenFigure, ...]
    parts: tuple[Fraction, ...]
    is_compared: bool
    has_difference: bool
    has_rest: bool

    def counts(self, bases: Iterable[int] = ()) -> set[int]:
        """Every count that it may tell someone who knows `bases`, to which it may compare."""
        own = {it.value for it in self.figures if it.kind == "count"}
        others = {Fraction(base) for base in bases} if self._compares else set[Fraction]()
        found = own | set(self._bounds()) | set(self._between())
        for base in own | others:
            for part in self.parts:
                found |= {base * part, base / part, base * (1 + part), base * (1 - part)}
            for it in self.figures:
                if it.kind == "percent":
                    share = it.value / 100
                    found |= {base * share, base * (1 + share), base * (1 - share)}
        if self.has_difference or self.has_rest:
            pairs = [*permutations(own, 2), *product(others if self.has_difference else (), own)]
            found |= {abs(one - by) for one, by in pairs} | {one + by for one, by in pairs}
        return {whole for it in found for whole in (floor(it), ceil(it)) if whole >= 0}

    def tells(self, value: float, kind: Kind) -> bool:
        """Whether it may say a percentage or a number of days, as exactly as it is written."""
        exact = Fraction(str(value))
        return any(
            it.kind == kind and abs(it.value - exact) * 2 * 10**it.decimals <= 1
            for it in self.figures
        )

    def around(self, value: int) -> str:
        """What stands around a number in the text; the whole text where it is worked out."""
        for it in self.figures:
            if it.value == value:
                return self.context(it)
        return " ".join(self.text.split())

    def context(self, it: WrittenFigure) -> str:
        """What stands around a figure."""
        return " ".join(self.text[max(0, it.start - CONTEXT) : it.end + CONTEXT].split())

    @property
    def _compares(self) -> bool:
        has_percent = any(it.kind == "percent" for it in self.figures)
        return self.has_difference or ((bool(self.parts) or has_percent) and self.is_compared)

    def _bounds(self) -> Iterator[Fraction]:
        for it in self.figures:
            before = self.text[: it.start]
            if it.kind == "count" and FEWER.search(before):
                yield it.value - 1
            if it.kind == "count" and MORE.search(before):
                yield it.value + 1

    def _between(self) -> Iterator[Fraction]:
        for one, other in pairwise(self.figures):
            is_range = TO.fullmatch(self.text[one.end : other.start])
            if is_range and one.kind == other.kind == "count":
                least, most = floor(one.value), ceil(other.value)
                if 0 < most - least <= LONGEST_RANGE:
                    yield from map(Fraction, range(least, most + 1))


def told_by(text: str) -> Readings:
    """What the figures of a text may say."""
    text = masked = plain_text(text)
    for pattern in NOT_READ:
        for passed in pattern.finditer(text):
            blank = "\x00" * len(passed.group())
            masked = masked[: passed.start()] + blank + masked[passed.end() :]
    numbers = list(_numbers(masked))
    parts = [
        Fraction(PARTS[it["part"].lower()]) * _many(it["many"]) for it in PART.finditer(masked)
    ]
    parts += [value for value, _, _, end in numbers if TIMES.match(masked, end) and value]
    parts += [
        one[0] / other[0]
        for one, other in pairwise(numbers)
        if PROPORTION.fullmatch(masked[one[3] : other[2]]) and one[0] and other[0]
    ]
    found = []
    for value, decimals, start, end in numbers:
        kind = _kind(masked, end)
        if kind:
            found.append(WrittenFigure(value, decimals, kind, start, end))
    return Readings(
        text,
        tuple(found),
        tuple(dict.fromkeys(parts)),
        COMPARED.search(masked) is not None,
        DIFFERENCE.search(masked) is not None,
        REST.search(masked) is not None,
    )


def plain_text(text: str) -> str:
    """A text in which digits are digits, whatever they look like, and nothing is invisible."""
    for sign, words in SIGNS.items():
        text = text.replace(sign, words)
    separated = re.sub(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3})", ",", text)
    plain = unicodedata.normalize("NFKC", separated)
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")


def _many(word: str | None) -> int:
    return PLAIN.get((word or "one").lower(), 1)


def _kind(text: str, end: int) -> Kind | None:
    if PERCENT.match(text, end):
        return "percent"
    if DAYS.match(text, end):
        return "days"
    if OTHER_SPANS.match(text, end):
        return None
    shared = TO.match(text, end)  # "10 to 12%", "4 or 5 weeks"
    following = TOKEN.match(text, shared.end()) if shared else None
    if following and (following["digits"] or following["word"].lower() in PLAIN):
        return _kind(text, following.end())
    return "count"


def _numbers(text: str) -> Iterator[tuple[Fraction, int, int, int]]:
    """Each number with its decimals, where it begins and where it ends; words put together."""
    tokens = list(TOKEN.finditer(text))
    at = 0
    while at < len(tokens):
        it = tokens[at]
        if it["digits"]:
            digits = NO_DIGIT.sub("", it["digits"])
            scale, at_end, end = 1, at + 1, it.end()
            if at_end < len(tokens) and _joined(text, it, tokens[at_end]):
                scale = MULTIPLIERS.get(tokens[at_end].group().lower(), 1)
                end, at_end = (tokens[at_end].end(), at_end + 1) if scale > 1 else (end, at_end)
            yield Fraction(digits) * scale, len(digits.partition(".")[2]), it.start(), end
            at = at_end
        elif it.group().lower() in PLAIN or it.group().lower() in MULTIPLIERS:
            value, last = _spelt(text, tokens, at)
            yield Fraction(value), 0, it.start(), tokens[last].end()
            at = last + 1
        else:
            at += 1


def _spelt(text: str, tokens: list[re.Match[str]], at: int) -> tuple[int, int]:
    """The number that words from a position make, and the position of the last of them."""
    total, group, last = 0, 0, at
    before: int | None = None
    has_hundred = False
    while last < len(tokens):
        word = tokens[last].group().lower()
        if last > at and not _joined(text, tokens[last - 1], tokens[last]):
            break
        if word in MULTIPLIERS:
            group = max(group, 1) * MULTIPLIERS[word]
            has_hundred = True
            if MULTIPLIERS[word] >= 1000:
                total, group = total + group, 0
        elif word in PLAIN and (before is None or _may_follow(before, PLAIN[word])):
            group += PLAIN[word]
        elif word == "and" and has_hundred and _next_is_number(text, tokens, last):
            before, last = None, last + 1
            continue
        else:
            break
        before = PLAIN.get(word)
        last += 1
    return total + group, last - 1


def _may_follow(before: int, number: int) -> bool:
    """Whether a word goes on a number: "twenty five" does, "three four" does not."""
    return before >= 20 and before % 10 == 0 and 0 < number < 10


def _next_is_number(text: str, tokens: list[re.Match[str]], at: int) -> bool:
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    return bool(
        following and following.group().lower() in PLAIN and _joined(text, tokens[at], following)
    )


def _joined(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    return re.fullmatch(r"[\s-]+", text[one.end() : other.start()]) is not None
