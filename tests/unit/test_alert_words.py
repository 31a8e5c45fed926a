"""Changes of alerts go out as the same bytes, whatever writes them."""

import hashlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.alerts.phrases import Wording, alert_id
from processors.alerts.told import Alert
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.standards import load_standards

CONTACT = (
    '{"format":1,"kind":"case","alert":"%s","version":4,"learnt":"2015-11-10T00:00:00.250000Z",'
    '"stand":3,"stand_learnt":"2015-11-09T00:00:00Z","standard":"unit-contact",'
    '"title":"First contact within 10 working days of the notification","state":"breached",'
    '"since":"2015-11-01","reason":null,"historic":false,"severity":"critical",'
    '"owner_kind":"team","owner":"Thanet \\"1\\"","area":"Kent","provider":null,"child":"Ö1",'
    '"case":"K1","episode":2,"service":"unit","team":"Thanet \\"1\\"","worker":"W. Ö",'
    '"due":"2015-11-13","breached_from":"2015-11-16"}'
)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(load_standards(load_catalogue()), load_areas())


def told(
    *, owner: str = "team", team: str | None = 'Thanet "1"', standard: str = "unit-contact"
) -> Alert:
    begun = ("K1", standard, 2, 4, "breached", 16740, 16752, None, False)
    whose = (None, team, None, "critical", owner, False, (), "W. Ö", 3, 1447027200.0)
    return Alert(*begun, *whose)  # type: ignore[arg-type]


def test_a_change_is_written_in_these_bytes(wording: Wording) -> None:
    name, text = wording.change("Ö1", told(), 1447113600.25)
    assert text.decode() == CONTACT % name


@pytest.mark.parametrize(
    ("alert", "kind", "owner"),
    [
        (lambda: told(team=None), "area", "Kent"),  # nobody has it: whose area it is
        (lambda: told(owner="area"), "area", "Kent"),
        (lambda: told(owner="provider"), "area", "Kent"),
    ],
)
def test_what_nobody_was_given_is_the_areas(
    wording: Wording, alert: Callable[[], Alert], kind: str, owner: str
) -> None:
    change = json.loads(wording.change("C1", alert())[1])
    assert (change["owner_kind"], change["owner"]) == (kind, owner)
    assert (change["learnt"], change["stand"]) == (None, 3)


def test_of_a_standard_that_is_withdrawn_there_is_the_code(wording: Wording) -> None:
    change = json.loads(wording.change("C1", told(standard="gone"))[1])
    assert (change["title"], change["service"], change["breached_from"]) == ("gone", "", None)


@given(st.lists(st.text() | st.integers(0, 2**31), max_size=4))
def test_an_id_is_the_hash_of_what_it_is_about_as_json(about: list[str | int]) -> None:
    """As others can work it out, whatever encodes it here."""
    text = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    assert alert_id(*about) == hashlib.sha256(text.encode()).hexdigest()[:20]
