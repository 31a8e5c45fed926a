"""Releases: frozen deterministically, reconciled with the log, explained and chained."""

import gzip
import json
import os
import subprocess
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given, settings

from processors.rules import Rules
from schemas.areas import Areas
from schemas.catalogue import Catalogue, load_catalogue
from schemas.cells import CellKey
from snapshots.checking.differences import Explanation, differences
from snapshots.checking.made_with import question_of
from snapshots.checking.question import LogQuestion
from snapshots.checking.reconciliation import check_equal
from snapshots.making.draft import Draft
from snapshots.making.freeze import as_of_period, frozen_cells
from snapshots.releases.chain import Sealed, requested, seal, unseal
from snapshots.releases.release_failures import NotAllowed, NotReconciled
from streams.kafka.eventfiles import EventLine, read_events
from tests.support.frozenlogs import FrozenLog, changed_cells
from tests.support.october_events import (
    OCTOBER_EVENTS,
    Fields,
    closures_achieved,
    late_plan,
    line_of,
)
from tests.support.strategies import SOUTH_EAST, History, histories

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def october_lines() -> list[EventLine]:
    return [line for judged in read_events(OCTOBER_EVENTS) for line in judged.good]


@pytest.fixture(scope="module")
def october_events() -> list[Fields]:
    return [json.loads(line) for line in gzip.open(OCTOBER_EVENTS)]


@pytest.fixture(scope="module")
def first_releases(rules: Rules, october_lines: list[EventLine]) -> dict[str, Sealed]:
    """The first releases of September and October, by period."""
    log = FrozenLog(rules, october_lines)
    return {period: log.release(period) for period in ("2015-09", "2015-10")}


@pytest.fixture(scope="module")
def first_release(first_releases: dict[str, Sealed]) -> Sealed:
    """That of October."""
    return first_releases["2015-10"]


@pytest.fixture
def october(rules: Rules, october_lines: list[EventLine]) -> FrozenLog:
    """The October events, to which a test may add."""
    return FrozenLog(rules, october_lines)


@pytest.fixture(scope="module")
def south_east() -> Rules:
    """The rules that ship, on the tree of areas of the histories."""
    found = [{"name": "Kent", "level": "county"}]
    for area, districts in SOUTH_EAST["Kent"].items():
        found.append({"name": area, "level": "area", "parent": "Kent"})
        found += [{"name": name, "level": "district", "parent": area} for name in districts]
    tree = {"levels": ["county", "area", "district"], "area": found}
    return Rules(load_catalogue(), Areas.model_validate(tree))


@settings(max_examples=60)
@given(histories())
def test_the_tables_and_the_definitions_from_scratch_agree_in_every_cell_of_any_history(
    south_east: Rules, history: History
) -> None:
    log = FrozenLog(south_east, history.lines)
    for day in history.dates:
        cells = frozen_cells(south_east, day, log.cut(day))
        check_equal(cells, log.evidence(log.question(day)).cells)


def in_areas(rules: Rules) -> set[str]:
    """The codes that exist for areas."""
    levels = set(rules.areas.levels)
    return {it.code for it in rules.catalogue.indicator if levels.intersection(it.levels)}


@pytest.mark.parametrize("period", ["2015-09", "2015-10"])
def test_the_october_events_reconcile(
    october: FrozenLog, first_releases: dict[str, Sealed], period: str
) -> None:
    release = first_releases[period].release
    assert len(release.cells) == 4_081
    assert {it.code for it in release.cells if it.area == "Kent"} == in_areas(october.rules)
    assert release.as_of == as_of_period(period)
    assert release.cut == october.positions
    assert release.changes == ()


def test_a_frozen_september_is_what_october_calls_previous(
    first_releases: dict[str, Sealed], first_release: Sealed
) -> None:
    september = {it.key: it for it in first_releases["2015-09"].release.cells}
    for cell in first_release.release.cells:
        assert cell.previous == september[cell.key].value


def test_a_difference_in_one_cell_refuses_the_release_and_names_the_cell(
    first_release: Sealed,
) -> None:
    cells = list(first_release.release.cells)
    wrong = cells[7].model_copy(update={"numerator": cells[7].counted[0] + 1})
    with pytest.raises(NotReconciled, match=f"{wrong.code} {wrong.area} {wrong.age_band}") as said:
        check_equal([*cells[:7], wrong, *cells[8:]], cells)
    assert "1 of 4,081 cells" in str(said.value)


