"""The schedule catches up: each month that is due is released in its turn, and none twice."""

import asyncio
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiokafka.errors import KafkaError as KafkaStopped
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import CollectorRegistry

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.release import Release, ReleaseKind
from schemas.settings import Settings
from snapshots.making.draft import withdrawal
from snapshots.releases import topic
from snapshots.releases.chain import (
    Request,
    Sealed,
    already,
    check_may_follow,
    requested,
    seal,
)
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import NotAllowed, NotReconciled
from streams.clock import Clock
from streams.jobs.releasing import Released
from streams.jobs.scheduling import Schedule
from streams.metrics.jobs import FreezeMetrics
from streams.state.election import Elsewhere
from streams.terminal.commands.snapshot import _keep
from tests.support.releases import chain_of

LONDON = ZoneInfo("Europe/London")
# Due on the fifth working day at 6: so of what ended in 2015, all but December's.
NEW_YEAR = datetime(2016, 1, 4, 12, tzinfo=LONDON)
AUTUMN = ["2015-08", "2015-09", "2015-10", "2015-11"]


class Office:
    """A folder of releases, and who makes them; some months fail, some are made elsewhere."""

    def __init__(self, root: Path, kind: ReleaseKind = "first") -> None:
        self.settings = Settings(releases=root, snapshot_kind=kind)
        self.folder = ReleaseFolder(root)
        self.made: list[str] = []
        self.told: list[str] = []
        self.failing: dict[str, Exception] = {}

    def run(self, now: datetime) -> Exception | None:
        return asyncio.run(
            Schedule(self.settings, self.make, lambda _: None, self.tell_failure).run(now)
        )

    async def make(self, request: Request, day: date) -> Released:
        if request.period in self.failing:
            raise self.failing[request.period]
        chain = self.folder.read(request.period)
        found = already(chain, request)
        if found:
            return Released(found, is_new=False)
        check_may_follow(chain, request)
        self.made.append(request.period)
        release: Release = chain_of(request.kind, period=request.period)[0].release
        number, before = len(chain) + 1, chain[-1].sha256 if chain else None
        fields = {"number": number, "previous_release": before, "released_on": day}
        sealed = seal(release.model_copy(update=fields))
        self.folder.write(sealed)
        return Released(sealed, is_new=True)

    def tell_failure(self, period: str, error: Exception) -> None:
        self.told.append(f"{period}: {error}")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(topic, "published", lambda _: {})
    return Office(tmp_path / "releases")


def test_where_nothing_was_released_only_the_latest_month_is(office: Office) -> None:
    assert office.run(NEW_YEAR) is None
    assert office.made == ["2015-11"]


def test_months_that_were_missed_are_made_oldest_first_and_none_twice(office: Office) -> None:
    office.folder.write(chain_of("first", period="2015-07")[0])
    office.run(NEW_YEAR)
    assert office.made == AUTUMN
    office.run(NEW_YEAR)
    office.run(NEW_YEAR.replace(day=8, hour=5))
    assert office.made == AUTUMN
    office.run(NEW_YEAR.replace(day=8, hour=6))
    assert office.made == [*AUTUMN, "2015-12"]


def test_a_hole_between_releases_is_filled_and_what_lies_before_the_oldest_is_not(
    office: Office,
) -> None:
    for period in ("2015-08", "2015-10"):
        office.folder.write(chain_of("first", period=period)[0])
    office.run(NEW_YEAR)
    assert office.made == ["2015-09", "2015-11"]


def test_of_the_years_since_an_old_release_only_the_last_months_are_made(office: Office) -> None:
    office.folder.write(chain_of("first", period="2005-01")[0])
    office.run(NEW_YEAR)
    assert (office.made[0], office.made[-1], len(office.made)) == ("2014-11", "2015-11", 13)


