"""What the log has lost is said for as long as a figure looks back on it, and no longer."""

from datetime import UTC, date, datetime, timedelta

import pytest

from processors.rules import Rules
from snapshots.publish.text.story import quality
from snapshots.publish.text.view import View
from streams.state.gaps import Gap
from tests.support.october_releases import october

LAST = datetime(2015, 10, 31, 9, tzinfo=UTC)
MILLISECONDS = int(LAST.timestamp() * 1000)
GAP = Gap("case-events", 1, 40, 52, MILLISECONDS, "A. Analyst", "disk lost", MILLISECONDS)


def test_a_gap_is_seen_until_the_longest_window_that_reaches_it_is_over(rules: Rules) -> None:
    months = rules.longest_window
    assert months >= 13
    assert GAP.is_seen(LAST.date(), months)
    year, month = divmod(LAST.year * 12 + LAST.month - 1 + months, 12)
    assert GAP.is_seen(date(year, month + 1, 28), months)
    assert not GAP.is_seen(LAST.date() + timedelta(days=31 * (months + 1) + 1), months)


@pytest.mark.parametrize("lost", [12, 40_000])
def test_a_publication_says_what_the_log_has_lost_and_of_when(lost: int) -> None:
    release = october().model_copy(update={"quality": {GAP.noted: lost}})
    (said,) = quality(View(release, []))
    assert said.what == "Messages that the log has lost, case-events[1] offsets 40 to 51"
    assert said.becomes == "They were written until 2015-10-31, and no figure counts them"
    assert said.number == f"{lost:,}"
