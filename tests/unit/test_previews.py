"""A preview says what would go out, keeps nothing, and is what is published or nothing is."""

from pathlib import Path

import pytest

from snapshots.making.draft import withdrawal
from snapshots.releases.chain import requested, seal
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import Damaged, NotAllowed
from streams.jobs.publishing import PublicChoice
from tests.support.disclosing import ALDER, step_downs
from tests.support.public_office import TODAY, Office, talkative
from tests.support.record_topic import RecordTopic


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, RecordTopic(monkeypatch))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(it.relative_to(folder)): it.read_bytes()
        for it in folder.rglob("*")
        if it.is_file() and not it.name.startswith(".")
    }


def test_a_preview_says_what_is_suppressed_and_why_and_leaves_nothing(office: Office) -> None:
    office.release(step_downs(Alder_04=3))
    before = files(office.releases)
    preview = office.publishing.preview(office.asked(), PublicChoice())
    assert (files(office.releases), office.topic.entries) == (before, {})
    assert not office.site.exists()
    why = {(it.code, it.area, it.age_band): it.reason for it in preview.withheld}
    assert why[ALDER[:3]] == "small-count"
    assert "secondary" in why.values()
    assert (preview.is_out, preview.since, preview.texts, preview.narrow) == (False, None, (), ())

    office.publishing.public(office.asked(), PublicChoice(), preview.sha256)
    out = office.kept()["2015-10/001"]
    assert {it.key[:3] for it in out.cells if it.status == "suppressed"} == why.keys()


def test_what_is_published_as_previewed_is_what_the_command_publishes(office: Office) -> None:
    office.release(step_downs(Alder_04=3))
    preview = office.publishing.preview(office.asked(), PublicChoice())
    office.publishing.public(office.asked(), PublicChoice(), preview.sha256)
    by_preview = files(office.site)
    entries = office.folder.texts()
    # Asked for again, as by a program that had no answer, it is the same.
    office.publishing.public(office.asked(), PublicChoice(), preview.sha256)
    office.publish()
    assert files(office.site) == by_preview
    assert office.folder.texts() == entries
    again = office.publishing.preview(office.asked(), PublicChoice())
    assert again.is_out
    assert again.sha256 == preview.sha256
    assert {it.reason for it in again.withheld} == {None}


def test_nothing_goes_out_where_anything_has_moved_since_the_preview(office: Office) -> None:
    office.release(step_downs(Alder_04=3))
    preview = office.publishing.preview(office.asked(), PublicChoice())
    office.release(step_downs(Alder_04=4, period="2015-09"))
    office.publish("2015-09")
    for choice, hashed in (
        (PublicChoice(), preview.sha256),
        (PublicChoice(zeros_shown=False), preview.sha256),
        (PublicChoice(), "0" * 64),
    ):
        with pytest.raises(NotAllowed, match="Preview it again"):
            office.publishing.public(office.asked(), choice, hashed)
    assert office.kept().keys() == {"2015-09/001"}
    fresh = office.publishing.preview(office.asked(), PublicChoice())
    office.publishing.public(office.asked(), PublicChoice(), fresh.sha256)
    assert office.kept().keys() == {"2015-09/001", "2015-10/001"}


def test_another_release_of_the_month_is_previewed_against_what_went_out(office: Office) -> None:
    office.release(step_downs(Alder_04=3))
    office.publish()
    office.release(step_downs(Alder_04=3, Cedar_510=90, number=2))
    preview = office.publishing.preview(office.asked(), PublicChoice())
    assert (preview.number, preview.since) == (2, "2015-10/001")


def test_narrow_counts_are_previewed_with_their_range_and_go_out_only_with_a_name(
    office: Office,
) -> None:
    office.release(step_downs(Alder_04=3, Alder_510=6, Birch_04=4, Birch_510=2))
    office.publish()
    office.release(step_downs(number=2, Alder_04=4, Alder_510=5, Birch_04=2, Birch_510=1))
    preview = office.publishing.preview(office.asked(), PublicChoice())
    assert ("Alder", "0-4", 2, 4) in {
        (it.area, it.age_band, it.least, it.greatest) for it in preview.narrow
    }
    with pytest.raises(NotAllowed, match="--accept-narrow"):
        office.publishing.public(office.asked(), PublicChoice(), preview.sha256)
    office.publishing.public(office.asked(), PublicChoice(narrow_by="P"), preview.sha256)
    assert office.publishing.preview(office.asked(), PublicChoice()).sha256 == preview.sha256


def test_a_text_that_stops_it_is_previewed_and_accepting_it_takes_another_preview(
    office: Office,
) -> None:
    office.release(talkative("We met 4 families."))
    stopped = office.publishing.preview(office.asked(), PublicChoice())
    (text,) = stopped.texts
    assert (text.release, text.number, text.where) == ("2015-10/001", 1, "Alder, EH04")
    assert "4, a small number" in text.found[0]
    with pytest.raises(NotAllowed, match="text 1"):
        office.publishing.public(office.asked(), PublicChoice(), stopped.sha256)
    office.publishing.accept(text.release, text.number, "A. Manager", "Guests at the open day.")
    with pytest.raises(NotAllowed, match="Preview it again"):
        office.publishing.public(office.asked(), PublicChoice(), stopped.sha256)
    fresh = office.publishing.preview(office.asked(), PublicChoice())
    assert fresh.texts == ()
    office.publishing.public(office.asked(), PublicChoice(), fresh.sha256)


def test_a_withdrawal_is_previewed_with_its_reason(office: Office) -> None:
    office.release(step_downs(Alder_04=3))
    office.publish()
    chain = ReleaseFolder(office.releases).read("2015-10")
    request = requested("2015-10", "withdrawn", "P", "3 brothers were counted twice.")
    ReleaseFolder(office.releases).write(seal(withdrawal(chain, request, TODAY)))
    preview = office.publishing.preview(office.asked(), PublicChoice())
    assert (preview.kind, preview.withheld) == ("withdrawn", ())
    assert [(it.release, it.where) for it in preview.texts] == [("2015-10/002", "reason")]


def test_nothing_is_previewed_beside_a_record_that_is_not_whole(office: Office) -> None:
    office.release(step_downs(Alder_04=3, period="2015-09"))
    office.publish("2015-09")
    office.release(step_downs(Alder_04=3))
    office.topic.entries["public/00001"] += b" "
    with pytest.raises(Damaged, match="different entries"):
        office.publishing.preview(office.asked(), PublicChoice())
