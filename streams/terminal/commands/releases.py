"""Commands that look at releases: list, show, compare and verify them."""

import asyncio
import re
import sys
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from processors.figures.figure_text import LEGEND
from processors.rules import Rules
from schemas.events.attributes import MONTH
from schemas.release import Release
from schemas.settings import Settings
from snapshots.checking.comments import changed_comments
from snapshots.checking.counters import processes_for
from snapshots.checking.differences import Explanation, FigureDifference, differences
from snapshots.checking.evidence import Evidence, examine
from snapshots.checking.made_with import question_of
from snapshots.checking.question import LogQuestion
from snapshots.checking.verify import erased_since, gone_from, problems, recompute_problems
from snapshots.disclosure.record_folder import RecordFolder, record_problems
from snapshots.releases.canonical import sha256
from snapshots.releases.chain import Sealed, name_of, unseal
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.kafka_reading import read_log
from snapshots.releases.release_failures import Damaged, NotAllowed
from snapshots.releases.topic import public_record, published
from streams.state.erased_list import erasure_days
from streams.terminal.console import Exit, err, explained, log_progress, out, settings_and_rules
from streams.terminal.tables.release_tables import (
    Explained,
    causes_table,
    cells_csv,
    comments_table,
    differences_csv,
    differences_json,
    differences_table,
    release_tables,
    releases_table,
)
from streams.terminal.tables.scorecards import RowFormat


def checked_period(text: str) -> str:
    """The text if it is a month. Raises typer.BadParameter."""
    if not re.fullmatch(MONTH, text):
        raise typer.BadParameter(f"{text}: a month is written like 2015-10")
    return text


def checked_period_or_name(text: str) -> str:
    """A month, or a release's name in full. Raises typer.BadParameter."""
    return checked_name(text) if "/" in text else checked_period(text)


def checked_name(text: str) -> str:
    """A release's name in full, from one such as 2015-10/1. Raises typer.BadParameter."""
    period, _, number = text.partition("/")
    if not (re.fullmatch(MONTH, period) and re.fullmatch(r"0*[1-9][0-9]{0,8}", number)):
        raise typer.BadParameter(f"{text}: a release is named like 2015-10/1")
    return name_of(period, int(number))


PeriodOrNameArgument = Annotated[
    str,
    typer.Argument(
        metavar="PERIOD", help="Such as 2015-10, or 2015-10/1.", callback=checked_period_or_name
    ),
]
NumberOption = Annotated[
    int | None,
    typer.Option("--number", min=1, metavar="N", help="Which release.", show_default="the latest"),
]
NameArgument = Annotated[
    str, typer.Argument(metavar="RELEASE", help="Such as 2015-10/1.", callback=checked_name)
]
FormatOption = Annotated[RowFormat, typer.Option("--format", help="How it is written.")]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Without Kafka: only the files and their chain.")
]
RecomputeOption = Annotated[
    bool, typer.Option("--recompute", help="Compute every release again from the log, too.")
]


def list_releases() -> None:
    """List the releases of every month."""
    settings, _ = settings_and_rules()
    with explained():
        folder = ReleaseFolder(settings.releases)
        found = [sealed for period in folder.periods() for sealed in folder.read(period)]
    if found:
        out.print(releases_table(found))
    err.print(f"{len(found):,} releases in {settings.releases}.")


def show(
    period: PeriodOrNameArgument, number: NumberOption = None, form: FormatOption = RowFormat.TABLE
) -> None:
    """Show a release as it was made: its figures and commentary, and what they rest on.

    As JSON it is the release itself, byte for byte.
    """
    settings, _ = settings_and_rules()
    period, _, in_name = period.partition("/")
    if in_name and number not in (None, int(in_name)):
        raise typer.BadParameter(f"{period}/{in_name} is not number {number}")
    with explained():
        wanted = int(in_name) if in_name else number
        sealed = _stored(ReleaseFolder(settings.releases), period, wanted)
    if form is RowFormat.JSON:
        sys.stdout.write(sealed.text.decode() + "\n")
    elif form is RowFormat.CSV:
        sys.stdout.write(cells_csv(sealed.release))
    else:
        out.print(*release_tables(sealed.release, out.width), sep="\n")
        out.print(releases_table([sealed]))
        for written in sealed.release.commentary:
            about = f"{written.area}, {written.code}" if written.code else written.area
            out.print(f"{about} ({written.author_role}): {written.text}", markup=False)
        err.print(LEGEND, markup=False)


def diff(first: NameArgument, second: NameArgument, form: FormatOption = RowFormat.TABLE) -> None:
    """Show which cells and comments differ between two releases of a month, by how much, and why.

    Why is read from the log: the late or corrected events between the two cuts that changed what
    a case adds to the cell.
    """
    settings, rules = settings_and_rules()
    with explained():
        folder = ReleaseFolder(settings.releases)
        one, other = (unseal(name, folder.text(name)).release for name in (first, second))
        found = _explained(settings, rules, one, other)
        comments = changed_comments(one, other)
    if form is RowFormat.JSON:
        sys.stdout.write(differences_json(found, comments) + "\n")
    elif form is RowFormat.CSV:
        sys.stdout.write(differences_csv(found, comments))
    else:
        out.print(differences_table(found), causes_table(found), sep="\n")
        if comments:
            out.print(comments_table(comments))
        cells = f"{len(found):,} of {len(other.cells):,} cells"
        err.print(f"{cells} and {len(comments):,} comments differ.")


