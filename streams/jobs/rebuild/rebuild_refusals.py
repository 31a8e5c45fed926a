"""Why a rebuild does not begin, or does not take over."""

from streams.failures import Understood

GOES_ON = (
    "If the log cannot be brought back, `caseline rebuild --from-what-is-there` goes on without, "
    "and says so on every scorecard (docs/runbook.md, Going on without lost messages)"
)


class LogIncomplete(Understood):
    """The log no longer has all events that the state rests on: a rebuild would lose some."""


class MessageFails(Understood):
    """A message that cannot be taken in: nothing takes over before it is mended or passed over."""


class RebuildUnderWay(Understood):
    """Another rebuild of this deployment is running."""
