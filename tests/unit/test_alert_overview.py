"""What a team lead reads at nine: counts, and a line for each case, the longest overdue first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processors.alerts.overview import (
    Count,
    WantedAlerts,
    day_begins,
    days_overdue,
    is_new,
    overview,
)
from schemas.alerts import CaseChange
from tests.support.alerting import change, indicator

TODAY = date(2015, 10, 20)
SINCE = day_begins(TODAY)
ALL = WantedAlerts()


def test_a_case_is_one_line_with_its_alerts_and_the_longest_overdue_come_first() -> None:
    found = overview(
        [
            change(1, breached_from="2015-10-19", due="2015-10-16"),
            change(2, breached_from="2015-10-12", due="2015-10-09", worker="W2"),
            change(
                3, child="P2", case="C2", standard="unit-plan", due="2015-11-01", state="due-soon"
            ),
            change(4, severity="critical", state="due-soon", due="2015-10-25"),
        ],
        ALL,
        TODAY,
        SINCE,
    )
    assert [it.first.case for it in found.cases] == ["C4", "C2", "C1"]
    second = found.cases[1]
    assert [it.standard for it in second.alerts] == ["unit-contact", "unit-plan"]
    assert (second.worker, second.days_overdue(TODAY), second.due) == ("W2", 9, date(2015, 10, 9))
    assert found.cases[0].days_overdue(TODAY) == 0
    assert found.total == 4


def test_new_is_what_came_into_its_state_since_yesterdays_close_whenever_it_is_dated() -> None:
    before, after = SINCE - timedelta(seconds=1), SINCE
    learnt_late = change(1, since="2015-09-01", stand_learnt=after)
    known = change(2, since="2015-09-01", stand_learnt=before)
    assert [is_new(it, SINCE) for it in (learnt_late, known)] == [True, False]
    # Where it is not known when it was learnt, the day counts from which it is so.
    assert is_new(change(3, since="2015-10-20"), SINCE)
    assert not is_new(change(4, since="2015-10-19"), SINCE)


def test_counts_are_by_standard_and_owner() -> None:
    found = overview(
        [
            change(1, stand_learnt=SINCE),
            change(2, stand_learnt=SINCE - timedelta(days=1)),
            change(3, state="due-soon", owner="Unit B"),
            indicator(),
        ],
        ALL,
        TODAY,
        SINCE,
    )
    assert found.counts == [
        Count("open-within-20-weeks", "area", "Dover", 1, 0, 1),
        Count("unit-contact", "team", "Unit A", 2, 0, 1),
        Count("unit-contact", "team", "Unit B", 0, 1, 0),
    ]


def test_what_is_asked_for_may_be_new_or_due_before_a_day() -> None:
    late = change(1, due="2015-10-15", stand_learnt=datetime(2015, 10, 19, 12, tzinfo=UTC))
    fresh = change(2, due="2015-10-16", stand_learnt=datetime(2015, 10, 20, 12, tzinfo=UTC))
    figure = indicator(stand_learnt=datetime(2015, 10, 20, 12, tzinfo=UTC))

    def asked(**wanted: Any) -> list[str]:
        return [it.alert for it in WantedAlerts(**wanted).among((late, fresh, figure))]

    assert asked(since=SINCE) == [fresh.alert, figure.alert]
    assert asked(due_before=date(2015, 10, 16)) == [late.alert]
    assert asked(due_before=date(2015, 10, 17)) == [late.alert, fresh.alert]


def test_a_day_overdue_is_the_first_that_breaks_the_standard() -> None:
    monday = change(due="2015-10-16", breached_from="2015-10-19")
    assert days_overdue(monday, date(2015, 10, 19)) == 1
    assert days_overdue(change(state="due-soon", due="2015-10-16"), date(2015, 10, 18)) == 0


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.sampled_from(["due-soon", "breached"]),
            st.sampled_from(["unit-contact", "unit-plan"]),
            st.sampled_from(["A", "B"]),
            st.booleans(),
        )
    )
)
def test_nothing_is_lost_between_the_alerts_the_counts_and_the_lines(
    drawn: list[tuple[int, str, str, str, bool]],
) -> None:
    changes: list[CaseChange] = [
        change(
            number,
            case=f"C{case}",
            child="P",
            state=state,
            standard=standard,
            owner=owner,
            stand_learnt=SINCE - timedelta(hours=0 if is_recent else 1),
        )
        for number, (case, state, standard, owner, is_recent) in enumerate(drawn)
    ]
    found = overview(changes, ALL, TODAY, SINCE)
    assert sum(it.breached + it.due_soon for it in found.counts) == len(drawn) == found.total
    assert sum(it.new for it in found.counts) == sum(it[4] for it in drawn)
    listed = [it.alert for line in found.cases for it in line.alerts]
    assert sorted(listed) == sorted(it.alert for it in changes)
    assert len(found.cases) == len({it[0] for it in drawn})
