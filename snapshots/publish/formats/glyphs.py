"""Characters of the PDF: a document that promises to be accessible has a glyph for every one.

The typeface is Source Sans Pro. What it lacks comes from the fonts that Typst carries: Libertinus
Serif, New Computer Modern and DejaVu Sans Mono. What all of them lack, such as an emoji, is named
instead, in square brackets. Typst itself is asked which those are.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typst

from schemas.outward import for_terminal
from schemas.release import Release

# A word with anything outside of Latin-1, which the typeface has whole.
UNUSUAL = re.compile(r"\S*[^\s\x20-\x7e\xa0-\xff]\S*")
WORD = b"""
#set document(title: "word")
#set text(font: "Source Sans Pro", lang: "en")
#sys.inputs.word
"""
JOINERS = {"\u200d", "\ufe0e", "\ufe0f"}


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """All fonts that a PDF may use; none of the system's, so that it is the same everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[_typeface()])


def showable(text: str) -> str:
    """The text with the names of those characters that no font has."""
    return UNUSUAL.sub(lambda word: _showable(word.group()), for_terminal(text))


def all_showable(value: Any) -> Any:
    """Data of the PDF with every text in it showable."""
    if isinstance(value, str):
        return showable(value)
    if isinstance(value, dict):
        return {name: all_showable(it) for name, it in value.items()}
    if isinstance(value, list | tuple):
        return [all_showable(it) for it in value]
    return value


def unshown(release: Release) -> Iterator[str]:
    """Each comment of a release, and its reason, with characters that its PDF will only name."""
    texts = [(f"the comment on {it.code or 'all'} of {it.area}", it) for it in release.commentary]
    named = [(what, part) for what, it in texts for part in (it.text, it.author_role)]
    for what, text in [*named, ("the reason", release.reason), ("the author", release.author)]:
        lacking = sorted({it for it in for_terminal(text) if _name(it) and not _has(it)})
        if lacking:
            names = ", ".join(f"{it} ({_name(it)})" for it in lacking)
            yield f"{what}: no font has {names}, so the PDF says that in words"


def _showable(word: str) -> str:
    if _has(word):
        return word
    named = "".join(it if _has(it) else _named(it) for it in word)
    return named if _has(named) else "".join(it if ord(it) < 0x100 else _named(it) for it in word)


@lru_cache(maxsize=4096)
def _has(text: str) -> bool:
    try:
        _compiler().compile(WORD, sys_inputs={"word": text}, format="pdf", pdf_standards=["ua-1"])
    except typst.TypstError:
        return False
    return True


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(font_paths=fonts())


def _name(sign: str) -> str:
    return "" if sign in JOINERS else unicodedata.name(sign, f"U+{ord(sign):04X}").lower()


def _named(sign: str) -> str:
    name = _name(sign)
    return f"[{name}]" if name else ""


def _typeface() -> Path:
    """The folder of the typeface; its package has nothing else to import."""
    spec = find_spec("font_source_sans_pro")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("font-source-sans-pro is not installed")
    return Path(spec.submodule_search_locations[0]) / "files"
