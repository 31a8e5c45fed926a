"""Releases as they are kept: canonical bytes, the chain, the folder, and what is due when."""

import json
import random
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.days.calendar import back, calendar, day_number
from processors.figures.rating import YearTarget, rating, rating_since
from schemas.catalogue import Indicator, load_catalogue
from schemas.release import FORMAT, Position, Rag, ReleaseKind
from snapshots.checking.made_with import catalogue_of
from snapshots.checking.verify import problems
from snapshots.making.draft import withdrawal
from snapshots.making.schedule import latest_due, next_due, wait
from snapshots.making.timely import check_timely
from snapshots.publish.text.view import View
from snapshots.publish.writing import publish
from snapshots.recount import days
from snapshots.releases.canonical import canonical, parsed
from snapshots.releases.chain import (
    Sealed,
    already,
    check_may_follow,
    has_news,
    requested,
    says_the_same,
    seal,
    standing,
    unseal,
)
from snapshots.releases.folder import ReleaseFolder, hash_line
from snapshots.releases.release_failures import Damaged, LaterFormat, NotAllowed, Taken
from tests.support.dying import dies
from tests.support.releases import PERIOD, chain_of, rewritten

LONDON = ZoneInfo("Europe/London")
ALL_WORKING_DAYS = days.WorkingDays(days.bank_holidays(date(2201, 12, 31)))


@pytest.fixture
def folder(tmp_path: Path) -> ReleaseFolder:
    return ReleaseFolder(tmp_path / "releases")


@pytest.fixture
def stored(folder: ReleaseFolder) -> list[Sealed]:
    """Three releases in the folder."""
    chain = chain_of("provisional", "first", "revised")
    for sealed in chain:
        folder.write(sealed)
    return chain


def found(folder: ReleaseFolder, topic: dict[str, bytes] | None = None) -> list[str]:
    return list(problems(folder, topic, folder.periods()))


@pytest.mark.parametrize(
    ("number", "text"),
    [  # RFC 8785, appendix B, and around where the notation changes
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (1424953923781206.2, "1424953923781206.2"),
        (25.0, "25"),
        (81.4, "81.4"),
        (-3, "-3"),
    ],
)
def test_numbers_are_written_as_rfc_8785_has_them(number: float, text: str) -> None:
    assert canonical(number) == text.encode()


def test_names_are_sorted_by_utf_16_and_text_is_escaped_as_little_as_may_be() -> None:
    value = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}
    order = [2, 4, 6, 7, 1, 5, 3]
    assert list(json.loads(canonical(value)).values()) == order
    assert canonical('€$\x0f\nA\'B"\\\\"/') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@given(st.recursive(st.none() | st.booleans() | st.text() | st.floats(-1e30, 1e30), st.lists))
def test_canonical_json_reads_back_as_what_was_written(value: object) -> None:
    again = json.loads(canonical(value), parse_int=float)  # as every other language reads it
    assert again == value
    assert canonical(again) == canonical(value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**53])
def test_a_number_that_json_does_not_carry_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": [number]})


