"""The command line: every command of `caseline` and the module it lives in."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from streams.terminal.commands import (
    behind,
    demo,
    feeding,
    figures,
    quality,
    running,
    serving,
    subject,
    targets,
    trend,
)
from streams.terminal.commands.alerts import alerts
from streams.terminal.commands.audit import audit
from streams.terminal.commands.catalogue import catalogue
from streams.terminal.commands.sessions import session
from streams.terminal.commands.snapshot import snapshot
from streams.terminal.commands.tokens import token
from streams.terminal.console import out
from streams.terminal.logs import show_uncaught

app = typer.Typer(
    name="caseline",
    help=(
        "The early help scorecard, live from case events.\n\n"
        "Start with [bold]caseline demo[/bold]. Settings come from CASELINE_... variables or from "
        "caseline.toml in this folder (another file: CASELINE_CONFIG).\n\n"
        "Exit codes: 0 done; 1 could not be done; 2 wrong usage; 3 done, but some input was bad; "
        "4 doctor or verify found something wrong."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _say_version(is_asked: bool) -> None:
    if is_asked:
        out.print(f"caseline {version('caseline')}", highlight=False)
        raise typer.Exit


@app.callback()
def _caseline(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Options that belong to no command."""


app.command()(demo.demo)
app.command()(figures.scorecard)
app.command()(figures.replay)
app.command()(behind.cases)
app.command()(trend.trend)
app.command()(targets.targets)
app.command()(quality.quality)
app.add_typer(catalogue, name="catalogue")
app.command()(feeding.ingest)
app.command()(running.worker)
app.command()(serving.serve)
app.add_typer(token, name="token")
app.add_typer(session, name="session")
app.add_typer(audit, name="audit")
app.add_typer(running.topics, name="topics")
app.command()(running.rebuild)
app.command()(running.doctor)
app.add_typer(feeding.dead_letters, name="dead-letters")
app.add_typer(snapshot, name="snapshot")
app.add_typer(alerts, name="alerts")
app.command()(subject.export)
app.command()(subject.erase)
app.command()(running.schema)


def main() -> None:
    """Run the command line."""
    sys.excepthook = show_uncaught
    app()


if __name__ == "__main__":
    main()
