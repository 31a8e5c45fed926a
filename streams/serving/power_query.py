"""Power Query M by which Excel and Power BI read a CSV of the API and refresh it.

`RelativePath` and `Query` keep the address one data source, to which a token is given once, as the
password of Basic; it is never in the query.
"""

from collections.abc import Mapping, Sequence
from typing import get_args, get_type_hints

from schemas.scorecard import ScorecardRow

NUMBERS = frozenset({int, float})


def power_query(
    site: str, path: str, asked: Mapping[str, Sequence[str]], types: Mapping[str, str]
) -> str:
    """The query for an address of the site, with a type for each column."""
    fields = ", ".join(f"{name} = {_values(values)}" for name, values in sorted(asked.items()))
    typed = ",\n            ".join(
        f"{{{_text(name)}, type {kind}}}" for name, kind in types.items()
    )
    query = f",\n            Query = [{fields}]" if fields else ""
    return f"""let
    Answer = Web.Contents(
        {_text(site)},
        [
            RelativePath = {_text(path.lstrip("/"))}{query}
        ]
    ),
    Table = Csv.Document(
        Answer,
        [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]
    ),
    Named = Table.PromoteHeaders(Table, [PromoteAllScalars = true]),
    Typed = Table.TransformColumnTypes(
        Named,
        {{
            {typed}
        }},
        "en-GB"
    )
in
    Typed
"""


def scorecard_types() -> dict[str, str]:
    """The type of each column of a scorecard's CSV."""
    hints = get_type_hints(ScorecardRow)
    return {
        name: "number" if NUMBERS & {*get_args(hints[name])} else "text"
        for name in ScorecardRow.__struct_fields__
    }


def _values(values: Sequence[str]) -> str:
    if len(values) == 1:
        return _text(values[0])
    return "{" + ", ".join(map(_text, values)) + "}"


def _text(text: str) -> str:
    """A text literal of M, in which nothing of the text is obeyed."""
    return '"' + text.replace("#(", "#(#)(").replace('"', '""') + '"'