@pytest.mark.parametrize("depth", [600, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_a_text_that_is_nested_too_deeply_is_refused(begin: str, end: str, depth: int) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parsed(f"{begin * depth}1{end * depth}".encode())


@given(st.dates(date(1901, 1, 1), date(2198, 1, 1)), st.integers(0, 24), st.integers(-30, 500))
def test_the_second_computations_calendar_is_the_first_ones(
    day: date, months: int, later: int
) -> None:
    start = day_number(day)
    if day.year > 1903:
        assert days.back(start, months) == back(np.array([start]), months)[0]
    there = calendar().working_days(np.array([start]), np.array([start + later]))[0]
    assert ALL_WORKING_DAYS.between(start, start + later) == there


def share(polarity: str = "H", amber: float | None = None) -> Indicator:
    """A percentage of a polarity, with a tolerance or none."""
    fields = {**load_catalogue().indicator[8].model_dump(), "polarity": polarity, "amber": amber}
    return Indicator.model_validate(fields)


@pytest.mark.parametrize(
    ("polarity", "tenths", "rag"),
    [
        ("H", 800, "Green"),  # at the target is Green
        ("H", 799, "Amber"),
        ("H", 701, "Amber"),
        ("H", 700, "Amber"),
        ("H", 699, "Red"),
        ("L", 700, "Green"),
        ("L", 800, "Green"),
        ("L", 801, "Red"),  # 70 is no tolerance for less than 80
        ("T", 800, None),
    ],
)
def test_ratings_by_polarity(polarity: str, tenths: int, rag: Rag | None) -> None:
    assert rating(share(polarity), Fraction(tenths, 10), YearTarget(80.0, 70.0)) == rag


@pytest.mark.parametrize(
    ("polarity", "tenths", "rag"),
    [("H", 750, "Amber"), ("H", 749, "Red"), ("L", 850, "Amber"), ("L", 851, "Red")],
)
def test_an_indicators_own_tolerance_holds_where_none_was_set_with_the_target(
    polarity: str, tenths: int, rag: Rag
) -> None:
    indicator, value = share(polarity, 5.0), Fraction(tenths, 10)
    assert rating(indicator, value, YearTarget(80.0, None)) == rag
    assert rating(indicator, value, YearTarget(80.0, 80.0)) == "Red"


@pytest.mark.parametrize(
    ("polarity", "tenths", "rag"),
    [
        ("H", 801, "Green"),
        ("H", 800, "Amber"),  # not better
        ("H", 780, "Amber"),
        ("H", 779, "Red"),
        ("L", 799, "Green"),
        ("L", 820, "Amber"),
        ("L", 821, "Red"),
        ("T", 800, None),
    ],
)
def test_ratings_against_the_month_before(polarity: str, tenths: int, rag: Rag | None) -> None:
    assert rating_since(share(polarity, 2.0), Fraction(tenths, 10), Fraction(80)) == rag
    assert rating_since(share(polarity, 2.0), Fraction(tenths, 10), None) is None


def test_a_rating_is_of_the_exact_value_not_of_the_printed_one() -> None:
    assert rating(share(), Fraction(7_999, 100), YearTarget(80.0, None)) == "Red"
    assert rating(share(), Fraction(801, 10), YearTarget(80.1, None)) == "Green"
    assert rating(share(), None, YearTarget(80.0, None)) is None


LEGAL: list[tuple[list[ReleaseKind], ReleaseKind]] = [
    ([], "provisional"),
    ([], "first"),
    (["provisional"], "provisional"),
    (["provisional"], "first"),
    (["first"], "final"),
    (["first"], "revised"),
    (["first", "final"], "corrected"),
    (["first", "revised"], "final"),
    (["first", "corrected"], "revised"),
    (["first"], "withdrawn"),
    (["first", "revised"], "withdrawn"),
    (["provisional"], "withdrawn"),
    (["first", "withdrawn"], "first"),
    (["first", "withdrawn"], "provisional"),
]
ILLEGAL: list[tuple[list[ReleaseKind], ReleaseKind]] = [
    ([], "final"),
    ([], "revised"),
    (["provisional"], "corrected"),
    (["first"], "first"),
    (["first"], "provisional"),
    (["first", "final"], "final"),
    (["first", "revised"], "first"),
    ([], "withdrawn"),
    (["first", "withdrawn"], "withdrawn"),
    (["first", "withdrawn"], "revised"),
]


@pytest.mark.parametrize(("before", "kind"), LEGAL)
def test_a_chain_takes_the_kinds_in_their_order(
    before: list[ReleaseKind], kind: ReleaseKind
) -> None:
    check_may_follow(chain_of(*before), requested(PERIOD, kind, "analyst", "why"))


@pytest.mark.parametrize(("before", "kind"), ILLEGAL)
def test_a_chain_refuses_kinds_out_of_their_order(
    before: list[ReleaseKind], kind: ReleaseKind
) -> None:
    with pytest.raises(NotAllowed, match=f"not {kind}"):
        check_may_follow(chain_of(*before), requested(PERIOD, kind, "analyst", "why"))


@pytest.mark.parametrize("kind", ["revised", "corrected"])
def test_a_revision_and_a_correction_need_a_reason(kind: ReleaseKind) -> None:
    with pytest.raises(NotAllowed, match="--reason"):
        requested(PERIOD, kind, "analyst", " ")


def test_the_same_request_again_is_the_same_release() -> None:
    chain = chain_of("first", "revised")
    assert already(chain, requested(PERIOD, "revised", "analyst", "reason 2")) == chain[1]
    assert already(chain, requested(PERIOD, "revised", "analyst", "another")) is None


def test_a_revision_for_the_same_reason_is_another_one_after_others_and_after_news() -> None:
    chain = chain_of("first", "revised", "corrected")
    again = requested(PERIOD, "revised", "analyst", "reason 2")
    assert already(chain, again) is None
    assert already(chain, requested(PERIOD, "first", "analyst", "reason 1")) == chain[0]
    last = chain[1].release
    ends = [position.model_copy(update={"offset": position.offset}) for position in last.cut]
    assert not has_news(last.cut, ends)
    assert has_news(last.cut, [*ends, Position(topic="case-events", partition=1, offset=1)])
    assert has_news(last.cut, [ends[0].model_copy(update={"offset": ends[0].offset + 1})])
    later = {"number": 3, "released_on": date(2016, 1, 1), "quality": {"in-the-future": 1}}
    assert says_the_same(last, last.model_copy(update=later))
    assert not says_the_same(last, chain[2].release)


def test_after_a_withdrawal_a_month_begins_anew() -> None:
    chain = chain_of("first", "revised", "withdrawn")
    assert standing(chain[:2]) == chain[:2]
    assert standing(chain) == []
    assert already(chain, requested(PERIOD, "first", "analyst", "reason 1")) is None
    assert already(chain, requested(PERIOD, "withdrawn", "analyst", "reason 3")) == chain[2]
    anew = chain_of("first", "withdrawn", "first")
    assert standing(anew) == anew[2:]


def test_a_withdrawal_is_chained_and_has_no_figures(folder: ReleaseFolder) -> None:
    chain = chain_of("first")
    request = requested(PERIOD, "withdrawn", "B. Analyst", "The feed was broken.")
    sealed = seal(withdrawal(chain, request, date(2015, 11, 9)))
    for it in (*chain, sealed):
        folder.write(it)
    assert found(folder) == []
    read = folder.read(PERIOD)[-1].release
    assert (read.kind, read.number, read.previous_release) == ("withdrawn", 2, chain[0].sha256)
    assert (read.author, read.reason, read.cells) == ("B. Analyst", "The feed was broken.", ())
    with pytest.raises(NotAllowed, match="--reason"):
        requested(PERIOD, "withdrawn", "B. Analyst", None)


@pytest.mark.parametrize(
    ("kind", "period", "released_on", "today", "complaint"),
    [
        ("first", "2015-11", date(2015, 11, 20), date(2015, 11, 20), "is not over until the end"),
        ("first", "2015-11", date(2015, 12, 1), date(2015, 11, 30), "only a provisional release"),
        ("provisional", "2015-12", date(2015, 11, 20), date(2015, 11, 20), "has not begun"),
        ("first", "2015-10", date(1999, 1, 1), date(2015, 11, 20), "and not on 1999-01-01"),
        ("first", "2015-10", date(2015, 11, 19), date(2015, 11, 20), "and not on 2015-11-19"),
        ("provisional", "2015-11", date(2019, 1, 1), date(2015, 11, 20), "and not on 2019-01-01"),
    ],
)
def test_a_release_is_made_when_its_month_is_over_and_dated_as_it_is_made(
    kind: ReleaseKind, period: str, released_on: date, today: date, complaint: str
) -> None:
    with pytest.raises(NotAllowed, match=complaint):
        check_timely(period, kind, released_on, today)


@pytest.mark.parametrize(
    ("kind", "period", "released_on", "today"),
    [
        ("first", "2015-11", date(2015, 12, 1), date(2015, 12, 1)),
        ("first", "2015-11", date(2015, 12, 24), date(2015, 12, 8)),
        ("provisional", "2015-11", date(2015, 11, 20), date(2015, 11, 20)),
        ("first", "1999-01", date(2015, 12, 1), date(2015, 12, 1)),
    ],
)
def test_a_release_may_be_made_ahead_and_before_its_month_is_over_provisionally(
    kind: ReleaseKind, period: str, released_on: date, today: date
) -> None:
    check_timely(period, kind, released_on, today)


def test_a_release_reads_back_as_it_was_written(
    stored: list[Sealed], folder: ReleaseFolder
) -> None:
    assert folder.read(PERIOD) == stored
    assert [unseal(it.name, it.text).release for it in stored] == [it.release for it in stored]
    assert found(folder, {it.name: it.text for it in stored}) == []
    done = subprocess.run(
        ["sha256sum", "--check", "release.sha256"], cwd=folder.root / stored[0].name, check=True
    )
    assert done.returncode == 0


def test_a_release_is_never_overwritten(stored: list[Sealed], folder: ReleaseFolder) -> None:
    with pytest.raises(Taken, match="2015-10/002"):
        folder.write(stored[1])
    assert [it.name for it in folder.root.iterdir()] == [PERIOD]


def test_a_changed_byte_is_named_by_its_file(stored: list[Sealed], folder: ReleaseFolder) -> None:
    rng = random.Random(3)
    text = stored[1].text
    path = folder.root / stored[1].name / "release.json"
    for place in rng.sample(range(len(text)), 25):
        changed = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        rewritten(path, changed)
        assert any(it.startswith("2015-10/002:") for it in found(folder)), place
    with pytest.raises(Damaged, match="2015-10/002"):
        folder.read(PERIOD)


def test_a_forged_release_with_a_forged_hash_breaks_the_link_after_it(
    stored: list[Sealed], folder: ReleaseFolder
) -> None:
    forged = seal(stored[1].release.model_copy(update={"author": "somebody else"}))
    rewritten(folder.root / forged.name / "release.json", forged.text)
    rewritten(folder.root / forged.name / "release.sha256", hash_line(forged.text))
    (link,) = found(folder)
    assert link.startswith("2015-10/003:")
    assert "2015-10/002" in link


def test_a_forged_last_release_differs_from_the_topic(
    stored: list[Sealed], folder: ReleaseFolder
) -> None:
    topic = {it.name: it.text for it in stored}
    forged = seal(stored[2].release.model_copy(update={"author": "somebody else"}))
    rewritten(folder.root / forged.name / "release.json", forged.text)
    rewritten(folder.root / forged.name / "release.sha256", hash_line(forged.text))
    assert found(folder, topic) == [
        "2015-10/003: the folder and the topic have different releases of that name"
    ]


def test_a_missing_release_a_missing_file_and_a_stray_one_are_named(
    stored: list[Sealed], folder: ReleaseFolder
) -> None:
    (folder.root / "2015-10/002/release.sha256").unlink()
    (folder.root / "2015-10/003/notes.txt").write_text("hello")
    said = found(folder)
    assert "2015-10/002: release.sha256 is missing" in said
    assert "2015-10/003/notes.txt: not part of a release" in said
    for path in sorted((folder.root / "2015-10/002").iterdir()):
        path.unlink()
    (folder.root / "2015-10/002").rmdir()
    assert any("2015-10/002 is missing before it" in it for it in found(folder))
    assert any(
        "in the topic but not in the folder" in it
        for it in found(folder, {it.name: it.text for it in stored})
    )


CALLS = 20  # more than are made


@pytest.mark.parametrize("fatal", range(1, CALLS + 1))
def test_a_process_that_dies_at_any_system_call_leaves_none_or_the_whole(
    folder: ReleaseFolder, fatal: int
) -> None:
    """The nth call that touches the file system is the last one that the process makes."""
    (sealed,) = chain_of("first")
    died = dies(fatal, folder.write, sealed)
    assert not died or fatal < CALLS
    names = folder.names(PERIOD)
    assert names in ([], ["2015-10/001"])
    if names:
        assert folder.read(PERIOD) == [sealed]
    else:
        folder.clear()
        folder.write(sealed)
    assert found(folder) == []
    assert sorted(it.name for it in folder.root.iterdir()) == [PERIOD]


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("now", "latest", "following"),
    [
        # five working days after 30 September 2015, a Wednesday
        ("2015-10-07T05:59:59", "2015-08", ("2015-09", "2015-10-07T06:00")),
        ("2015-10-07T06:00:00", "2015-09", ("2015-10", "2015-11-06T06:00")),
        # after a month's end that is a Saturday
        ("2015-11-01T00:00:00", "2015-09", ("2015-10", "2015-11-06T06:00")),
        # over Christmas and New Year's Day: 4 January is the first of the five
        ("2016-01-08T05:00:00", "2015-11", ("2015-12", "2016-01-08T06:00")),
        ("2016-01-08T06:00:00", "2015-12", ("2016-01", "2016-02-05T06:00")),
        # over Good Friday and Easter Monday
        ("2016-04-01T12:00:00", "2016-02", ("2016-03", "2016-04-07T06:00")),
        ("2013-04-01T12:00:00", "2013-02", ("2013-03", "2013-04-08T06:00")),
    ],
)
def test_a_month_is_due_so_many_working_days_after_its_end(
    now: str, latest: str, following: tuple[str, str]
) -> None:
    assert latest_due(london(now), 5, 6).period == latest
    assert next_due(london(now), 5, 6) == (following[0], london(following[1]))


def test_the_clock_is_londons_wherever_the_job_runs() -> None:
    before, after = (
        datetime(2015, 10, 7, 4, 59, 59, tzinfo=UTC),
        datetime(2015, 10, 7, 5, tzinfo=UTC),
    )
    assert [latest_due(it, 5, 6).period for it in (before, after)] == ["2015-08", "2015-09"]


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)), st.integers(1, 60))
def test_what_is_due_next_is_the_month_after_the_latest(naive: datetime, days: int) -> None:
    now = naive.replace(tzinfo=UTC)
    latest, following = latest_due(now, days, 6), next_due(now, days, 6)
    assert latest.at <= now < following.at
    assert latest_due(following.at, days, 6) == following


