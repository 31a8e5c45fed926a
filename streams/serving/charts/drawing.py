"""Charts as markup: what `svg` and `figure` make of any chart, every text escaped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True)
class ChartColumn:
    """A column of the table that says what a chart shows."""

    heading: str
    is_number: bool = False


@dataclass(frozen=True)
class ChartTable:
    """What a chart shows, in rows; the first cell of each is what the row is of."""

    columns: tuple[ChartColumn, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Key:
    """What a mark or a line of a chart stands for."""

    mark: str
    words: str


class Chart(Protocol):
    """What can be drawn.

    `name` tells a chart from any other of its page. `template` draws each of `drawings`: one for
    every width, or one for wide and one for narrow places, whose `size` says so.
    """

    @property
    def name(self) -> str:
        """What tells it from the other charts of a page."""

    @property
    def title(self) -> str:
        """What it shows, with its unit."""

    @property
    def words(self) -> Sequence[str]:
        """What it says, a sentence each."""

    @property
    def template(self) -> str:
        """The template that draws it."""

    @property
    def drawings(self) -> Sequence[Any]:
        """Its geometry."""

    @property
    def keys(self) -> Sequence[Key]:
        """What its marks and lines stand for."""

    @property
    def table(self) -> ChartTable:
        """The same in rows."""


def svg(chart: Chart) -> Markup:
    """A chart as an image with a title and a description, without its key and table."""
    template = _ENVIRONMENT.get_template(chart.template)
    drawn = (
        template.render(chart=chart, drawing=it, key=f"{ident(chart.name)}-{index}")
        for index, it in enumerate(chart.drawings)
    )
    return Markup("".join(drawn))  # noqa: S704 the templates escape what they are given


def figure(chart: Chart) -> Markup:
    """A chart with its caption, its key, what it says in words, and its table."""
    template = _ENVIRONMENT.get_template("figure.html")
    drawn = svg(chart)
    return Markup(template.render(chart=chart, drawn=drawn, key=ident(chart.name)))  # noqa: S704


def ident(name: str) -> str:
    """A name as the beginning of an identifier in a page; different names stay different."""
    return "chart-" + re.sub(
        r"[^A-Za-z0-9-]", lambda it: f"_{ord(it[0]):x}_", name.replace(" ", "-")
    )


_ENVIRONMENT = Environment(
    loader=PackageLoader("streams.serving.charts", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
