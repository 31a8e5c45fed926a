"""The notice that takes the place of figures that were withdrawn, in every format."""

import io
import json
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, time
from html import escape

import pandas as pd
import typst
from gptables import GPTable, produce_workbook

from schemas.outward import WORKBOOK_OPTIONS, csv_text, for_workbook
from snapshots.publish.formats.glyphs import all_showable, fonts
from snapshots.publish.text import wording
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import SERVICE, long_date, month_title

Files = Iterator[tuple[str, bytes]]
PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font-family: "Segoe UI", Arial, "Liberation Sans", sans-serif; margin: 0;
  line-height: 1.5; color: #0b0c0c; }}
header {{ background: #12436d; color: #fff; font-weight: 700; font-size: 1.25rem; }}
header, main {{ padding: 1.1rem max(1.25rem, 50vw - 36.75rem); }}
main p {{ max-width: 46rem; }}
h1 {{ line-height: 1.2; }}
</style>
</head>
<body>
<header>{heading}</header>
<main>
<h1>{title}</h1>
{paragraphs}
</main>
</body>
</html>
"""
REPORT = """#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, author: data.author)
#set text(font: "Source Sans Pro", size: 12pt, lang: "en", region: "GB")
#set page(paper: "a4", margin: 25mm)
= #data.title
#for line in data.lines [#line #parbreak()]
"""


def title(view: View) -> str:
    """What the notice is headed."""
    marking = f"{wording.INTERNAL}: " if view.is_internal else ""
    month, top = month_title(view.release.period), view.release.areas.top
    return f"{marking}{SERVICE}, {top}, {month}: withdrawn"


def lines(view: View) -> list[str]:
    """What the notice says."""
    release = view.release
    return [
        f"{wording.KIND_MEANINGS['withdrawn']} They should not be used.",
        f"Withdrawn on {long_date(release.released_on)}. Why: {release.reason}",
        "New figures of the month, if there are any, are a release of their own.",
        *([wording.INTERNAL_NOTE] if view.is_internal else []),
    ]


def notice_html(view: View) -> Files:
    """The notice as a page, where the front page was."""
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in lines(view))
    text = PAGE.format(title=escape(title(view)), heading=escape(SERVICE), paragraphs=paragraphs)
    yield view.named("index.html"), text.encode()


def notice_pdf(view: View) -> Files:
    """The notice as a tagged PDF, where the report was."""
    data = {"title": title(view), "author": view.release.areas.top, "lines": lines(view)}
    released = datetime.combine(view.release.released_on, time(), UTC)
    report = typst.compile(
        REPORT.encode(),
        sys_inputs={"data": json.dumps(all_showable(data))},
        font_paths=fonts(),
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(released.timestamp()),
    )
    yield view.named(f"early-help-{view.release.period}.pdf"), report


def notice_xlsx(view: View) -> Files:
    """The notice as a workbook of one sheet, where the figures were."""
    release, text = view.release, io.BytesIO()
    frame = pd.DataFrame({"Notice": [for_workbook(line) for line in lines(view)]})
    sheet = GPTable(
        table=frame,
        table_name="notice",
        title=for_workbook(title(view)),
        instructions="This worksheet has one table, of what there is to know.",
        index_columns={},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would have notes; gptables' own affair
        workbook = produce_workbook(
            text,
            sheets={"Withdrawn": sheet},
            contentsheet_label=None,
            workbook_options={"in_memory": True, **WORKBOOK_OPTIONS},
        )
    created = datetime.combine(release.released_on, time(), UTC).replace(tzinfo=None)
    workbook.set_properties({"title": title(view), "created": created})
    workbook.close()
    yield view.named(f"early-help-{release.period}.xlsx"), text.getvalue()


def notice_csv(view: View) -> Files:
    """The notice as a table of one row, where the open data was."""
    release = view.release
    rows = [
        ["period", "status", "withdrawn_on", "reason"],
        [release.period, "withdrawn", release.released_on.isoformat(), release.reason],
    ]
    stem = f"early_help_{release.period.replace('-', '_')}"
    yield view.named(f"{stem}.csv"), csv_text(rows).encode()


def notice_json(view: View) -> Files:
    """The notice as JSON, where the scorecard was."""
    release = view.release
    said = {
        "profile": view.profile,
        "period": release.period,
        "status": "withdrawn",
        "withdrawn_on": release.released_on.isoformat(),
        "reason": release.reason,
    }
    yield view.named("scorecard.json"), (json.dumps(said, ensure_ascii=False) + "\n").encode()
