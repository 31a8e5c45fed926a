"""Who may decide of an alert, and that no page of a stranger's has a browser do it for them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.settings import Settings
from streams.serving.alert_actions import LONGEST_NOTE
from streams.serving.identity import Identity
from streams.serving.problems import Problem
from streams.serving.roles import ACT_ON_ALERTS, FORM, READERS, SEE_ALERTS, Role
from streams.serving.same_origin import is_from_here
from tests.support.alerting import change
from tests.support.served import Asks, Served, one_with

NO_REDIS = Settings(redis_url="redis://localhost:1/0", kafka_bootstrap="localhost:1")
ALERT = change().alert
LEAD = one_with(Role.LEAD, places=frozenset({"Unit A"}))
HERE = {"origin": "http://localhost"}
NOTHING: Mapping[str, str] = {}
GOOD_FORM, GOOD_JSON = b"note=Visit+booked&for=3d", b'{"note": "Visit booked", "for": "3d"}'


@pytest.fixture(scope="module")
def served(rules: Rules) -> Served:
    return Served(NO_REDIS, rules)


def form(headers: Mapping[str, str] = HERE, body: bytes = GOOD_FORM, kind: str = FORM) -> Asks:
    sent = {"content-type": kind, **headers}
    return Asks(f"/alerts/{ALERT}/silence", LEAD, "POST", sent, body)


def program(
    body: bytes = GOOD_JSON, kind: str = "application/json", headers: Mapping[str, str] = NOTHING
) -> Asks:
    path = f"/api/v1/alerts/{ALERT}/acknowledge"
    return form(headers, body, kind)._replace(path=path)


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://localhost.evil.example"},
    {"origin": "http://localhost:81"},
    {"origin": "http://localhost", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_what_a_page_of_another_site_has_a_browser_send_is_refused(
    headers: dict[str, str], served: Served
) -> None:
    answers = served.ask_all([form(headers), program(headers=headers)])
    assert [it.status_code for it in answers] == [403, 403]
    assert all("another site" in it.text for it in answers)


def test_a_form_is_believed_only_where_the_browser_says_that_it_is_from_here(
    served: Served,
) -> None:
    told, also, untold, by_program = served.ask_all(
        [form(), form({"sec-fetch-site": "same-origin"}), form(NOTHING), program()]
    )
    assert untold.status_code == 403
    # These come as far as the store, which does not answer.
    assert [it.status_code for it in (told, also, by_program)] == [503, 503, 503]


def test_a_page_elsewhere_cannot_send_json_in_the_clothes_of_a_form(served: Served) -> None:
    kinds = ["text/plain", FORM, "multipart/form-data", ""]
    assert {it.status_code for it in served.ask_all(program(kind=it) for it in kinds)} == {415}
    assert served.ask_all([form(body=GOOD_JSON, kind="application/json")])[0].status_code == 415


BAD_FORMS = [b"for=3d", b"note=&for=3d", b"note=+&for=3d", b"note=a", b"note=a&for=soon"]
BAD_FORMS += [b"note=a&for=0d", b"note=a&for=3d&by=boss", b"note=a&for=3d&version=two"]
BAD_FORMS += [b"note=" + b"a" * (LONGEST_NOTE + 1) + b"&for=3d"]
BAD_JSON = [b"[]", b"7", b"{}", b'{"note": 7, "for": "3d"}', b'{"note": "a", "for": null}']
NO_BODY = [b"", b"{", b"\xff"]


def test_what_cannot_be_understood_is_refused_before_anything_is_asked(served: Served) -> None:
    forms = served.ask_all(form(body=it) for it in BAD_FORMS)
    assert {it.status_code for it in forms} == {422}
    assert {it.status_code for it in served.ask_all(map(program, BAD_JSON))} == {422}
    assert {it.status_code for it in served.ask_all(map(program, NO_BODY))} == {400}
    twice = served.ask_all([form(body=b"note=a&note=b&for=3d")])[0]
    assert twice.status_code == 400


def test_what_is_no_id_of_an_alert_is_not_there(served: Served) -> None:
    for number in ("x", ALERT[:8], ALERT.upper(), "0" * 21):
        ask = program()._replace(path=f"/api/v1/alerts/{number}/acknowledge")
        page = Asks(f"/alerts/{number}", LEAD)
        assert [it.status_code for it in served.ask_all([ask, page])] == [404, 404]


@given(st.lists(st.text(max_size=20), max_size=3), st.lists(st.text(max_size=20), max_size=3))
def test_nothing_but_this_host_named_once_counts_as_from_here(
    origins: list[str], sites: list[str]
) -> None:
    try:
        found = is_from_here("localhost:8080", origins, sites)
    except Problem:
        return
    assert not any((found, origins, sites))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_host_is_known_whatever_the_case_and_the_scheme(scheme: str) -> None:
    assert is_from_here("Localhost:8080", [f"{scheme}://localhost:8080"], ["same-origin"])


def test_a_lead_sees_alerts_of_their_teams_and_places_and_of_no_other(rules: Rules) -> None:
    unit = change(owner="Unit A", team="Unit A", area="Thanet")
    provided = change(owner="Acorn", team=None, provider="Acorn", area="Dover")

    def seen(*places: str) -> list[bool]:
        lead = one_with(Role.LEAD, places=frozenset(places))
        return [lead.sees_alert(it, rules.areas) for it in (unit, provided)]

    assert seen() == [False, False]
    assert seen("Unit A") == [True, False]
    assert seen("Acorn") == [False, True]
    assert seen("Thanet") == [True, False]
    assert seen(rules.areas.top) == [True, True]
    assert seen("Unit B") == [False, False]


@given(st.sets(st.sampled_from(list(Role))))
def test_places_show_an_alert_to_nobody_but_leads_and_analysts(roles: set[Role]) -> None:
    who = Identity("x", frozenset(roles), frozenset({"Unit A"}))
    areas = load_areas()
    may = bool(roles & {Role.LEAD, Role.ANALYST})
    assert who.sees_alert(change(owner="Unit A"), areas) == may


def test_who_decides_may_see_and_who_sees_may_read() -> None:
    assert ACT_ON_ALERTS <= SEE_ALERTS <= READERS