def test_the_same_offsets_give_the_same_bytes_on_another_machine(
    rules: Rules, october_lines: list[EventLine], first_release: Sealed, tmp_path: Path
) -> None:
    """Another process, hash seed, time zone and locale, and another history of arrival."""
    script = (
        "import sys\n"
        "from processors.rules import Rules\n"
        "from schemas.areas import load_areas\n"
        "from schemas.catalogue import Catalogue, load_catalogue\n"
        "from schemas.places import load_places\n"
        "from tests.support.frozenlogs import FrozenLog\n"
        "from streams.kafka.eventfiles import read_events\n"
        "from tests.support.october_events import OCTOBER_EVENTS\n"
        "rules = Rules(load_catalogue(), load_areas(), places=load_places())\n"
        "lines = [line for judged in read_events(OCTOBER_EVENTS) for line in judged.good]\n"
        "sys.stdout.buffer.write(FrozenLog(rules, lines).release('2015-10').text)\n"
    )
    elsewhere = {
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **elsewhere},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )
    assert done.stdout == first_release.text


def test_late_and_corrected_events_change_exactly_the_cells_they_bear_on(
    october: FrozenLog, october_events: list[Fields], first_release: Sealed
) -> None:
    notification, plan = late_plan(october_events)
    same_case = {"subject": plan["subject"], "partitionkey": plan["partitionkey"]}
    october.add(
        [
            line_of(**plan),
            line_of(**same_case, id="w", type="worker.assigned"),  # bears on no figure
            line_of(**notification),  # a duplicate
        ]
    )
    before = first_release.text
    revised = october.release("2015-10", "revised", [first_release], "A plan came late.")

    release = revised.release
    assert (release.number, release.previous_release) == (2, first_release.sha256)
    assert first_release.text == before
    band = next(it.age_band for it in release.changes if it.age_band != "all")
    assert {it.age_band for it in release.changes} == {"all", band}
    assert {it.area for it in release.changes} == {"Kent", "East", "Thanet"}
    codes = {it.code for it in release.changes}
    assert {"EH07", "EH08", "EH11"} <= codes <= {"EH07", "EH08", "EH09", "EH11"}
    assert {cause.id for it in release.changes for cause in it.causes} == {"late-plan"}
    assert all(len(it.causes) == 1 for it in release.changes)
    unequal = differences(first_release.release.cells, release.cells)
    assert changed_cells(release) == {it.cell.key for it in unequal if it.is_of_the_figure}


def test_a_correction_and_a_retraction_are_named_as_the_causes_of_what_they_change(
    october: FrozenLog, october_events: list[Fields], first_release: Sealed
) -> None:
    closure, other = closures_achieved(october_events)[:2]
    october.add(
        [
            line_of(**{**closure, "revision": 1, "data": {"outcome": "Disengaged"}}),
            line_of(
                id="gone",
                type="event.retracted",
                source=other["source"],
                partitionkey=other["partitionkey"],
                data={"retracts": other["id"]},
            ),
        ]
    )
    changes = october.release("2015-10", "corrected", [first_release], "Wrong.").release.changes
    kent = {it.code: it for it in changes if it.area == "Kent" and it.age_band == "all"}
    assert {cause.id for cause in kent["EH16"].causes} == {closure["id"], "gone"}
    assert {cause.id for cause in kent["EH15"].causes} == {"gone"}
    assert kent["EH15"].after == (kent["EH15"].before or 0) - 1
    assert {cause.revision for cause in kent["EH16"].causes} == {0, 1}


def test_an_event_of_the_month_before_explains_the_previous_figure_it_changes(
    october: FrozenLog, first_release: Sealed
) -> None:
    notified: Fields = {
        "id": "n",
        "type": "notification.received",
        "partitionkey": "new",
        "subject": "new",
        "time": "2015-09-10T10:00:00+01:00",
        "data": {"notification_type": "EHN", "district": "Dover", "date_of_birth": "2010-01-01"},
    }
    october.add([line_of(**notified)])
    revised = october.release("2015-10", "revised", [first_release], "Late.").release
    assert "EH01" not in {it.code for it in revised.changes}
    (found,) = (
        it
        for it in differences(first_release.release.cells, revised.cells)
        if it.cell.key == CellKey("EH01", "Dover", "5-10")
    )
    assert "previous" in found.fields
    rules, cut = october.rules, first_release.release.cut
    as_of, areas = revised.as_of, rules.areas
    evidence = october.evidence(LogQuestion(rules.catalogue, areas, as_of, revised.cut, cut))
    explanation = Explanation(rules.catalogue, areas, as_of, evidence, cut)
    assert [cause.id for cause in explanation.causes(found.cell, "previous")] == ["n"]


