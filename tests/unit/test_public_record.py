"""The public record: nothing goes out without it, and what is lost or altered is found."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.settings import Settings
from snapshots.disclosure.disclose import disclose
from snapshots.disclosure.public_record import record_of
from snapshots.disclosure.suppression import Rule
from snapshots.making.draft import withdrawal
from snapshots.publish.writing import PublicationFormat
from snapshots.releases.canonical import canonical
from snapshots.releases.chain import requested, seal
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import Damaged, NotAllowed, NotPublished
from streams.jobs.publishing import AskedRelease, PublicChoice
from tests.support.disclosing import ALDER, CATALOGUE, step_downs
from tests.support.public_office import TODAY, Office, talkative
from tests.support.record_topic import RecordTopic


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, RecordTopic(monkeypatch))


@pytest.fixture
def published(office: Office) -> Office:
    """September and October, both published."""
    office.release(step_downs(Alder_04=3, period="2015-09"))
    office.release(step_downs(Alder_04=4))
    office.publish("2015-09")
    office.publish("2015-10")
    return office


def test_what_goes_out_is_chained_and_kept_in_the_folder_and_in_the_topic(
    published: Office,
) -> None:
    record = record_of(published.folder.texts())
    assert [it.entry.release for it in record.entries] == ["2015-09/001", "2015-10/001"]
    assert record.entries[1].entry.before == record.entries[0].sha256
    assert published.topic.entries == published.folder.texts()
    assert published.problems() == []
    assert published.kept()["2015-10/001"].is_suppressed(ALDER)


def test_published_again_nothing_is_decided_anew(published: Office) -> None:
    before = published.folder.texts()
    published.publish()
    assert published.folder.texts() == before


def lose_an_entry(office: Office) -> None:
    shutil.rmtree(office.releases / "public/00001")


def lose_it_in_the_topic_too(office: Office) -> None:
    lose_an_entry(office)
    del office.topic.entries["public/00001"]


def alter_an_entry(office: Office) -> None:
    path = office.releases / "public/00001/entry.json"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"suppressed"', b'"reported"', 1))


def lose_its_release(office: Office) -> None:
    shutil.rmtree(office.releases / "2015-09")


@pytest.mark.parametrize("harm", [lose_it_in_the_topic_too, alter_an_entry, lose_its_release])
def test_without_the_whole_record_nothing_goes_out(
    published: Office, harm: Callable[[Office], None]
) -> None:
    published.release(step_downs(Alder_04=3, number=2))
    shutil.rmtree(published.site)
    harm(published)
    assert published.problems()
    with pytest.raises(Damaged, match=r"public/0000\d"):
        published.publish()
    assert not published.site.exists()


def test_no_entry_can_be_left_out_or_altered_anywhere_but_at_the_end(published: Office) -> None:
    published.release(step_downs(Alder_04=4, number=2))
    published.publish()
    texts = published.folder.texts()
    assert len(texts) == 3
    for name in [*texts][:-1]:
        with pytest.raises(Damaged, match="is missing before it"):
            record_of({other: text for other, text in texts.items() if other != name})
    rng = random.Random(14)
    for name, text in texts.items():
        for place in rng.sample(range(len(text)), 20):
            altered = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
            if name != [*texts][-1]:  # the hash beside the last one, and the topic, tell of that
                with pytest.raises(Damaged):
                    record_of({**texts, name: altered})


def test_an_entry_lost_in_the_folder_comes_back_from_the_topic_and_the_other_way_round(
    published: Office,
) -> None:
    whole = published.folder.texts()
    lose_an_entry(published)
    assert any("public/00001" in it for it in published.problems())
    published.publish()
    assert published.folder.texts() == whole
    published.topic.entries.clear()
    published.publish()
    assert published.topic.entries == whole


def test_without_kafka_nothing_goes_out(published: Office) -> None:
    published.topic.is_away = True
    shutil.rmtree(published.site)
    with pytest.raises(NotPublished):
        published.publish()
    assert not published.site.exists()


def test_what_went_out_before_there_was_a_record_begins_it(office: Office) -> None:
    first = step_downs(Alder_04=3)
    office.release(first)
    public = disclose(first, CATALOGUE.measure, Rule()).public
    (office.releases / "public").mkdir()
    path = office.releases / "public/2015-10-001.json"
    path.write_bytes(canonical(public.model_dump(mode="json")))
    assert office.problems() == []
    office.release(step_downs(Alder_04=6, number=2))
    office.publish()
    first_entry = record_of(office.folder.texts()).entries[0].entry
    assert first_entry.was_before
    assert first_entry.public == public
    assert office.kept()["2015-10/002"].is_suppressed(ALDER)
    path.write_bytes(canonical(public.model_copy(update={"number": 3}).model_dump(mode="json")))
    assert any("2015-10-001.json" in it for it in office.problems())


def test_the_rule_is_that_by_which_the_month_first_went_out(published: Office) -> None:
    strict = published.kept()["2015-10/001"].rule
    for choice in (PublicChoice(threshold=1), PublicChoice(zeros_shown=False)):
        with pytest.raises(NotAllowed, match="first went out with counts up to 5 suppressed"):
            published.publish(choice=choice)
    published.release(step_downs(Alder_04=4, number=2))
    with pytest.raises(NotAllowed, match="holds for good"):
        published.publish(choice=PublicChoice(threshold=1))
    published.publish(choice=PublicChoice(threshold=5))
    assert published.kept()["2015-10/002"].rule == strict


def test_a_rule_that_withholds_less_shows_nothing_that_an_earlier_month_withheld(
    office: Office,
) -> None:
    """September's count of 6 is 3 by now: October's rule would show it, September's does not."""
    office.release(step_downs(Alder_04=6, period="2015-09"))
    office.publish("2015-09")
    october = step_downs()
    late = [
        cell.model_copy(update={"previous": 3 if cell.key == ALDER else cell.value})
        for cell in october.cells
    ]
    office.release(october.model_copy(update={"cells": tuple(late)}))
    office.publish("2015-10", PublicChoice(threshold=1))
    assert office.kept()["2015-10/001"].by_key[ALDER].previous is None