def test_the_job_never_sleeps_long_and_never_into_the_past() -> None:
    now = london("2015-10-07T06:00")
    longest = timedelta(minutes=10)
    assert wait(now, now + timedelta(days=3), longest) == 600
    assert wait(now, now + timedelta(seconds=3), longest) == 3
    assert wait(now, now - timedelta(seconds=3), longest) == 0


# Releases as earlier versions of the format had them, byte for byte; they are never made again.
EARLIER_FORMATS = (1, 2, 3, 4)


def of_format(number: int, folder: ReleaseFolder) -> bytes:
    """Put a release of an earlier format into the folder; its text."""
    path = folder.root / "2015-10/001"
    shutil.copytree(Path(__file__).parents[1] / f"data/release-format-{number}", path)
    return (path / "release.json").read_bytes()


@pytest.fixture
def of_format_1(folder: ReleaseFolder) -> bytes:
    """A release of format 1 in the folder."""
    return of_format(1, folder)


@pytest.mark.parametrize("number", EARLIER_FORMATS)
def test_a_release_of_an_earlier_format_is_proved_and_published_as_it_was_written(
    folder: ReleaseFolder, tmp_path: Path, number: int
) -> None:
    text = of_format(number, folder)
    assert found(folder, {"2015-10/001": text}) == []
    (sealed,) = folder.read(PERIOD)
    assert (sealed.release.format, sealed.text) == (number, text)
    view = View(sealed.release, stored=sealed.text)
    files = {path.name: path for path in publish(view, tmp_path / "site")}
    assert files["release-internal.json"].read_bytes() == text
    assert json.loads(files["scorecard-internal.json"].read_bytes())["sha256"] == sealed.sha256


