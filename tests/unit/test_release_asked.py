"""What is asked of releases and dead letters from afar: by whom, from where, and in which words."""

import pytest

from processors.rules import Rules
from schemas.settings import Settings
from streams.jobs.release_tasks import FreezeTask, PreviewTask
from streams.serving.release_desk import told_of_task
from streams.serving.roles import FORM, JSON, ROUTES, Role
from tests.support.served import Asks, Served, one_with

NO_REDIS = Settings(redis_url="redis://localhost:1/0", kafka_bootstrap="localhost:1")
PUBLISHER, OPERATOR = one_with(Role.PUBLISHER), one_with(Role.OPERATOR)
HERE = {"origin": "http://localhost"}
LETTER = "case-events:0:7"
# Each form with what it is sent, by who may send it.
FORMS = {
    "/releases": (PUBLISHER, b"period=2015-10&kind=first"),
    "/releases/2015-10/1/preview": (PUBLISHER, b"threshold=&zeros="),
    "/releases/2015-10/1/publish": (PUBLISHER, b"preview=" + b"0" * 64),
    "/releases/2015-10/1/publish-internal": (PUBLISHER, b""),
    "/releases/2015-10/1/accept": (PUBLISHER, b"text=1&reason=Guests"),
    f"/operations/dead-letters/{LETTER}/send-again": (OPERATOR, b"as_it_was=yes"),
}


@pytest.fixture(scope="module")
def served(rules: Rules) -> Served:
    return Served(NO_REDIS, rules)


def statuses(served: Served, asked: list[Asks]) -> list[int]:
    return [it.status_code for it in served.ask_all(asked)]


def test_a_form_is_believed_only_where_the_browser_says_that_it_is_from_here(
    served: Served,
) -> None:
    there = {"content-type": FORM}
    asked = [Asks(path, who, "POST", there, body) for path, (who, body) in FORMS.items()]
    assert statuses(served, asked) == [403] * len(FORMS)
    foreign = {**there, "origin": "https://evil.example"}
    assert statuses(served, [it._replace(headers=foreign) for it in asked]) == [403] * len(FORMS)


def test_every_form_of_releases_and_dead_letters_is_tried_here() -> None:
    posted = {it.path for it in ROUTES if it.methods == ("POST",) and FORM_ROUTE in it.name}
    own = {path.replace("2015-10/1", "{period:str}/{number:str}") for path in FORMS}
    own = {path.replace(LETTER, "{letter:str}") for path in own}
    assert own == {it for it in posted if not it.startswith("/alerts")}


FORM_ROUTE = "-form"

BAD_FREEZES = [
    b"{}",
    b"[]",
    b'{"period": "2015-13", "kind": "first"}',
    b'{"period": "0000-01", "kind": "first"}',
    b'{"period": "9999-12", "kind": "first"}',
    '{"period": "\u0662\u0660\u0661\u0665-10", "kind": "first"}'.encode(),
    b'{"period": "2015-10", "kind": "best"}',
    b'{"period": "2015-10", "kind": "first", "by": "boss"}',
    b'{"period": "2015-10", "kind": "first", "reason": " "}',
    b'{"period": "2015-10", "kind": "first", "reason": 7}',
    b'{"period": "2015-10", "kind": "first", "released_on": "soon"}',
    b'{"period": ["2015-10"], "kind": "first"}',
    b'{"period": "2015-10", "kind": "first", "reason": "' + b"a" * 2001 + b'"}',
]
BAD_PUBLISHES = [
    b"{}",
    b'{"preview": "0"}',
    b'{"preview": "' + b"0" * 64 + b'", "accept_narrow": "A. Name"}',
    b'{"preview": "' + b"0" * 64 + b'", "threshold": 0}',
    b'{"preview": "' + b"0" * 64 + b'", "zeros": true}',
]
BAD_LETTERS = [
    b"{}",
    b'{"event": ""}',
    b'{"event": {"type": "x"}}',
    b'{"event": "{}", "as_it_was": true}',
    b'{"as_it_was": false}',
]


def test_what_cannot_be_understood_is_refused_before_anything_is_begun(served: Served) -> None:
    to = {
        "/api/v1/releases": (PUBLISHER, BAD_FREEZES),
        "/api/v1/releases/2015-10/1/publish": (PUBLISHER, BAD_PUBLISHES),
        f"/api/v1/dead-letters/{LETTER}/send-again": (OPERATOR, BAD_LETTERS),
    }
    asked = [
        Asks(path, who, "POST", {"content-type": JSON}, body)
        for path, (who, bodies) in to.items()
        for body in bodies
    ]
    assert statuses(served, asked) == [422] * len(asked)
    assert statuses(served, [it._replace(body=b"{") for it in asked[:1]]) == [400]


@pytest.mark.parametrize("name", ["x/1", "2015-13/1", "2015-10/0", "2015-10/x", "2015-10/999999"])
def test_what_can_be_no_release_is_not_there(name: str, served: Served) -> None:
    path = f"/api/v1/releases/{name}/preview"
    asked = Asks(path, PUBLISHER, "POST", {"content-type": JSON}, b"{}")
    assert statuses(served, [asked]) == [404]


def test_the_audit_log_has_what_is_asked_and_nothing_that_anyone_wrote() -> None:
    task = FreezeTask(period="2015-10", kind="revised", reason="Ann came late", by="P. Lisher")
    assert told_of_task(task) == "kind=revised&period=2015-10"
    preview = PreviewTask(period="2015-10", number=2, threshold=3)
    assert told_of_task(preview) == "number=2&period=2015-10&threshold=3"