def target(identity: str, **data: object) -> EventLine:
    return line_of(
        id=identity, type="target.set", time="2015-04-01T00:00:00Z", data={"year": 2015, **data}
    )


def test_targets_that_are_dated_too_late_to_count_are_named(rules: Rules) -> None:
    late = {"time": "2015-11-02T09:00:00Z", "type": "target.set"}
    said = [
        line_of(id="late", **late, data={"year": 2015, "code": "EH14", "target": 80}),
        line_of(
            id="own", **late, data={"year": 2015, "code": "EH09", "area": "Dover", "target": 5}
        ),
        line_of(id="next", **late, data={"year": 2016, "code": "EH14", "target": 85}),
        target("in time", code="EH14", target=75),
    ]
    log = FrozenLog(rules, said)
    request = requested("2015-10", "first", "analyst", None)
    draft = Draft(request, date(2015, 11, 9), rules, [], log.cut(date(2015, 10, 31)))
    assert draft.notes == [
        "EH09 Dover: a target of 5 set on 2015-11-02 is after 2015-10-31, and is left out",
        "EH14 Kent: a target of 80 set on 2015-11-02 is after 2015-10-31, and is left out",
    ]


def test_targets_rate_the_cells_they_are_set_for_and_commentary_is_part_of_the_release(
    october: FrozenLog, first_release: Sealed
) -> None:
    cells = {(it.code, it.area): it for it in first_release.release.cells if it.age_band == "all"}
    at_the_target = cells["EH16", "Kent"].value
    assert at_the_target is not None

    def written(identity: str, **data: object) -> EventLine:
        said = {"area": "Kent", "period": "2015-10", "author_role": "Head", "text": identity}
        when = "2015-11-20T00:00:00Z"
        return line_of(id=identity, type="commentary.written", time=when, data={**said, **data})

    october.add(
        [
            target("1", code="EH15", target=10_000, amber=cells["EH15", "Kent"].value),
            target("2", code="EH13", area="Thanet", target=0, amber=10_000),
            target("3", code="EH16", target=100, amber=99),
            target("4", code="EH17", target=cells["EH17", "Kent"].value),
            target("5", code="EH14", year=2016, target=50),
            written("headline"),
            written("about a figure", code="EH05"),
            written("another month", period="2015-09"),
        ]
    )
    one_scheme = october.rules.catalogue.model_copy(update={"scheme": ()})
    against_targets = FrozenLog(Rules(one_scheme, october.rules.areas, places=october.rules.places))
    against_targets.records = october.records
    release = against_targets.release("2015-10", "revised", [first_release], "Targets.").release
    rated = {it.key: it.rag for it in release.cells if it.target is not None}
    assert rated == {
        CellKey("EH13", "Thanet", "all"): "Amber",
        CellKey("EH15", "Kent", "all"): None,  # neither more nor fewer closures is better
        CellKey("EH16", "Kent", "all"): "Red",
        CellKey("EH17", "Kent", "all"): "Green",
    }
    assert [(it.code, it.text) for it in release.commentary] == [
        (None, "headline"),
        ("EH05", "about a figure"),
    ]
    assert release.changes == ()


