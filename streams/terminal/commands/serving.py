"""The command that serves the live scorecard over HTTP."""

from typing import Annotated

import typer

from streams.terminal.console import err, explained, settings_and_rules, the_clock, usable
from streams.terminal.logs import set_up_logs
from streams.terminal.stopping import run_until_asked


def serve(
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address that is listened on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port; 0 is any that is free.")
    ] = 8080,
) -> None:
    """Serve the live scorecard as pages and as an API until told to stop (Ctrl-C or SIGTERM).

    Where nobody signs in it is for this machine alone, and small numbers are suppressed.
    """
    # The web framework takes a while to import, which no other command should wait for.
    from streams.serving.groups import load_groups
    from streams.serving.server import address_of, listen
    from streams.serving.server import serve as answer

    settings, rules = settings_and_rules()
    set_up_logs(settings.log_level)
    with usable("groups"):
        groups = load_groups(settings.groups_file)
    clock = the_clock(settings)
    with explained(), listen(settings, host, port) as listening:
        err.print(f"The live scorecard: {address_of(listening)}")
        run_until_asked(answer(settings, rules, clock, groups, listening))