def test_the_topic_says_where_to_begin_when_the_folder_is_empty(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic, "published", lambda _: {"2015-09/001": b"", "2015-10/001": b""})
    office.run(NEW_YEAR)
    assert office.made == ["2015-10", "2015-11"]


def test_a_provisional_release_is_not_the_first_one(office: Office) -> None:
    for period in ("2015-08", "2015-09"):
        office.folder.write(chain_of("provisional", period=period)[0])
    office.run(NEW_YEAR)
    assert office.made == AUTUMN[1:]
    assert office.folder.names("2015-09") == ["2015-09/001", "2015-09/002"]


def premature(period: str, day: date) -> Sealed:
    """A first release of a month from before it was over, as an earlier version let one be made."""
    release = chain_of("first", period=period)[0].release
    return seal(release.model_copy(update={"released_on": day}))


def test_what_was_released_before_its_month_was_over_does_not_stand_for_the_month(
    office: Office,
) -> None:
    early = premature("2015-11", date(2015, 11, 20))
    office.folder.write(early)
    assert isinstance(office.run(NEW_YEAR), NotAllowed)
    assert (
        "2015-11/001 was made before the month was over, and has to be withdrawn" in office.told[0]
    )
    request = requested("2015-11", "withdrawn", "analyst", "Too early.")
    office.folder.write(seal(withdrawal([early], request, date(2015, 12, 1))))
    assert office.run(NEW_YEAR) is None
    assert office.folder.names("2015-11") == ["2015-11/001", "2015-11/002", "2015-11/003"]
    assert office.run(NEW_YEAR) is None
    assert office.made == ["2015-11"]


def test_a_month_that_somebody_withdrew_is_left_to_people(office: Office) -> None:
    for sealed in chain_of("first", "withdrawn", period="2015-11"):
        before = office.folder.read("2015-11")
        fields = {
            "released_on": date(2015, 12, 8),
            "previous_release": before[-1].sha256 if before else None,
        }
        office.folder.write(seal(sealed.release.model_copy(update=fields)))
    assert office.run(NEW_YEAR) is None
    assert office.made == []


def test_a_month_that_fails_is_told_keeps_no_other_and_is_tried_again(office: Office) -> None:
    office.folder.write(chain_of("first", period="2015-07")[0])
    office.failing = {
        "2015-09": NotReconciled("1 cell differs"),
        "2015-10": Elsewhere("another process is making it"),
    }
    assert office.run(NEW_YEAR) is office.failing["2015-09"]
    assert office.told == ["2015-09: 1 cell differs", "2015-10: another process is making it"]
    assert office.made == ["2015-08", "2015-11"]
    office.failing.clear()
    assert office.run(NEW_YEAR) is None
    assert office.made == ["2015-08", "2015-11", "2015-09", "2015-10"]


def test_trouble_with_kafka_is_told_and_the_schedule_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[Exception] = [KafkaException(KafkaError(KafkaError._TRANSPORT)), KafkaStopped()]

    def published(_: str) -> dict[str, bytes]:
        if troubles:
            raise troubles.pop()
        return {}

    async def slept(_: float) -> None:
        if not troubles:
            raise asyncio.CancelledError

    monkeypatch.setattr(topic, "published", published)
    monkeypatch.setattr(asyncio, "sleep", slept)
    registry = CollectorRegistry()
    metrics = FreezeMetrics(registry)
    catalogue = load_catalogue()
    rules = Rules(catalogue, load_areas())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_keep(office.settings, rules, Clock(), metrics, once=False, seconds=0.0))
    failed = registry.get_sample_value("caseline_snapshot_runs_total", {"outcome": "failed"})
    assert failed == 2


def test_a_month_that_kafka_fails_is_told_and_keeps_no_other(office: Office) -> None:
    office.folder.write(chain_of("first", period="2015-09")[0])
    office.failing = {"2015-10": KafkaStopped("away")}
    assert office.run(NEW_YEAR) is office.failing["2015-10"]
    assert office.made == ["2015-11"]
