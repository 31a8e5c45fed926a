"""Comments that give a withheld count away are stopped; harmless ones are not."""

import pytest

from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.public import Issued
from snapshots.disclosure.texts import Texts
from tests.support.disclosing import RULE, everywhere, protected, small_release, step_downs
from tests.support.wide_releases import CASES, by_provider

# Alder has a small count in one band; to protect it Birch's is withheld too, and both wholes.
COUNTS = everywhere(20, Alder_04=3, Birch_04=23, Birch_510=47)


@pytest.fixture(scope="module")
def texts() -> Texts:
    release = small_release({"step_downs": COUNTS}, "EH04")
    return Texts(release, protected(release), RULE)


def findings(texts: Texts, text: str, area: str = "Alder", code: str | None = "EH04") -> list[str]:
    return [str(it) for it in texts.findings(area, code, text)]


def withheld(texts: Texts) -> dict[CellKey, int]:
    public = texts.disclosed.public
    return {it.key: it.counted[0] for it in texts.release.cells if public.is_suppressed(it.key)}


def test_a_withheld_figure_of_any_size_is_stopped_in_digits_and_in_words(texts: Texts) -> None:
    large = {key: count for key, count in withheld(texts).items() if count > RULE.threshold}
    assert large
    for key, count in large.items():
        (found, *_) = findings(texts, f"There were {count} of them.", key.place)
        assert f"withheld, EH04 of {key.place}, " in found
        assert f"{count} of them" in found
    assert any(count == 23 for count in large.values())
    assert findings(texts, "Twenty-three were seen.", "Birch")


def test_it_is_stopped_in_a_comment_on_a_place_near_by_or_that_names_it(texts: Texts) -> None:
    assert CellKey("EH04", "Birch", "0-4") in withheld(texts)
    assert findings(texts, "Our neighbour had 23.", "Alder")
    assert findings(texts, "North had 23 in one of its districts.", "North")
    assert findings(texts, "In Birch there were 23.", "Damson", None)
    assert findings(texts, "Elsewhere there were 23.", "Damson", "EH04")
    assert not findings(texts, "We met 23 partners.", "Damson", None)


def test_what_compares_with_a_figure_that_is_shown_is_stopped(texts: Texts) -> None:
    shown = texts.disclosed.public.by_key[CellKey("EH04", "Birch", "unknown")]
    assert shown.value == 20
    assert findings(texts, "In Birch there were 20, and three more among the youngest.")
    assert findings(texts, "Birch: 15% more than the 20 of unknown age.")


def test_a_small_number_is_stopped_wherever_it_stands(texts: Texts) -> None:
    (found,) = findings(texts, "Three families moved away.", "Damson")
    assert found.startswith("Three, a small number")
    assert findings(texts, "\u2461 families moved away.", "Damson")


def test_what_everybody_can_read_in_the_release_is_no_secret(texts: Texts) -> None:
    top = next(it for it in texts.release.cells if (it.area, it.age_band) == ("County", ALL_AGES))
    if not texts.disclosed.public.is_suppressed(top.key):
        assert not findings(texts, f"The county had {top.numerator} in all.", "County")
    assert not findings(texts, "Cedar had 60 in all, as many as Damson.", "Damson")


def test_a_sum_from_which_a_withheld_figure_could_be_worked_out_is_stopped() -> None:
    """The sum over two districts, neither of which nor the whole of both any release shows."""
    counts = everywhere(20, Cedar_510=2, Cedar_unknown=2, Birch_04=31, Birch_unknown=4)
    release = small_release({"step_downs": {**counts, ("Damson", "unknown"): 13}}, "EH04")
    it = Texts(release, protected(release), RULE)
    hidden = withheld(it)
    both = CellKey("EH04", "Alder", "0-4"), CellKey("EH04", "Cedar", "0-4")
    assert set(both) <= hidden.keys()
    assert 40 not in hidden.values()
    found = findings(it, "Alder and Cedar had 40 in all.", "County")
    assert any("the sum of EH04 over Alder 0-4, Cedar 0-4" in each for each in found)
    assert not findings(it, "Alder and Cedar had 41 in all.", "County")


def test_a_withheld_percentage_is_stopped_as_it_is_rounded() -> None:
    figures = {
        "closures": everywhere(40, Alder_04=21),
        "closures_achieved": everywhere(30, Alder_04=17),
    }
    release = small_release(figures, "EH16")
    it = Texts(release, protected(release), RULE)
    assert CellKey("EH16", "Alder", "0-4") in withheld(it)
    assert findings(it, "81% of the youngest achieved it.", code="EH16")
    assert findings(it, "81.0 per cent achieved it.", code="EH16")
    assert not findings(it, "81.5% was our aim.", code="EH16")


BIRCH = CellKey("EH04", "Birch", "0-4")


def since(before: Release) -> Release:
    """An October with nothing small in it, which knows a September as it was released."""
    october, then = step_downs(), {it.key: it.value for it in before.cells}
    cells = [it.model_copy(update={"previous": then[it.key]}) for it in october.cells]
    return october.model_copy(update={"cells": tuple(cells)})


def test_a_figure_of_the_month_before_that_is_withheld_is_stopped() -> None:
    september = step_downs(period="2015-09", Alder_04=3, Birch_04=37, Birch_510=47)
    october = since(september)
    never_out = Texts(october, protected(october), RULE)
    earlier = protected(september).public
    assert earlier.is_suppressed(BIRCH)
    out = Issued(september, earlier)
    after = Texts(october, protected(october, out), RULE, [out])
    for it in (never_out, after):
        found = findings(it, "It was 37 in September.", "Birch")
        assert any("EH04 of Birch, 0-4, in 2015-09" in each for each in found)
        # What October says of the same children is everybody's.
        assert not findings(it, "There were 20 of them, as ever.", "Cedar")
    shown = earlier.by_key[CellKey("EH04", "Cedar", ALL_AGES)]
    assert not findings(after, f"In September they were {shown.value}.", "Cedar")


def test_a_figure_that_an_earlier_release_of_the_month_withheld_is_stopped() -> None:
    first = step_downs(Alder_04=3, Birch_04=37, Birch_510=47)
    out = Issued(first, protected(first).public)
    second = step_downs(number=2, Alder_04=3, Birch_04=38, Birch_510=47)
    it = Texts(second, protected(second, out), RULE, [out])
    assert withheld(it)[BIRCH] == 38
    for said in ("We had said 37 for Birch.", "There are 38 now."):
        assert findings(it, said, "Birch"), said


def test_a_headline_that_names_a_provider_is_held_against_what_is_withheld_of_it() -> None:
    release = by_provider([2, 31, 47] + [12, 23, 19] * 4, [0] * len(CASES))
    it = Texts(release, protected(release), RULE)
    key = CellKey("CEH04", "Poplar / Birch", ALL_AGES, "provider-district")
    assert withheld(it)[key] == 12
    (found, *_) = findings(it, "Of Poplar's cases 12 are in the north.", "County", None)
    assert "withheld, CEH04 of Poplar / Birch" in found
    assert not findings(it, "We met 12 partners.", "Damson", None)
    assert findings(it, "We met 12 of them.", "Poplar", None)
