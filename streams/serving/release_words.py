"""A task on releases as its page says it: how it goes, and of a preview what would go out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from processors.days.calendar import LONDON
from processors.figures.figure_text import value_text
from schemas.catalogue import ALL_AGES
from snapshots.disclosure.suppression import Reason
from streams.jobs.previews import Preview, Withheld
from streams.serving.site import Call, LiveSite
from streams.serving.task_book import TaskEntry, TaskState

TITLES = {
    "freeze": "Freeze {name}",
    "preview": "Preview of {name}",
    "publish": "Publish {name}",
    "publish-internal": "Publish {name} for the council itself",
    "accept": "Accept a text of {name}",
}
STATES: dict[TaskState, str] = {
    "running": "Being done",
    "done": "Done",
    "refused": "Refused",
    "failed": "Failed",
    "stopped": "Stopped",
}
# Whether a cell is suppressed for itself or for others, and why.
REASONS: dict[Reason | None, tuple[str, str]] = {
    "small-count": ("primary", "a small count"),
    "rests-on-a-small-count": ("primary", "it rests on a small count"),
    "small-denominator": ("primary", "too few to work it out from"),
    "secondary": ("secondary", "a small count could be worked out from it"),
    "suppressed-before": ("secondary", "an earlier release of the month withheld it"),
    None: ("decided before", "as when it first went out"),
}
# Milliseconds after which a page with a script looks again.
AGAIN_MS = 2_000


@dataclass(frozen=True)
class WithheldLine:
    """The cells of an indicator that are suppressed for one reason, and of which order that is."""

    code: str
    title: str
    order: str
    why: str
    cells: int
    where: list[str]


@dataclass(frozen=True)
class MovedLine:
    """A figure that the publication lists as changed."""

    code: str
    area: str
    band: str
    before: str
    after: str


def task_page(site: LiveSite, call: Call, entry: TaskEntry) -> str:
    """The page of a task."""
    outcome = entry.outcome
    preview = outcome.preview if outcome else None
    named = (outcome.release if outcome else None) or entry.name
    period, _, number = named.partition("/")
    return site.page(
        "release_task.html",
        call,
        call.identity,
        is_live=True,
        again=AGAIN_MS if entry.state == "running" else None,
        entry=entry,
        title=TITLES[entry.task.what].format(name=entry.name),
        state=STATES[entry.state],
        moment=_moment,
        release_address=f"/releases/{period}/{int(number)}" if number else None,
        preview=preview,
        withheld=_withheld(site, preview) if preview else [],
        moved=_moved(site, preview) if preview else [],
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M:%S}"


def _withheld(site: LiveSite, preview: Preview) -> list[WithheldLine]:
    titles = {it.code: it.title for it in site.rules.catalogue.indicator}
    order = {code: at for at, code in enumerate(titles)}

    def key(it: Withheld) -> tuple[int, str, str]:
        return order.get(it.code, len(order)), it.code, it.reason or ""

    lines = []
    for _, cells in groupby(sorted(preview.withheld, key=key), key=key):
        found = [*cells]
        of_order, why = REASONS[found[0].reason]
        code = found[0].code
        where = _where(found)
        lines.append(WithheldLine(code, titles.get(code, ""), of_order, why, len(found), where))
    return lines


def _where(cells: Sequence[Withheld]) -> list[str]:
    """Places, each with the bands of it that are meant."""
    places = groupby(cells, key=lambda it: (it.level, it.area))
    return [f"{area}: {_bands(it.age_band for it in own)}" for (_, area), own in places]


def _bands(bands: Iterable[str]) -> str:
    return ", ".join("all ages" if it == ALL_AGES else it for it in bands)


def _moved(site: LiveSite, preview: Preview) -> list[MovedLine]:
    indicators = {it.code: it for it in site.rules.catalogue.indicator}
    return [
        MovedLine(
            it.code,
            it.area,
            _bands([it.age_band]),
            value_text(indicators[it.code], it.before),
            value_text(indicators[it.code], it.after),
        )
        for it in preview.changes
        if it.code in indicators
    ]
