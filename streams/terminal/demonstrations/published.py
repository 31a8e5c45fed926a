"""What the demonstration needs of a published scorecard."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from importlib.resources.abc import Traversable
from typing import Protocol

from rich.table import Table

from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import EventLine

ReadRows = Callable[[date], Awaitable[Sequence[ScorecardRow]]]
"""The streamed scorecard as of a date."""


class Published(Protocol):
    """A scorecard that was printed, with events that give it."""

    @property
    def as_of(self) -> date:
        """The last day of its month."""
        ...

    @property
    def events(self) -> Sequence[Traversable]:
        """Its event files, to be sent in order."""
        ...

    @property
    def places(self) -> Traversable | None:
        """The places that it is of, where they are not those that ship."""
        ...

    @property
    def levels(self) -> Sequence[str]:
        """The levels that it is printed at; those of the areas where none is named."""
        ...

    @property
    def next_steps(self) -> Sequence[str]:
        """Commands to try on its event files."""
        ...

    def further(self) -> list[EventLine]:
        """Events that are made of printed figures, sent last."""
        ...

    def tables(self, rows: Sequence[ScorecardRow], width: int) -> list[Table]:
        """What is shown of it while it fills."""
        ...

    async def report(self, read: ReadRows) -> None:
        """Say what of it the stream gives, and list what it does not with the reasons."""
        ...
