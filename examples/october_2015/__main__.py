"""Make the events of October 2015: `python -m examples.october_2015`.

Reads the printed cells that ship with Caseline, writes the events beside them, evaluates these
with the product's own processors and writes down every printed cell they do not give. Kent's
figures of the months before are compared with what is written down of them.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from streams.october.compare_october import OCTOBER, SEPTEMBER, load_printed
from streams.october.trend import MONTH_ENDS
from streams.state.redis_clients import load_rules

from .events import EventWriter, write_events
from .given_up import given_up
from .history import History
from .printed import read_printed, read_trend
from .report import check_trend, compared, write_contradictions

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "streams" / "october"


def main() -> None:
    """Write the events and the contradictions, with progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=SHIPPED, help="folder to write to (default: streams/october)"
    )
    folder: Path = parser.parse_args().output
    printed = read_printed(SHIPPED / "published.csv")
    history = History(printed, read_trend(HERE / "trend.csv"), given_up(printed), _progress())
    cases = history.cases()
    events = EventWriter(history.rng).events(cases, history.populations())
    folder.mkdir(parents=True, exist_ok=True)
    write_events(folder / "events.jsonl.gz", events)
    replayed = _replayed(folder / "events.jsonl.gz")
    by_month = {day: replayed.rows(day) for day in (*MONTH_ENDS, OCTOBER)}
    found = compared(by_month[OCTOBER], by_month[SEPTEMBER], load_printed().cells)
    write_contradictions(folder / "contradictions.toml", found)
    check_trend({day: by_month[day] for day in MONTH_ENDS})
    print(f"{len(cases)} cases, {len(events)} events")
    print(f"{found.reproduced} of {found.cells} printed cells reproduced")
    print(f"{found.reproduced_directions} of {found.directions} directions reproduced")


def _progress() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda text: print(f"{time.monotonic() - began:6.1f} s  {text}", file=sys.stderr)


def _replayed(path: Path) -> Replay:
    replayed = Replay(load_rules(Settings()))
    for judged in read_events(path):
        replayed.add(judged.good)
    return replayed


if __name__ == "__main__":
    main()
