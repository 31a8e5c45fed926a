"""What commands of caseline have imported already when they begin (see `commands`)."""

import os

for _name in ("COLUMNS", "LINES"):  # each command has its own, which consoles look up once
    os.environ.pop(_name, None)

import faust.livecheck  # noqa: E402, F401 - Faust loads its parts when they are first asked for

import streams.cli  # noqa: E402
import streams.worker.worker  # noqa: E402, F401
