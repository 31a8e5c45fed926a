"""The Alertmanager of the tests: it tells a webhook once, and again when an alert is over."""

import json
import urllib.request
from collections.abc import Callable

from tests.support.monitoring import Running
from tests.support.patience import SECONDS
from tests.support.webhook import webhook


def raise_alert(server: Running, **fields: object) -> None:
    alert = {"labels": {"alertname": "unit-plan", "alert_id": "1"}, **fields}
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts",
        json.dumps([alert]).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        assert answer.status == 200


def test_it_tells_a_webhook_once_while_an_alert_is_on_and_once_when_it_is_over(
    alertmanager: Callable[[str], Running],
) -> None:
    with webhook() as (url, told):
        server = alertmanager(url)
        began = "2020-01-01T00:00:00Z"
        for _ in range(3):
            raise_alert(server, startsAt=began)
        assert told.get(timeout=SECONDS)["status"] == "firing"
        raise_alert(server, startsAt=began, endsAt="2020-01-02T00:00:00Z")
        assert told.get(timeout=SECONDS)["status"] == "resolved"
        assert told.empty()
