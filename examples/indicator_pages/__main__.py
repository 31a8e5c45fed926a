"""Make the reference pages: `python -m examples.indicator_pages`.

Finds an example for every indicator of the catalogue that ships, and writes docs/indicators. It
takes a few minutes; `--code CODE` makes one page alone, and `--keep` keeps the examples that pages
have, where only words or definitions changed.
"""

import argparse
import sys
from pathlib import Path

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import load_places

from . import printed
from .coverage import coverage
from .example import example, level_of
from .page import events_of, name_of, page, place_of
from .search import find
from .stories import load

PAGES = Path(__file__).parents[2] / "docs" / "indicators"


def main() -> None:
    """Write the pages, each as soon as its example is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", action="append", help="make this page alone; repeatable")
    parser.add_argument("--keep", action="store_true", help="keep the examples that pages have")
    arguments = parser.parse_args()
    codes: list[str] | None = arguments.code
    rules = Rules(load_catalogue(), load_areas(), places=load_places())
    as_of, stories = load()
    printings = printed.load()
    PAGES.mkdir(exist_ok=True)
    for indicator in rules.catalogue.indicator:
        if codes and indicator.code not in codes:
            continue
        path = PAGES / name_of(indicator)
        if arguments.keep and path.exists():
            text = path.read_text("utf-8")
            place = place_of(text, level_of(rules, indicator))
            found = example(rules, indicator, as_of, place, events_of(text))
        else:
            found = find(rules, indicator, as_of, stories)
        of_code = [it for it in printings if it.code == indicator.code]
        text = page(rules, indicator, as_of, found, of_code)
        path.write_text(text, "utf-8")
        sys.stderr.write(f"{indicator.code}\n")
    (PAGES / "README.md").write_text(coverage(rules, printings), "utf-8")


if __name__ == "__main__":
    main()
