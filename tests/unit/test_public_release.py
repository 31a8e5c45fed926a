"""What a public release says: the rule, suppressed cells, previous values, changes, the audit."""

import pytest

from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.release import Change
from snapshots.disclosure.audit import published, unprotected
from snapshots.disclosure.counts import NotProtected
from snapshots.disclosure.disclose import disclose
from snapshots.disclosure.knowledge import gather
from snapshots.disclosure.public import Issued
from snapshots.disclosure.suppression import Rule
from tests.support.disclosing import (
    ALDER,
    CATALOGUE,
    RULE,
    everywhere,
    protected,
    small_release,
    step_downs,
    unsecured,
)


def test_a_suppressed_cell_says_that_it_is_and_nothing_else() -> None:
    cell = protected(step_downs(Alder_04=3)).public.by_key[ALDER]
    said = cell.model_dump(exclude={"code", "area", "age_band", "level"}, exclude_none=True)
    assert said == {"status": "suppressed", "previous_status": "suppressed"}


def test_the_previous_column_repeats_what_its_month_published_and_no_more() -> None:
    before, after = step_downs(Alder_04=3, period="2015-09"), step_downs()
    cells = [
        cell.model_copy(update={"previous": old.value})
        for cell, old in zip(after.cells, before.cells, strict=True)
    ]
    after = after.model_copy(update={"cells": tuple(cells)})
    earlier = protected(before).public
    for key, cell in protected(after, Issued(before, earlier)).public.by_key.items():
        assert (cell.previous is None) == earlier.is_suppressed(key)
        assert (cell.direction is None) == earlier.is_suppressed(key)
    assert all(cell.previous is None for cell in protected(after).public.cells)


@pytest.mark.parametrize(
    ("more", "shown"), [(10, [("County", 283, 293)]), (1, [])], ids=["by many", "by one"]
)
def test_changes_are_public_where_both_values_are_and_the_move_is_not_small(
    more: int, shown: list[tuple[str, int, int]]
) -> None:
    before, after = step_downs(Alder_04=3), step_downs(Alder_04=3 + more, number=2)
    changes = tuple(
        Change(code="EH04", area=area, age_band=band, before=count, after=count + more, causes=())
        for area, band, count in (("Alder", "0-4", 3), ("County", ALL_AGES, 283))
    )
    after = after.model_copy(update={"changes": changes})
    public = protected(after, Issued(before, protected(before).public)).public
    assert [(each.area, each.before, each.after) for each in public.changes] == shown
    assert "causes" not in public.model_dump_json()


@pytest.mark.parametrize(
    ("rule", "count", "is_suppressed"),
    [
        (Rule(), 0, False),
        (Rule(), 1, True),
        (Rule(), 5, True),
        (Rule(), 6, False),
        (Rule(zeros_shown=False), 0, True),
        (Rule(threshold=9), 9, True),
        (Rule(threshold=2), 3, False),
    ],
)
def test_zeros_and_the_threshold_are_the_rules(rule: Rule, count: int, is_suppressed: bool) -> None:
    public = protected(step_downs(Alder_04=count), rule=rule).public
    assert public.is_suppressed(ALDER) == is_suppressed


@pytest.mark.parametrize(
    ("rule", "achieved", "closed", "is_suppressed"),
    [
        (Rule(), 10, 20, False),
        (Rule(), 3, 20, True),  # the numerator
        (Rule(), 17, 20, True),  # the rest
        (Rule(complements=False), 17, 20, False),
        (Rule(), 0, 4, True),  # the denominator
        (Rule(), 0, 20, False),
        (Rule(), 20, 20, False),
        (Rule(zeros_shown=False), 20, 20, True),
        (Rule(least_denominator=30), 10, 20, True),
    ],
)
def test_a_percentage_goes_with_the_small_counts_that_it_rests_on(
    rule: Rule, achieved: int, closed: int, is_suppressed: bool
) -> None:
    figures = {
        "closures": everywhere(40, Alder_04=closed),
        "closures_achieved": everywhere(20, Alder_04=achieved),
    }
    public = unsecured(small_release(figures, "EH16"), rule)
    assert public.is_suppressed(CellKey("EH16", "Alder", "0-4")) == is_suppressed


def test_where_zeros_are_shown_none_is_hidden_to_protect_another_count() -> None:
    release = step_downs(0, Alder_04=3, Cedar_510=4)
    reasons = protected(release).reasons
    zeros = {cell.key for cell in release.cells if not cell.numerator}
    assert not zeros & reasons.keys()


def test_the_audit_names_what_the_proofs_do_not_protect() -> None:
    release = step_downs(Alder_04=3)
    known = gather(release, CATALOGUE.measure, RULE, ())
    shown = published(release, known, {ALDER})
    block = ("2015-10", "step_downs")
    table = known.versions[block][0] * 0
    table[0, 0] = 4
    for proofs in ([], [{block: table}]):
        assert [each.area for each in unprotected(known, shown, proofs)] == ["Alder"]


def test_a_release_that_does_not_add_up_cannot_go_out() -> None:
    release = step_downs()
    wrong = release.cells[0].model_copy(update={"numerator": 1})
    release = release.model_copy(update={"cells": (wrong, *release.cells[1:])})
    with pytest.raises(NotProtected, match="EH04 of County, all: does not add up"):
        disclose(release, CATALOGUE.measure, RULE)


def test_the_same_release_is_protected_the_same_way_every_time() -> None:
    release = step_downs(9, Alder_04=3, Cedar_510=1)
    assert protected(release)[:4] == protected(release)[:4]
