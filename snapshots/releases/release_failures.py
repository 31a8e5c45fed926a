"""What can keep a release from being made or trusted."""


class ReleaseError(Exception):
    """A condition whose text says all that a user needs: what, where, and what to do."""


class NotAllowed(ReleaseError):  # noqa: N818 - named for the condition, as are those below
    """The chain of the period does not allow such a release now."""


class NotReconciled(ReleaseError):  # noqa: N818
    """The live tables and the log do not give the same figures."""


class LogUnreadable(ReleaseError):  # noqa: N818
    """The log does not hold, or Kafka does not give, all that a release rests on."""


class CounterEnded(ReleaseError):  # noqa: N818
    """A process that counted a part of the log ended before it was done."""


class NoRoom(ReleaseError):  # noqa: N818
    """A disk that a release needs is full, or may not be written."""


class Damaged(ReleaseError):  # noqa: N818
    """A stored release, or the chain, is not as it was made."""


class LaterFormat(Damaged):
    """A stored release is of a format that only a later version of Caseline knows."""


class Taken(ReleaseError):  # noqa: N818
    """Another process made a release of that number first."""


class NotPublished(ReleaseError):  # noqa: N818
    """Kafka did not take a release."""