def _explained(
    settings: Settings, rules: Rules, earlier: Release, later: Release
) -> list[Explained]:
    if earlier.period != later.period or earlier.number >= later.number:
        raise NotAllowed("give two releases of one month, the earlier one first")
    if "withdrawn" in {earlier.kind, later.kind}:
        raise NotAllowed("a withdrawal has no figures to compare with")
    found = list(differences(earlier.cells, later.cells))
    if not found:
        return []
    try:
        question = question_of(later, rules.catalogue, since=earlier)
    except NotAllowed as unknown:
        return _unexplained(found, str(unknown))
    if earlier.catalogue_version != later.catalogue_version:
        return _unexplained(found, "the two were made with different catalogues")
    evidence = _examined(settings, question)
    explanation = Explanation(
        question.catalogue, later.areas, later.as_of, evidence, earlier.cut, later.places
    )
    return [
        Explained(it, {field: explanation.causes(it.cell, field) for field in it.fields})
        for it in found
    ]


def _unexplained(found: list[FigureDifference], why: str) -> list[Explained]:
    err.print(f"The events are left out: {why}.", markup=False, soft_wrap=True)
    return [Explained(difference, {}) for difference in found]


def verify(
    periods: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PERIOD]...", help="Only these months.", show_default="all"),
    ] = None,
    recompute: RecomputeOption = False,
    offline: OfflineOption = False,
) -> None:
    """Prove that every release is as it was made and that its chain holds; the public record too.

    Names each file or link that was tampered with, and where folder and topic disagree. Exit
    code 4 when something is wrong.
    """
    settings, rules = settings_and_rules()
    chosen = [checked_period(period) for period in periods or ()]
    with explained():
        folder = ReleaseFolder(settings.releases)
        topic = None if offline else published(settings.kafka)
        entries = None if offline else public_record(settings.kafka)
        there = {*folder.periods(), *(name.partition("/")[0] for name in topic or ())}
        chosen = chosen or sorted(there)
        found = list(problems(folder, topic, chosen))
        record = RecordFolder(settings.releases)
        found += record_problems(record, entries, _hashes(folder))
        notes: list[str] = []
        if recompute:
            found += _recomputed(settings, rules, folder, chosen, notes)
    for note in notes:
        out.print(f"{note}.", markup=False, highlight=False, soft_wrap=True)
    for problem in found:
        out.print(problem, markup=False, highlight=False, soft_wrap=True)
    count = sum(len(folder.names(period)) for period in chosen)
    out.print(f"The public record has {len(record.names()):,} entries.")
    out.print(f"{len(found):,} wrong." if found else f"{count:,} releases, nothing wrong.")
    if found:
        raise typer.Exit(Exit.UNWELL)


def _hashes(folder: ReleaseFolder) -> dict[str, str]:
    """Of every release in the folder the hash of what lies there, by name."""
    names = (name for period in folder.periods() for name in folder.names(period))
    return {name: sha256(folder.raw(name)) for name in names}


def _recomputed(
    settings: Settings,
    rules: Rules,
    folder: ReleaseFolder,
    periods: list[str],
    notes: list[str],
) -> Iterator[str]:
    """What releases say otherwise than the log; to `notes` what it can no longer say of them."""
    for name in (name for period in periods for name in folder.names(period)):
        try:
            release = unseal(name, folder.text(name)).release
            if release.kind == "withdrawn":
                continue  # it has no figures
            question = question_of(release, rules.catalogue)
        except Damaged:
            continue  # told already
        except NotAllowed as unknown:
            yield f"{name}: {unknown}"
            continue
        evidence = _examined(settings, question)
        cells, erased = evidence.cells, evidence.erased
        known = asyncio.run(erasure_days(settings)) if erased else {}
        gone = gone_from(release, erased, known)
        if gone.unknown:
            messages = sum(gone.unknown.values())
            yield f"{name}: {messages:,} place holders of its cut are of erasures nobody knows of"
        if gone.since:
            notes.append(erased_since(release, name, cells, gone.since))
        else:
            yield from recompute_problems(release, name, cells)


def _examined(settings: Settings, question: LogQuestion) -> Evidence:
    log = partial(read_log, settings.kafka, passed_over=question.passed_over)
    processes = processes_for(question.messages)
    with log_progress() as begin:
        return examine(log, question, begin(question.messages), processes)


def _stored(folder: ReleaseFolder, period: str, number: int | None) -> Sealed:
    """A period's release of a number, or its latest. Raises NotAllowed when there is none."""
    names = folder.names(period)
    wanted = name_of(period, number) if number else (names or [""])[-1]
    if wanted not in names:
        raise NotAllowed(f"{folder.root}: no release {wanted or period}")
    return unseal(wanted, folder.text(wanted))
