"""What is under way, on standard error: a line with a bar for each stage of a benchmark."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

# Told how much is done.
Show = Callable[[float], None]

console = Console(stderr=True, highlight=False)


def unseen(_: float) -> None:
    """Shows nothing."""


@contextmanager
def stage(text: str, total: float | None = None) -> Iterator[Show]:
    """Show a stage; what it gives is called with how much of `total` is done."""
    columns = TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, refresh_per_second=2) as shown:
        task = shown.add_task(text, total=total)
        yield lambda done: shown.update(task, completed=done)
        shown.update(task, total=total or 1, completed=total or 1)
