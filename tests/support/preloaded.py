"""What commands of caseline have at hand already when they begin (see `commands`)."""

import gc
import os

for _name in ("COLUMNS", "LINES"):  # each command has its own, which consoles look up once
    os.environ.pop(_name, None)

import faust.livecheck  # noqa: E402, F401 - Faust loads its parts when they are first asked for

import snapshots.publish.writing  # noqa: E402, F401
import streams.cli  # noqa: E402
import streams.worker.worker  # noqa: E402, F401
from processors.days.calendar import calendar  # noqa: E402
from schemas.catalogue import load_catalogue  # noqa: E402

# The same in every process, and as much work as all else that a command begins with.
calendar()
load_catalogue()
# And none of it is garbage, which commands need not find out one by one.
gc.collect()
gc.freeze()