def test_two_at_once_decide_one_after_the_other(published: Office) -> None:
    """The one who began first is refused; what it decided without the other never goes out."""
    published.release(step_downs(Alder_04=4, number=2))
    with published.publishing._record() as ours:
        published.topic._publisher(Settings().kafka, "caseline-public")
        entry = ours.record.next("let-out", TODAY, ours.chains[1][1])
        public = published.kept()["2015-10/001"].model_copy(update={"number": 2})
        with pytest.raises(NotPublished):
            ours.add(entry.model_copy(update={"public": public}))
    assert "2015-10/002" not in published.kept()


def test_a_text_goes_out_once_a_person_has_accepted_that_very_text(office: Office) -> None:
    office.release(talkative("We met 4 families."))
    with pytest.raises(NotAllowed, match=r"text 1 \(Alder, EH04\): 4, a small number"):
        office.publish()
    with pytest.raises(NotAllowed, match="--by"):
        office.publishing.accept("2015-10/001", 1, " ", "why")
    with pytest.raises(NotAllowed, match="no text 2"):
        office.publishing.accept("2015-10/001", 2, "A. Manager", "why")
    office.publishing.accept("2015-10/001", 0, "A. Manager", "The reason has no figure.")
    with pytest.raises(NotAllowed, match="text 1"):
        office.publish()
    office.publishing.accept("2015-10/001", 1, "A. Manager", "Guests at the open day.")
    office.publish()
    (accepted,) = [
        it.entry.accepted
        for it in record_of(office.folder.texts()).entries
        if it.entry.accepted and it.entry.accepted.text == 1
    ]
    assert (accepted.by, accepted.reason) == ("A. Manager", "Guests at the open day.")
    office.release(
        talkative("We met 4 families.").model_copy(update={"number": 2, "kind": "revised"})
    )
    with pytest.raises(NotAllowed, match="text 1"):
        office.publish()


