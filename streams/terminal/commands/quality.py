"""The command that shows data quality: odd facts, and how much of the data is as it should be."""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from processors.figures.evaluate import rounded_half_up
from processors.record.completeness import COUNTS, Completeness
from processors.record.decoding import decode
from processors.record.found_quality import QualityFound
from processors.record.lateness import Arrivals
from processors.record.quality import OddFact, Oddity
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC, topic_names
from schemas.outward import csv_text, for_json
from schemas.settings import Settings
from streams.jobs.data_quality import (
    CONTRADICTION_COLUMNS,
    EVERYONE,
    LACK_COLUMNS,
    contradictions,
    lack_rows,
    quality_of,
    read_quality,
)
from streams.jobs.replay import Replay
from streams.kafka.logreading import log_reader
from streams.state.reading import LargeRecord, read_largest
from streams.terminal.commands.behind import FileOption, known_on, replayed_from, write_rows
from streams.terminal.commands.figures import tell_incomplete
from streams.terminal.console import err, explained, on_redis, out, settings_and_rules
from streams.terminal.selection import AsOfOption, FormatOption, day_of
from streams.terminal.tables.scorecards import RowFormat, largest_table, odd_facts_table


class Show(StrEnum):
    """What is shown of data quality."""

    FACTS = "facts"
    INDICATORS = "indicators"
    FIGURES = "figures"
    ARRIVALS = "arrivals"


def quality(
    as_of: AsOfOption = None,
    kind: Annotated[
        list[Oddity] | None, typer.Option("--kind", help="Only facts of this kind; repeatable.")
    ] = None,
    show: Annotated[
        Show,
        typer.Option(
            "--show",
            help=(
                "Odd facts; indicators of what cases lack, by provider; figures that contradict "
                "themselves or what is supplied; or how late events arrived, from the log."
            ),
        ),
    ] = Show.FACTS,
    largest: Annotated[
        int | None,
        typer.Option(
            "--largest", min=1, max=1_000, metavar="N", help="Show the N largest records instead."
        ),
    ] = None,
    file: FileOption = None,
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """Show data quality: facts that are valid but odd, or how much is as it should be.

    Odd facts are kept, and count as the explanation says: how many of each kind, or (json, csv)
    every one. Reads every record, so it takes a while where there are many children; arrivals read
    the whole log. A record that is far larger than all others is of a key that many children share,
    or has retractions without end.
    """
    settings, rules = settings_and_rules()
    if largest is not None:
        if kind or file or show is not Show.FACTS:
            raise typer.BadParameter("it goes with --format alone", param_hint="--largest")
        _show_largest(settings, rules, largest, form)
        return
    day = day_of(as_of, settings)
    if kind and show is not Show.FACTS:
        raise typer.BadParameter("only odd facts have kinds", param_hint="--kind")
    replayed = replayed_from(rules, file) if file else None
    if not replayed and show is not Show.ARRIVALS:
        tell_incomplete(settings, rules, day)
    if show is Show.FACTS:
        _show_facts(_found(settings, rules, day, replayed).facts, kind, form)
    elif show is Show.INDICATORS:
        _show_indicators(_found(settings, rules, day, replayed).lacking, form)
    elif show is Show.FIGURES:
        known = known_on(settings, rules, day, replayed)
        write_rows(CONTRADICTION_COLUMNS, list(contradictions(rules, known)), form)
    elif replayed:
        raise typer.BadParameter("files do not say when an event arrived", param_hint="--file")
    else:
        with explained():
            write_rows(*_arrivals(asyncio.run(_read_arrivals(settings))), form)


def _show_largest(settings: Settings, rules: Rules, most: int, form: RowFormat) -> None:
    found = on_redis(settings, lambda redis: read_largest(redis, settings.deployment, rules, most))
    if form is RowFormat.JSON:
        sys.stdout.write(for_json(json.dumps([it._asdict() for it in found], indent=1)) + "\n")
    elif form is RowFormat.CSV:
        sys.stdout.write(csv_text([LargeRecord._fields, *found]))
    else:
        out.print(largest_table(found))


def _found(settings: Settings, rules: Rules, day: date, replayed: Replay | None) -> QualityFound:
    """What files say, or the records of the live state where there are none."""
    if replayed:
        return quality_of(rules, day, replayed.children)
    return on_redis(settings, lambda redis: read_quality(redis, settings.deployment, rules, day))


def _show_facts(found: Sequence[OddFact], kinds: Sequence[Oddity] | None, form: RowFormat) -> None:
    facts = [fact for fact in found if not kinds or fact.kind in kinds]
    if form is RowFormat.TABLE:
        out.print(odd_facts_table(facts))
    else:
        write_rows(OddFact._fields, facts, form)


def _show_indicators(found: Sequence[Completeness], form: RowFormat) -> None:
    write_rows(LACK_COLUMNS, lack_rows(found), form)
    if form is RowFormat.TABLE:
        for lack, counts in COUNTS.items():
            err.print(f"{lack}: {counts}", markup=False)


async def _read_arrivals(settings: Settings) -> Arrivals:
    """The arrival of every event in the log of what happened. Raises what readers of logs do."""
    arrivals = Arrivals()
    topics = [it for it in topic_names() if it != REFERENCE_TOPIC]
    async with log_reader(settings.kafka, topics) as reader:
        for tp, (first, end) in (await reader.bounds()).items():
            async for _, records in reader.read(tp, first, end):
                messages = [(it.key, it.value, it.headers) for it in records]
                decoded = decode(tp.topic, messages)
                bad = {position for position, _ in decoded.rejected}
                times = [it.timestamp for at, it in enumerate(records) if at not in bad]
                arrivals.add(
                    [
                        (key, event, arrived)
                        for (key, event), arrived in zip(decoded.events, times, strict=True)
                    ]
                )
    return arrivals


def _arrivals(arrivals: Arrivals) -> tuple[Sequence[str], list[Sequence[object]]]:
    """How late events came, in days."""
    rows: list[Sequence[object]] = [
        (
            it.type,
            it.provider or EVERYONE,
            it.days,
            it.events,
            rounded_half_up(it.days, it.events),
            it.longest,
        )
        for it in arrivals.found()
    ]
    return ("type", "provider", "numerator", "denominator", "value", "longest"), rows
