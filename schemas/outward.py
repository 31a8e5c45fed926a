"""Text on its way out: what was in an event is data there too, whatever program shows it.

The one place that makes it so, by format. Pages escape all they are given by themselves; the PDF
takes `for_terminal`'s text and has something to say for what no font has
(snapshots.publish.formats.glyphs).
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

# What stands in the place of a character that a terminal would obey.
STAND_IN = "\N{REPLACEMENT CHARACTER}"
# Marks that turn what follows to the left or the right, so that a line reads as it is not.
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What a terminal obeys: those, and what Unicode calls controls (Cc) and halves of pairs (Cs), but
# for the ends of lines and tabs. Nothing of it is printable, as Python has it.
OBEYED = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{''.join(sorted(TURNING))}]")
# What a spreadsheet takes for the beginning of a formula, in their full-width forms as well.
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20].", re.DOTALL)
NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+%?")
# What gptables reads as a link, and as a note.
LINK, NOTE = re.compile(r"\](?=\()"), re.compile(r"\$(?=\$)")


def for_terminal(text: str) -> str:
    """Text in which a terminal obeys nothing but ends of lines and tabs."""
    return text if text.isprintable() else OBEYED.sub(STAND_IN, text)


def for_json(text: str) -> str:
    """A JSON text that says the same, with what a terminal obeys escaped within its strings."""
    return text if text.isprintable() else OBEYED.sub(lambda it: f"\\u{ord(it[0]):04x}", text)


def for_csv(value: T) -> T | str:
    """A value of a CSV file: text that a spreadsheet would work out begins with an apostrophe."""
    if not isinstance(value, str):
        return value
    text = for_terminal(value)
    is_formula = FORMULA.match(text) and not NUMBER.fullmatch(text.strip())
    return f"'{text}" if is_formula else text


def for_mail(text: str) -> str:
    """A text within a line of a mail: no line of its own, and no formula where it is pasted."""
    return for_csv(" ".join(text.split()))


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV, each ended by a line feed; what is None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([for_csv(value) for value in row] for row in rows)
    return text.getvalue()


def for_workbook(value: T) -> T | str:
    """A value of a workbook that gptables writes: text without its signs for links and notes.

    That text is no formula is for the workbook's options to say (`WORKBOOK_OPTIONS`).
    """
    if not isinstance(value, str):
        return value
    return NOTE.sub("$ ", LINK.sub("] ", for_terminal(value)))


WORKBOOK_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False}
