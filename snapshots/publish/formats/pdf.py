"""The publication as one PDF, tagged for accessibility (PDF/UA-1).

Typst makes it: the one library that installs whole from PyPI (no Pango or other system library,
fonts given by path) and writes tagged PDF by itself.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import typst

from snapshots.publish.formats.pdf_data import report_data
from snapshots.publish.text.view import View


def pdf_files(view: View) -> Iterator[tuple[str, bytes]]:
    """The report, by file name."""
    template = (files("snapshots.publish.formats") / "templates/report.typ").read_bytes()
    released = datetime.combine(view.release.released_on, time(), UTC)
    report = typst.compile(
        template,
        sys_inputs={"data": json.dumps(report_data(view), ensure_ascii=False)},
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[_typeface()]),
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(released.timestamp()),
    )
    yield f"early-help-{view.release.period}.pdf", report


def _typeface() -> Path:
    """The folder of the typeface; its package has nothing else to import."""
    spec = find_spec("font_source_sans_pro")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("font-source-sans-pro is not installed")
    return Path(spec.submodule_search_locations[0]) / "files"
