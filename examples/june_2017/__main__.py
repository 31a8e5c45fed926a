"""Make the events of June 2017: `python -m examples.june_2017 ROWS`.

ROWS is the published file (tests/data/printed/commissioned-2017-06.csv). Writes, beside what ships
of June, the events, the printed rows, the places, and every printed cell, arrow and rating that the
events do not give, with its reason.
"""

import csv
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.june.compare_june import MONTH_ENDS, RowsCompared, compare, load_printed
from streams.kafka.eventfiles import read_events
from streams.state.redis_clients import load_rules

from .carers import activity, supplied, targets
from .cases import cases
from .casework import YOUNG_CARERS, providers
from .centres import districts
from .events import Event, write
from .fitting import Key, Wishes
from .hubs import hub
from .printed import HUBS, MONTHS, Row, read
from .reasons import Reasons
from .referrals import referrals

SHIPPED = Path(__file__).parents[2] / "streams" / "june"
HEADER = """\
# What is printed of June 2017 and the shipped events do not give, and why.
# `of` is a month's figure, or June's arrow or rating; `streamed` is blank where there is no figure.
"""


def main() -> None:
    """Write everything, with progress on standard error."""
    began = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", file=sys.stderr)

    rows = read(Path(sys.argv[1]))
    _write_rows(rows)
    progress("rows written")
    events, left_out = made(rows, progress)
    number = write(SHIPPED / "events.jsonl.gz", events)
    progress(f"{number} events written")
    found = evaluated()
    _write_exceptions(found, Reasons(rows, found.different, left_out))
    for what, of in (
        ("figure", found.figures),
        ("arrow", found.arrows),
        ("rating", found.ratings),
    ):
        print(f"{of - found.differing(what)} of {of} {what}s")


def made(rows: list[Row], say: Callable[[str], None]) -> tuple[list[Event], dict[Key, Wishes]]:
    """All events, and what is left out with what it was asked beside; says what is done."""
    left_out: dict[Key, Wishes] = {}
    events: list[Event] = [*supplied(rows), *targets(rows)]
    for provider in providers(rows):
        provider.fit()
        say(f"{provider.codes.service} by {provider.name}: {len(provider.left_out)} left out")
        events += cases(provider)
        left_out |= provider.left_out
        if provider.codes == YOUNG_CARERS:
            events += activity(rows, provider)
    for district in districts(rows):
        district.fit()
        say(f"centres of {district.name}: {len(district.left_out)} left out")
        events += district.events()
        left_out |= district.left_out
    by_hub: dict[str, list[Row]] = {}
    for row in rows:
        if row.block.startswith(HUBS):
            by_hub.setdefault(row.place, []).append(row)
    for own in by_hub.values():
        events += hub(own)
    again, of_referrals = referrals(rows)
    say(f"re-referrals: {len(of_referrals)} left out")
    return [*events, *again], left_out | of_referrals


def evaluated() -> RowsCompared:
    """What ships, replayed and compared."""
    rules = load_rules(Settings(places_file=SHIPPED / "places.toml"))
    replayed = Replay(rules)
    for judged in read_events(SHIPPED / "events.jsonl.gz"):
        if judged.bad:
            raise ValueError(f"line {judged.bad[0].number}: {judged.bad[0].rejection}")
        replayed.add(judged.good)
    rows = {day: replayed.rows(day, rules.graph.levels) for day in MONTH_ENDS}
    return compare(rows, load_printed(), {})


def _write_rows(rows: Iterable[Row]) -> None:
    with (SHIPPED / "published.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["block", "code", "level", "place", *MONTHS, "arrow", "rag", "targets"])
        for it in rows:
            printed = [*it.figures, it.arrow, it.rag, "|".join(it.targets)]
            writer.writerow([it.block, it.code, it.level, it.place, *printed])


def _write_exceptions(found: RowsCompared, reasons: Reasons) -> None:
    entries = [HEADER]
    for it in found.different:
        fields = {
            "block": it.key[0],
            "code": it.key[1],
            "of": it.key[2],
            "printed": it.printed,
            "streamed": it.streamed,
            "reason": reasons.of(it),
        }
        lines = (f"{name} = {json.dumps(text)}" for name, text in fields.items())
        entries.append("[[exception]]\n" + "\n".join(lines) + "\n")
    (SHIPPED / "exceptions.toml").write_text("\n".join(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
