"""Late entry on a real Kafka: the log alone knows when an event arrived."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processors.days.calendar import LONDON
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services


def test_days_from_event_to_arrival_are_read_from_the_log_and_repeats_count_once(
    caseline: CommandLine, tmp_path: Path
) -> None:
    began = datetime.now(LONDON)
    happened = (began - timedelta(days=40)).astimezone(UTC)
    events = [
        {
            "specversion": "1.0",
            "id": kind,
            "source": "urn:late",
            "type": kind,
            "subject": "case",
            "partitionkey": "child",
            "time": happened.isoformat(),
            "data": data,
        }
        for kind, data in (
            ("notification.received", {"notification_type": "EHN"}),
            ("case.allocated", {"service": "unit", "provider": "Salus"}),
        )
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(it) + "\n" for it in [*events, *events]), "utf-8")
    caseline.run("ingest", path)
    run = caseline.run("quality", "--show", "arrivals", "--format", "csv")
    rows = list(csv.DictReader(run.stdout.splitlines()))
    assert [(it["type"], it["provider"], it["denominator"]) for it in rows] == [
        ("case.allocated", "all", "1"),
        ("case.allocated", "Salus", "1"),
        ("notification.received", "all", "1"),
        ("notification.received", "Salus", "1"),
    ]
    # Days of London, where clocks may have changed since; one may begin before the arrival.
    since = happened.astimezone(LONDON).date()
    days = {(it.date() - since).days for it in (began, datetime.now(LONDON))}
    assert {int(it["longest"]) for it in rows} <= days
