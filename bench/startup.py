"""How long a worker takes to be of use when the state is full."""

from bench.bed import Bed
from bench.figures import Figure, Section, at_most, median
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import running_worker
from examples.workload import EVENTS_A_CHILD, case_events, new_event
from processors.rules import Rules

MOST_SECONDS = 3
TITLE = "Starting from a full state"


def startup(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Seconds from a worker's start, at each size of state."""
    figures: list[Figure] = []
    for children in sizes.startup_children:
        figures += _measure(bed, rules, sizes, children)
    notes = (
        f"A history of {sizes.startup_years} years, made by a worker that then stopped; counted "
        "from the start of the next worker's process. The middle of the starts. "
        "Taken: all partitions assigned and their tables read. Visible: the offset stored is past "
        "an event that was sent before the start."
    )
    return Section(TITLE, notes, tuple(figures))


def _measure(bed: Bed, rules: Rules, sizes: Sizes, children: int) -> list[Figure]:
    bed.clean()
    settings = bed.settings()
    about = int(children * EVENTS_A_CHILD)
    total = bed.preload(case_events(about, years=sizes.startup_years), about)
    with running_worker(bed, settings, rules) as worker, stage("one folds them", total) as show:
        worker.wait_until_stored(total, show)
    taken, visible = [], []
    for number in range(sizes.startups):
        total = bed.send([new_event(number)])
        with running_worker(bed, settings, rules) as worker, stage("starting a worker"):
            taken.append(worker.wait_until_taken())
            visible.append(worker.wait_until_stored(total) - worker.began)
    state = f"{children:,} children"
    return [
        median(f"{state}: taken", taken, "s"),
        median(f"{state}: visible", visible, "s", at_most(MOST_SECONDS)),
    ]
