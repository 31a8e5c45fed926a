"""The publication as one PDF, tagged for accessibility (PDF/UA-1).

Typst makes it: the one library that installs whole from PyPI (no Pango or other system library,
fonts given by path) and writes tagged PDF by itself.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from importlib.resources import files

import typst

from snapshots.publish.formats.glyphs import all_showable, fonts
from snapshots.publish.formats.pdf_data import report_data
from snapshots.publish.text.view import View


def pdf_files(view: View) -> Iterator[tuple[str, bytes]]:
    """The report, by file name."""
    template = (files("snapshots.publish.formats") / "templates/report.typ").read_bytes()
    released = datetime.combine(view.release.released_on, time(), UTC)
    report = typst.compile(
        template,
        sys_inputs={"data": json.dumps(all_showable(report_data(view)))},
        font_paths=fonts(),
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(released.timestamp()),
    )
    yield view.named(f"early-help-{view.release.period}.pdf"), report
