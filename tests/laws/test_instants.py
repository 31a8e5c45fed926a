"""Many times read at once are what each is by itself, in whatever company it comes."""

import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from processors.record.decoding import RejectedError, instant_of
from processors.record.instants import FEWEST, UNUSUAL, usual_instants
from schemas.events.attributes import RFC3339

MOMENTS = st.datetimes(datetime(1899, 12, 25), datetime(2200, 1, 5))
OFFSETS = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda it: timezone(timedelta(minutes=it)))
PLAIN = st.builds(
    lambda moment, zone: moment.replace(microsecond=0, tzinfo=zone).isoformat(),
    MOMENTS,
    st.just(UTC) | OFFSETS,
)
SHORT = PLAIN.map(lambda it: f"{it[:19]}Z")
# Of the usual lengths, and nearly times.
NUMBER = st.sampled_from(["00", "01", "02", "12", "13", "23", "24", "28", "29", "30", "31", "32"])
NEARLY = st.builds(
    "{}-{}-{}{}{}:{}:{}{}".format,
    st.sampled_from(
        ["0000", "1900", "1901", "2000", "2015", "2016", "2100", "2198", "2199", "9999"]
    ),
    NUMBER,
    NUMBER,
    st.sampled_from(["T", "t", " ", "-"]),
    NUMBER | st.just("é1"),
    NUMBER | st.sampled_from(["59", "60", "/0", ":0", "1:"]),
    NUMBER | st.sampled_from(["59", "60", "61"]),
    st.sampled_from(
        ["Z", "z", "+00:00", "-00:00", "+24:00", "+01:60", "+0100", "+01-00", "", ".5Z"]
    ),
)
TIMES = PLAIN | SHORT | NEARLY | st.text(max_size=30)


def by_itself(time: str) -> int | None:
    """The instant of a time, None for what is none that is accepted."""
    if not re.fullmatch(RFC3339, time):
        return None
    try:
        return instant_of(time)
    except RejectedError:
        return None


@given(st.lists(TIMES, max_size=60), st.sampled_from([0, FEWEST]))
@example(["2015-06-30T23:30:00\u0660"], FEWEST)
@example(["1900-01-01T00:00:00+00:00", "2199-12-31T23:59:59Z", "2016-02-30T00:00:00Z"], FEWEST)
def test_times_read_together_are_what_each_is_by_itself(times: list[str], company: int) -> None:
    company_of = ["2015-06-30T23:30:00Z"] * company
    for time, found in zip(times, usual_instants(times + company_of)[: len(times)], strict=True):
        assert found in (UNUSUAL, by_itself(time))


@given(st.lists(MOMENTS.filter(lambda it: 1900 < it.year < 2199), min_size=1), OFFSETS)
def test_times_as_they_are_usually_written_are_read_together(
    moments: list[datetime], zone: timezone
) -> None:
    whole = [moment.replace(microsecond=0) for moment in moments] * FEWEST
    for written in (
        [f"{moment.isoformat()}Z" for moment in whole],
        [moment.replace(tzinfo=zone).isoformat() for moment in whole],
    ):
        assert usual_instants(written) == [instant_of(time) for time in written]