def test_a_release_of_format_2_keeps_the_catalogue_it_was_made_with(folder: ReleaseFolder) -> None:
    of_format(2, folder)
    (sealed,) = folder.read(PERIOD)
    kept = catalogue_of(sealed.release, load_catalogue())
    assert kept.rag == "previous"
    assert {it.code for it in kept.indicator} == {"EH01", "EH14", "EH16"}
    assert kept.released == kept


def test_a_release_keeps_only_what_its_figures_rest_on() -> None:
    shipped = load_catalogue()
    assert shipped.released == shipped
    first = {f"EH{it:02}" for it in range(1, 21)}
    chosen = [it.model_copy(update={"released": it.code in first}) for it in shipped.indicator]
    kept = shipped.model_copy(update={"indicator": tuple(chosen)}).released
    assert {it.code for it in kept.indicator} == first
    assert (len(kept.measure), kept.relation, kept.rests_on_places) == (21, (), False)
    assert [(it.name, it.families, it.codes) for it in kept.scheme] == [
        ("2015", ("Early Help units",), [])
    ]


@pytest.mark.parametrize("number", EARLIER_FORMATS)
def test_a_release_of_today_follows_one_of_an_earlier_format(
    folder: ReleaseFolder, number: int
) -> None:
    of_format(number, folder)
    (first,) = folder.read(PERIOD)
    later = {"format": FORMAT, "number": 2, "kind": "revised", "previous_release": first.sha256}
    later["measures"] = load_catalogue().released.measure
    folder.write(seal(first.release.model_copy(update=later)))
    assert found(folder) == []


