"""What is sent to have something done: a form of a page from here, or JSON of a program."""

from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from streams.serving.problems import Problem
from streams.serving.roles import FORM, HTML, JSON
from streams.serving.site import Call

MOST_FIELDS = 10
# The fields of forms that people write a sentence in.
WRITTEN = ("note", "reason")
Sent = TypeVar("Sent", bound=BaseModel)


def is_form(call: Call) -> bool:
    """Whether a route takes the form of a page, and leads to another one."""
    return HTML in call.route.media


def sent(call: Call, kind: type[Sent]) -> Sent:
    """What a body asks for. Raises Problem.

    Any page may have a browser send a form, so one is believed only where the browser says that it
    is from here. JSON it sends to others only once they have agreed, which nothing here does.
    """
    takes = FORM if is_form(call) else JSON
    if _kind_of(call) != takes:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {takes}")
    if is_form(call) and not call.is_from_here:
        raise Problem(
            HTTPStatus.FORBIDDEN, "the browser does not say that the form is of a page from here"
        )
    try:
        if is_form(call):
            return kind.model_validate_strings(_fields(call.body))
        from_json(call.body)
        return kind.model_validate_json(call.body)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        raise not_understood("; ".join(wrong)) from None
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is no {takes}") from None


def written(call: Call) -> str:
    """What a person wrote in a form of a page from here; empty where that is nothing."""
    if not (is_form(call) and call.is_from_here and _kind_of(call) == FORM):
        return ""
    try:
        fields = _fields(call.body)
    except ValueError:
        return ""
    return next((fields[name] for name in WRITTEN if name in fields), "")


def _kind_of(call: Call) -> str:
    return call.content_type.partition(";")[0].strip().lower()


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a form; one that is empty was not filled in. Raises ValueError."""
    text = body.decode("utf-8")
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a field twice")
    return {name: value for name, value in pairs if value}


def not_understood(detail: str) -> Problem:
    """A body that is what it says, and asks for what cannot be."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
