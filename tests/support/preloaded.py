"""What commands of caseline have imported already when they begin (see `commands`)."""

import faust.livecheck  # noqa: F401 - Faust loads its parts when they are first asked for

import streams.cli
import streams.worker.worker  # noqa: F401
