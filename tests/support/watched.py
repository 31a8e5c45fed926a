"""What is told of alerts, in the reference's words."""

from processors.alerts.changes import decode_alerts
from processors.alerts.told import Alert
from processors.days.calendar import date_of
from tests.reference.alerts import About, Found
from tests.support.durable import Worker


def true_of(worker: Worker) -> dict[About, Found]:
    """What was told and still holds."""
    return {about: shown(alert) for about, alert in told(worker).items() if not alert.is_void}


def told(worker: Worker) -> dict[About, Alert]:
    """Every alert that was told, as it was told last."""
    return {
        (child, *alert.about): alert
        for child, encoded in worker.told.items()
        for alert in decode_alerts(encoded)
    }


def shown(alert: Alert) -> Found:
    """An alert as the reference has it."""
    return Found(alert.state, date_of(alert.since), date_of(alert.due), alert.reason)
