"""What is told of alerts, in the reference's words."""

from processors.alerts.told import Alert
from processors.alerts.toldalerts import read_told
from processors.days.calendar import date_of
from tests.reference.alerts import About, Found
from tests.support.durable import Worker


def true_of(worker: Worker) -> dict[About, Found]:
    """What was told and still holds."""
    return {about: shown(alert) for about, alert in told(worker).items() if not alert.is_void}


def told(worker: Worker) -> dict[About, Alert]:
    """Every alert that was told, as it was told last."""
    return {
        (child, *about): alert
        for child, stored in worker.told.items()
        for about, alert in read_told(stored).alerts.items()
    }


def shown(alert: Alert) -> Found:
    """An alert as the reference has it."""
    return Found(alert.state, date_of(alert.since), date_of(alert.due), alert.reason)