@pytest.mark.parametrize("scheme", ["previous", "target"])
def test_ratings_reconcile_under_either_scheme_with_tolerances_of_the_catalogue(
    rules: Rules, october_lines: list[EventLine], scheme: str
) -> None:
    shipped = rules.catalogue
    tolerant = [it.model_copy(update={"amber": 5.5}) for it in shipped.indicator]
    changed = shipped.model_copy(update={"rag": scheme, "scheme": (), "indicator": tuple(tolerant)})
    log = FrozenLog(Rules(changed, rules.areas), october_lines)
    log.add(target(code, code=code, target=75.5) for code in ("EH14", "EH16", "EH18", "EH10"))
    release = log.release("2015-10").release
    rated = {(it.code, it.area): it for it in release.cells if it.rag is not None}
    assert {it.rag for it in rated.values()} >= {"Green", "Amber"}
    assert {it.age_band for it in rated.values()} == {"all"}
    if scheme == "target":
        assert rated.keys() == {(code, "Kent") for code in ("EH10", "EH14", "EH16", "EH18")}
    for cell in rated.values() if scheme == "previous" else ():
        assert cell.value is not None
        assert cell.previous is not None
        polarity = next(it.polarity for it in tolerant if it.code == cell.code)
        better = cell.value - cell.previous if polarity == "H" else cell.previous - cell.value
        printed = "Green" if better > 0 else "Amber" if better >= -5.5 else "Red"
        assert cell.rag == printed or min(abs(better), abs(better + 5.5)) <= 0.1


def test_what_is_no_case_is_no_odd_case(october: FrozenLog, first_release: Sealed) -> None:
    opened: Fields = {"id": "o", "type": "scs.opened", "data": {"origin": "referral"}}
    october.add([line_of(**opened), line_of(id="e", type="registration.ended")])
    question = LogQuestion(
        october.rules.catalogue.released,
        october.rules.areas,
        as_of_period("2015-10"),
        october.positions,
    )
    assert october.evidence(question).quality == first_release.release.quality


def test_a_population_published_late_explains_the_rates_that_rest_on_it(
    october: FrozenLog, first_release: Sealed
) -> None:
    cell = next(
        it for it in first_release.release.cells if it.key == CellKey("EH02", "Dover", "all")
    )
    data = {"area": "Dover", "age_band": "all", "year": 2015, "count": cell.counted[1] + 1_000}
    when = "2015-10-30T00:00:00Z"
    october.add([line_of(id="late", type="population.published", time=when, data=data)])
    release = october.release("2015-10", "revised", [first_release], "Population.").release
    assert changed_cells(release) == {CellKey(it, "Dover", "all") for it in ("EH02", "SCS02")}
    assert [cause.id for cause in release.changes[0].causes] == ["late"]


def test_a_release_that_the_chain_does_not_allow_is_refused(
    october: FrozenLog, first_release: Sealed
) -> None:
    with pytest.raises(NotAllowed, match="reason"):
        october.release("2015-10", "revised", [first_release], "  ")


def test_a_release_is_computed_again_by_the_rules_it_keeps_whatever_rules_there_are_now(
    rules: Rules, october: FrozenLog, october_lines: list[EventLine], first_release: Sealed
) -> None:
    """Once EH09 gave units five weeks, and 30 October was a bank holiday."""
    text = (files("schemas") / "data/catalogue.toml").read_text()
    assert "at_most = 28" in text
    changed = catalogue_of_text(text.replace("at_most = 28", "at_most = 35"))
    old = Rules(changed, rules.areas, places=rules.places)
    made = FrozenLog(old, october_lines).release("2015-10").release
    kept = unseal("2015-10/001", seal(made).text).release
    assert kept == made
    again = october.evidence(question_of(kept, rules.catalogue)).cells
    check_equal(list(kept.cells), again)
    now = first_release.release
    assert {it.cell.code for it in differences(now.cells, again)} == {"EH09"}

    longer = now.model_copy(update={"bank_holidays": (*now.bank_holidays, date(2015, 10, 30))})
    again = october.evidence(question_of(longer, rules.catalogue)).cells
    moved = {it.cell.code for it in differences(now.cells, again)}
    in_working_days = {"CEH06", "CEH07", "CEH08", "CEH67", "CEH68", "CEH69"}
    assert "EH13" in moved <= {"EH13", "EH14", "EH19", "EH20"} | in_working_days


def test_a_release_that_kept_no_rules_needs_the_catalogue_it_names(
    rules: Rules, first_release: Sealed
) -> None:
    old = first_release.release.model_copy(
        update={"format": 1, "measures": (), "bank_holidays": ()}
    )
    same = question_of(old, rules.catalogue)
    assert same.catalogue == rules.catalogue.released
    with pytest.raises(NotAllowed, match="CASELINE_CATALOGUE_FILE"):
        question_of(old, rules.catalogue.model_copy(update={"version": "another"}))


def catalogue_of_text(text: str) -> Catalogue:
    with NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        return load_catalogue(Path(file.name))