def test_any_altered_byte_of_an_earlier_format_is_named(
    folder: ReleaseFolder, of_format_1: bytes
) -> None:
    for place in random.Random(5).sample(range(len(of_format_1)), 25):
        changed = of_format_1[:place] + bytes([of_format_1[place] ^ 1]) + of_format_1[place + 1 :]
        rewritten(folder.root / "2015-10/001/release.json", changed)
        assert found(folder) == [
            "2015-10/001: release.json does not have the hash in release.sha256"
        ]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"as_of":', b'"as_of": '),
        (b'"numerator":816', b'"numerator":816.0'),
        (b'"target":80', b'"target":8e1'),
        (b'"author":"P', b'"author":"\\u0050'),
        (b'{"age_bands"', b'{"number":1,"age_bands"'),
        (b'"period":"2015-10"', b'"period":NaN'),
        (b'"period":"2015-10"', b'"period":' + b"9" * 5000),
        (b'"period":"2015-10"', b'"period":' + b"[" * 100_000),
        (b'"period":"2015-10"', b'"period":"\\ud800"'),
        (b'"period":"2015-10"', b'"period":"\xff"'),
    ],
)
def test_another_text_of_the_same_release_is_refused(
    of_format_1: bytes, was: bytes, becomes: bytes
) -> None:
    assert was in of_format_1
    with pytest.raises(Damaged, match=r"^2015-10/001: .*not what was written"):
        unseal("2015-10/001", of_format_1.replace(was, becomes, 1))


@pytest.mark.parametrize("text", [b"{}", b"[]", b"1", b'{"format":0}', b'{"format":true}'])
def test_what_is_no_release_is_refused_though_it_is_canonical(text: bytes) -> None:
    with pytest.raises(Damaged, match="not a release"):
        unseal("2015-10/001", text)


def test_a_release_of_a_later_format_is_refused_with_what_to_do(
    folder: ReleaseFolder, of_format_1: bytes
) -> None:
    later = canonical({**json.loads(of_format_1), "format": FORMAT + 1, "something": "new"})
    with pytest.raises(LaterFormat, match=f"format {FORMAT + 1} by a later Caseline"):
        unseal("2015-10/001", later)
    rewritten(folder.root / "2015-10/001/release.json", later)
    rewritten(folder.root / "2015-10/001/release.sha256", hash_line(later))
    (said,) = found(folder)
    assert "bring it up to date" in said