def test_small_counts_that_keep_too_few_values_are_named_and_go_out_only_with_a_name(
    office: Office,
) -> None:
    first = step_downs(Alder_04=3, Alder_510=6, Birch_04=4, Birch_510=2)
    office.release(first)
    office.publish()
    office.release(step_downs(number=2, Alder_04=4, Alder_510=5, Birch_04=2, Birch_510=1))
    with pytest.raises(NotAllowed, match="--accept-narrow") as said:
        office.publish()
    assert "2015-10 EH04 Alder 0-4: 2 to 4" in str(said.value)
    assert "2015-10/002" not in office.kept()
    office.publish(choice=PublicChoice(narrow_by="A. Statistician"))
    entry = record_of(office.folder.texts()).entries[-1].entry
    assert entry.narrow_by == "A. Statistician"
    named = {(it.code, it.area, it.age_band, it.least, it.greatest) for it in entry.narrow}
    assert ("EH04", "Alder", "0-4", 2, 4) in named
    assert any("2 to 4" in it for it in office.told)


def withdraw(office: Office, reason: str) -> None:
    chain = ReleaseFolder(office.releases).read("2015-10")
    request = requested("2015-10", "withdrawn", "analyst", reason)
    ReleaseFolder(office.releases).write(seal(withdrawal(chain, request, TODAY)))


def test_the_reason_of_a_withdrawal_goes_out_once_accepted_and_what_was_let_out_stays_known(
    published: Office,
) -> None:
    withdraw(published, "3 brothers were counted twice.")
    with pytest.raises(NotAllowed, match="2015-10/002 --text N"):
        published.publish()
    published.publishing.accept("2015-10/002", 0, "A. Manager", "They are not from here.")
    published.publish()
    notices = sorted(path.parent.parent.name for path in published.site.rglob("scorecard.json"))
    assert notices == ["2015-09-001-public", "2015-10-001-public", "2015-10-002-public"]
    for number in (1, 2):
        path = published.site / f"2015-10-00{number}-public/json/scorecard.json"
        assert json.loads(path.read_bytes())["status"] == "withdrawn"
    with pytest.raises(NotAllowed, match="2015-10/001 was withdrawn"):
        published.publishing.public(
            AskedRelease("2015-10", 1, published.site, [PublicationFormat.JSON]), PublicChoice()
        )
    anew = step_downs(Alder_04=6, number=3).model_copy(update={"kind": "first"})
    published.release(anew)
    published.publish()
    assert published.kept()["2015-10/003"].is_suppressed(ALDER)
    path = published.site / "2015-10-003-public/json/scorecard.json"
    log = json.loads(path.read_bytes())["releases"]
    assert [it["kind"] for it in log] == ["first", "withdrawn", "first"]


def test_the_reason_of_a_withdrawal_gives_away_nothing_that_was_withheld(
    published: Office,
) -> None:
    hidden = {
        cell.counted[0]
        for cell in ReleaseFolder(published.releases).read("2015-10")[0].release.cells
        if published.kept()["2015-10/001"].is_suppressed(cell.key) and cell.counted[0] > 5
    }
    count = max(hidden)
    withdraw(published, f"In Alder there were {count + 1}, and not {count}.")
    with pytest.raises(NotAllowed, match=r"withheld, EH04 of .*, in 2015-10"):
        published.publish()
    assert not list(published.site.glob("2015-10-002*"))
    published.publishing.accept("2015-10/002", 0, "A. Manager", "It is of something else.")
    published.publish()


def test_a_withdrawal_of_what_never_went_out_is_not_told_in_public(office: Office) -> None:
    office.release(step_downs(Alder_04=4))
    withdraw(office, "3 brothers were counted twice.")
    office.release(step_downs(number=3).model_copy(update={"kind": "first"}))
    office.publish()
    path = office.site / "2015-10-003-public/json/scorecard.json"
    assert [it["number"] for it in json.loads(path.read_bytes())["releases"]] == [3]


def test_nothing_is_let_out_where_it_cannot_lie(office: Office) -> None:
    office.release(step_downs(Alder_04=4))
    (office.site / "2015-09-001-internal").mkdir(parents=True)
    with pytest.raises(NotAllowed, match="is internal"):
        office.publish()
    assert office.kept() == {}
