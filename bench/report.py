"""Results as a table for the terminal, as JSON to be kept, and as Markdown for people."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Section


def show(sections: Sequence[Section], machine: dict[str, Any]) -> None:
    """Print all figures, a table with one part a benchmark, and the notes under it."""
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, title=machine_text(machine), title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("target")
    for section in sections:
        table.add_row(f"[bold]{section.title}[/bold]")
        for figure in section.figures:
            style = "red" if figure.met is False else ""
            row = f"  {figure.what}", value_text(figure), figure.unit, target_text(figure)
            table.add_row(*row, style=style)
        table.add_section()
    console.print(table)
    for section in sections:
        console.print(f"[bold]{section.title}.[/bold] {section.notes}")


def write(
    folder: Path, name: str, sections: Sequence[Section], machine: dict[str, Any], when: datetime
) -> list[Path]:
    """Write both files; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {
        "date": when.isoformat(timespec="seconds"),
        "machine": machine,
        "benchmarks": [
            {
                "title": section.title,
                "notes": section.notes,
                "figures": [figure.as_json() for figure in section.figures],
            }
            for section in sections
        ],
    }
    texts = {
        folder / f"{name}.json": json.dumps(results, indent=1) + "\n",
        folder / f"{name}.md": markdown(sections, machine, when),
    }
    for path, text in texts.items():
        path.write_text(text)
    return list(texts)


def markdown(sections: Sequence[Section], machine: dict[str, Any], when: datetime) -> str:
    """A table a benchmark, with its notes."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    lines = [f"Measured on {when:%Y-%m-%d}: {machine_text(machine)}. Versions: {versions}.", ""]
    for section in sections:
        lines += [f"**{section.title}.** {section.notes}", ""]
        lines += ["| what | value | target |", "|---|---:|---|"]
        lines += [
            f"| {figure.what} | {value_text(figure)} {figure.unit} | {target_text(figure)} |"
            for figure in section.figures
        ]
        lines.append("")
    return "\n".join(lines)


def machine_text(machine: dict[str, Any]) -> str:
    """The machine in a line."""
    return (
        f"{machine['cores']} cores, {machine['processor']}, {machine['memory_gib']} GiB, "
        f"load {machine['load_before']} before"
    )


def value_text(figure: Figure) -> str:
    """Three or four figures that mean something."""
    size = abs(figure.value)
    return f"{figure.value:,.{0 if size >= 100 else 1 if size >= 10 else 2}f}"


def target_text(figure: Figure) -> str:
    """The target and whether it is met; nothing without one."""
    if figure.target is None:
        return ""
    bound = f"{'at least' if figure.target.is_least else 'at most'} {figure.target.bound:,}"
    return f"{bound}: {'met' if figure.met else 'not met'}"
