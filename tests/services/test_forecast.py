"""`caseline alerts forecast` on a real Redis: what breaches by a date if nothing happens."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from schemas.settings import Settings
from streams.cli import app
from streams.kafka.batches import TP
from streams.state.reading import partitions_key
from streams.state.store import Advance, Head, ShardStore
from tests.support.opencases import line, open_case
from tests.support.servers import Server

pytestmark = pytest.mark.services

NOON = datetime(2015, 10, 20, 12, tzinfo=UTC)
CONTACT_LATE = datetime(2015, 10, 1, 9, tzinfo=UTC)  # a first contact was due on 15 October
DOVER = {"notification_type": "EHN", "district": "Dover"}
Forecast = Callable[..., Result]


async def _store(settings: Settings, rules: Rules) -> None:
    """Three open cases, one of them in Dover; their plans are due on 29 and 31 October."""
    lines = [
        line("child-1", "case-1", "notification.received", CONTACT_LATE, **DOVER),
        line("child-1", "case-1", "case.allocated", CONTACT_LATE, service="unit"),
        *open_case(2, CONTACT_LATE),
        *open_case(3, datetime(2015, 10, 3, 9, tzinfo=UTC)),
    ]
    events = decode(CASE_TOPIC, [it.message for it in lines]).events
    state = Partition(rules)
    state.fold_unstored(events)
    async with Redis.from_url(settings.redis_url) as redis:
        members: list[str] = [f"{CASE_TOPIC}:0"]
        await redis.sadd(partitions_key(settings.deployment), *members)
        store = ShardStore(redis, settings.deployment, TP(CASE_TOPIC, 0), rules)
        await store.commit(Head(), state.settle(), state.tables, Advance({CASE_TOPIC: 1}, 0, {}))


@pytest.fixture
def forecast(redis_server: Server, deployment: str, rules: Rules) -> Forecast:
    """Runs the command at noon of 20 October 2015."""
    settings = Settings(redis_url=redis_server.address, deployment=deployment)
    asyncio.run(_store(settings, rules))
    environment = {
        "CASELINE_REDIS_URL": settings.redis_url,
        "CASELINE_DEPLOYMENT": deployment,
        "CASELINE_CLOCK_FROM": NOON.isoformat(),
        "COLUMNS": "200",
    }

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["alerts", "forecast", *arguments], env=environment)
        assert result.exit_code == code, result.output
        return result

    return run


ON = ("--on", "2015-10-30", "--on", "2015-11-01")


def test_each_form_has_the_same_figures(forecast: Forecast) -> None:
    chosen = ("--area", "Kent", "--area", "Dover", "--standard", "unit-plan", *ON)
    kent = {"2015-10-30": 2, "2015-11-01": 3}
    dover = {"2015-10-30": 1, "2015-11-01": 1}
    rows = json.loads(forecast(*chosen, "--format", "json").stdout)
    assert [(it["area"], it["provider"], it["now"], it["later"]) for it in rows] == [
        ("Kent", None, 0, kent),
        ("Dover", None, 0, dover),
    ]
    table = list(csv.DictReader(io.StringIO(forecast(*chosen, "--format", "csv").stdout)))
    assert [(it["area"], it["now"], it["2015-10-30"], it["2015-11-01"]) for it in table] == [
        ("Kent", "0", "2", "3"),
        ("Dover", "0", "1", "1"),
    ]
    shown = [line.split() for line in forecast(*chosen).stdout.splitlines() if "unit-plan" in line]
    assert shown == [
        ["unit-plan", "Kent", "0", "2", "(+2)", "3", "(+3)"],
        ["unit-plan", "Dover", "0", "1", "(+1)", "1", "(+1)"],
    ]


def test_what_is_breached_already_is_told_with_it(forecast: Forecast) -> None:
    chosen = ("--area", "Kent", "--standard", "unit-contact", "--format", "json")
    (row,) = json.loads(forecast(*chosen).stdout)
    assert row["now"] == 3
    assert row["later"] == {"2015-10-27": 3, "2015-11-03": 3, "2015-11-17": 3}


def test_without_a_choice_every_standard_and_area_is_there(
    forecast: Forecast, rules: Rules
) -> None:
    rows = json.loads(forecast("--format", "json").stdout)
    assert len(rows) == len(rules.standards.standard) * len(rules.areas.names)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--area", "Atlantis"), "Atlantis: there are Kent"),
        (("--provider", "Porchlight"), "Porchlight: there are none"),
        (("--standard", "unit-tea"), "unit-tea: there are unit-contact"),
        (("--on", "2015-10-20"), "2015-10-20: not after today"),
        (("--on", "2014-01-01", "--on", "2015-11-01"), "2014-01-01: not after today"),
        (("--on", "2200-01-01"), "2200-01-01: not before 2200"),
        (("--on", "soon"), "soon"),
    ],
)
def test_what_cannot_be_forecast_is_refused(
    arguments: tuple[str, ...], said: str, forecast: Forecast
) -> None:
    refused = " ".join(forecast(*arguments, code=2).stderr.split())
    assert said in refused.replace("│ ", "").replace(" │", "")


def test_the_last_day_of_all_can_be_forecast(forecast: Forecast) -> None:
    forecast("--on", "2199-12-31")
