"""Commands about the audit log."""

from pathlib import Path
from typing import Annotated

import typer

from streams.kafka.audit_chain import AuditChains
from streams.terminal.console import Exit, err, out

audit = typer.Typer(help="The log of who saw which cases.", no_args_is_help=True)


@audit.callback()
def _commands() -> None:
    """Keep `verify` a command by name though it is the only one."""


@audit.command()
def verify(
    file: Annotated[
        Path,
        typer.Argument(
            help="What `caseline topics export audit-log` wrote.", exists=True, dir_okay=False
        ),
    ],
) -> None:
    """Check that no entry of an exported audit log is missing or was altered.

    Exit code 4 when one is. That the last entries of a chain are missing does not show.
    """
    chains, count = AuditChains(), 0
    with file.open("rb") as lines:
        for fault in chains.faults(lines):
            count += 1
            out.print(f"line {fault.line}: {fault.text}", markup=False, soft_wrap=True)
    what = f"{chains.entries:,} entries in {chains.chains:,} chains"
    if count:
        err.print(f"{what}: {count:,} wrong.")
        raise typer.Exit(Exit.UNWELL)
    err.print(f"{what}: none is missing between others, and none was altered.")
