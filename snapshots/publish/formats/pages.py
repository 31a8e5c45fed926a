"""HTML pages: self-contained, with no script and nothing fetched from elsewhere."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from schemas.areas import Area
from schemas.places import PROVIDER, Place
from snapshots.publish.formats.proof import proof_of
from snapshots.publish.text import content, reading_guide, wording
from snapshots.publish.text.story import incomplete, movements, quality
from snapshots.publish.text.view import View

CHANGES_PAGE = "changes.html"
PLACES_PAGE = "places.html"


def html_files(view: View) -> Iterator[tuple[str, bytes]]:
    """Every page by file name, the front page first."""
    writer = _Writer(view)
    yield from writer.pages()


def file_of(view: View, area: str, level: str = "") -> str:
    """The name of a place's page.

    What a provider is called comes from its events, and two may be alike but for their signs: then
    each has its number among them.
    """
    if not level:
        return view.named(f"{slug(area)}.html")
    own = slug(f"{level} {area}")
    alike = [it for it in view.places if slug(f"{it.level} {it.name}") == own]
    number = f"-{alike.index(Place(level, area)) + 1}" if len(alike) > 1 else ""
    return view.named(f"{own}{number}.html")


def slug(name: str) -> str:
    """A name in lower case, with hyphens for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


class _Writer:
    """Renders the pages of one publication from templates that share what they are given."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._environment = Environment(
            loader=PackageLoader("snapshots.publish.formats"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(self._shared())

    def pages(self) -> Iterator[tuple[str, bytes]]:
        view = self._view
        yield self._render("front.html", view.named("index.html"), **self._front())
        for area in view.release.areas.area:
            yield self._render("area.html", file_of(view, area.name), **self._area(area))
        if view.places:
            yield self._render("places.html", view.named(PLACES_PAGE), **self._places())
        for place in self._with_pages:
            yield self._render(
                "place.html", file_of(view, place.name, place.level), **self._place(place)
            )
        yield self._render(
            "charts.html",
            view.named("charts.html"),
            charts=content.bar_charts(view),
            lead=reading_guide.charts_lead(view),
        )
        yield self._render(
            "definitions.html",
            view.named("definitions.html"),
            families=content.families(view),
            reading_notes=reading_guide.reading_notes(view),
        )
        yield self._render(
            "quality.html",
            view.named("quality.html"),
            quality=quality(view),
            incomplete=incomplete(view),
        )
        log = content.change_log(view)
        yield self._render(
            "changes.html",
            view.named(CHANGES_PAGE),
            in_log=content.CHANGES_IN_LOG,
            entries=[
                {
                    "changed": release,
                    "changes": changes,
                    "judged": view.judged_anew(release),
                    "comments": view.comments_changed(release),
                    "unlisted": reading_guide.unlisted_note(view, release),
                }
                for release, changes in log
            ],
        )

    def _render(self, template: str, file: str, **context: Any) -> tuple[str, bytes]:
        text = self._environment.get_template(template).render(here=file, **context)
        return file, text.lstrip().encode("utf-8")

    def _shared(self) -> dict[str, Any]:
        view, release = self._view, self._view.release
        before = wording.month_before(release.period)
        source, _, _ = PackageLoader("snapshots.publish.formats").get_source(
            self._environment, "style.css"
        )
        return {
            "view": view,
            "release": release,
            "service": wording.SERVICE,
            # The style sheet is this package's own text, and a style element is not escaped.
            "style": Markup(source),  # noqa: S704
            "month": wording.month_title(release.period),
            "month_before": wording.month_title(before),
            "short_month_before": wording.short_month(before),
            "kind_title": wording.KIND_TITLES[release.kind],
            "kind_meaning": reading_guide.kind_meaning(view),
            "kind_titles": wording.KIND_TITLES,
            "kind_meanings": wording.KIND_MEANINGS,
            "meanings": wording.MEANINGS,
            "arrows": wording.ARROWS,
            "direction_words": wording.DIRECTION_WORDS,
            "frequency_words": wording.FREQUENCY_WORDS,
            "unit_words": wording.UNIT_WORDS,
            "log_note": wording.LOG_NOTE,
            "same_note": wording.SAME_NOTE,
            "disclosure_note": reading_guide.disclosure_note(view),
            "reading_of": reading_guide.reading_of,
            "band_title": wording.band_title,
            "short_month": wording.short_month,
            "long_date": wording.long_date,
            "file_of": partial(file_of, view),
            "proof": proof_of(view),
            "internal": wording.INTERNAL,
            "internal_note": wording.INTERNAL_NOTE,
            "log_names": content.log_names(view),
            "log_rows": content.log_rows(view),
            "causes": content.causes,
            "has_equals": content.has_equals,
            "pages": [
                ("Front page", view.named("index.html")),
                (release.areas.top, file_of(view, release.areas.top)),
                *([("Providers and places", view.named(PLACES_PAGE))] if view.places else []),
                ("Charts by area", view.named("charts.html")),
                ("Definitions", view.named("definitions.html")),
                ("Data quality", view.named("quality.html")),
                ("Revisions and corrections", view.named(CHANGES_PAGE)),
            ],
        }

    def _front(self) -> dict[str, Any]:
        view, proof = self._view, proof_of(self._view)
        return {
            "tiles": content.tiles(view, view.release.areas.top),
            "movements": movements(view),
            "changed": view.release,
            "changes": view.changes(view.release),
            "shown": content.CHANGES_ON_FRONT,
            "change_summary": reading_guide.change_summary(view),
            "unlisted": reading_guide.unlisted_note(view, view.release),
            "identity": content.identity(view, proof and (str(proof), proof.sha256)),
        }

    @property
    def _with_pages(self) -> list[Place]:
        """The places beside the areas that have a page of their own."""
        return [it for it in self._view.places if it.level in wording.LEVEL_TITLES]

    def _places(self) -> dict[str, Any]:
        view = self._view
        return {
            "groups": content.side_by_side(view),
            "directory": [
                (title, [it for it in self._with_pages if it.level == level])
                for level, title in wording.LEVEL_TITLES.items()
            ],
        }

    def _place(self, place: Place) -> dict[str, Any]:
        view = self._view
        is_provider = place.level == PROVIDER
        return {
            "place": place,
            "kind": wording.LEVEL_TITLES[place.level],
            "near": [it for it in self._with_pages if it.level == place.level and it != place],
            "families": content.families(view, place),
            "inside": content.of_provider(view, place.name) if is_provider else [],
            "notes": content.comments(view, place.name),
        }

    def _area(self, area: Area) -> dict[str, Any]:
        view = self._view
        is_top = area.parent is None
        children = view.children(area.name)
        return {
            "area": area,
            "trail": content.trail(view, area),
            "near": children or content.siblings(view, area),
            "near_title": "Areas within it" if children else "Districts of the same area",
            "makeup": content.makeup(view, area),
            "families": content.families(view, Place("", area.name)),
            "elsewhere": content.elsewhere(view),
            "band_note": reading_guide.band_note(view),
            "notes": content.comments(view, area.name),
            "tiles": content.tiles(view, area.name) if is_top else [],
            "trend_rows": content.trend_rows(view, area.name) if is_top else [],
        }
