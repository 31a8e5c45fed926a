"""Tables of an HTML page as text, read without the code that writes them."""

from html.parser import HTMLParser


class Tables(HTMLParser):
    """Every table of a page as rows of cell texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._text: list[str] | None = None
        self.feed(page)

    def handle_starttag(
        self,
        tag: str,
        attrs: list[tuple[str, str | None]],  # noqa: ARG002
    ) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._text is not None:
            self.tables[-1][-1].append(" ".join("".join(self._text).split()))
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def scorecard_of(page: str) -> dict[str, dict[str, str]]:
    """The first table's cells by indicator code and column heading."""
    heading, *rows = Tables(page).tables[0]
    return {row[0].split()[0][:4]: dict(zip(heading, row, strict=True)) for row in rows}
