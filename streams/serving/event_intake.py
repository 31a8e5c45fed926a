"""`POST /api/v1/events`: CloudEvents for systems that cannot speak Kafka, each answered for."""

from http import HTTPStatus
from typing import Any

from pydantic_core import from_json, to_json

from streams.kafka.eventfiles import judged
from streams.serving.answers import Answer
from streams.serving.audited import audited
from streams.serving.data_answers import as_json
from streams.serving.problems import Problem
from streams.serving.roles import BATCH, JSON, MOST_EVENTS, ONE
from streams.serving.site import Call, LiveSite


async def events(site: LiveSite, call: Call) -> Answer:
    """Take in one event or a batch, and say of each what became of it. Raises Problem.

    200 where all were taken, 422 where none was, 207 where some were, and 503 where Kafka did not
    acknowledge one: that and any of the others may be sent again.
    """
    _ = call.taking
    values = _values(call)
    good, bad = judged(list(enumerate(values)))
    acknowledged = dict(
        zip((line.number for line in good), await site.intake.send(good), strict=True)
    )
    told: list[dict[str, Any]] = [
        {"index": number, "result": "accepted" if taken else "unknown"}
        for number, taken in acknowledged.items()
    ]
    told += [
        {
            "index": line.number,
            "result": "refused",
            "reason": line.rejection.reason,
            "detail": line.rejection.message,
        }
        for line in bad
    ]
    if bad:
        of = len(bad), len(values)
        site.audit.note(audited(call.identity, call.route, "", "refused", *of))
    told.sort(key=lambda it: it["index"])
    accepted = sum(acknowledged.values())
    body = {"accepted": accepted, "refused": len(bad), "events": told}
    return Answer(
        _status(len(values), accepted, len(bad)),
        JSON,
        as_json(body).encode(),
        {"Cache-Control": "no-store"},
    )


def _status(total: int, accepted: int, refused: int) -> HTTPStatus:
    if accepted + refused < total:
        return HTTPStatus.SERVICE_UNAVAILABLE
    if refused == total:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.MULTI_STATUS if refused else HTTPStatus.OK


def _values(call: Call) -> list[bytes]:
    """The events of a body, each as bytes of its own. Raises Problem."""
    kind = call.content_type.partition(";")[0].strip().lower()
    if kind == ONE:
        return [call.body]
    if kind != BATCH:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {ONE}, or {BATCH} for an array of events"
        )
    try:
        found = from_json(call.body, allow_inf_nan=False)
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_EVENTS:
        raise Problem(
            HTTPStatus.BAD_REQUEST, f"the body is no array of 1 to {MOST_EVENTS:,} events"
        )
    return [to_json(it) for it in found]
