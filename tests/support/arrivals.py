"""The ways in which lines of events may arrive, and what may happen in between."""

from typing import NamedTuple

from hypothesis import strategies as st

from streams.kafka.eventfiles import EventLine


class Arrival(NamedTuple):
    """One message as it arrives, and what the worker does after it."""

    line: EventLine
    then: str


# What a worker may do after a message: go on with the batch; end the batch; end it and drop records
# from memory; store what changed; store it and drop records; die and begin again from the store.
STEPS = ["go on", "go on", "batch", "forget", "commit", "commit and forget", "restart"]


@st.composite
def arrivals(draw: st.DrawFn, lines: list[EventLine]) -> list[Arrival]:
    """Every line at least once, some again, in any order, with any steps in between."""
    again = draw(st.lists(st.sampled_from(lines), max_size=len(lines))) if lines else []
    order = draw(st.permutations(lines + again))
    return [Arrival(line, draw(st.sampled_from(STEPS))) for line in order]
