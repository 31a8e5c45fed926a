"""How other programs connect, and who one is: a query in which nothing is obeyed, and no secret."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from streams.serving.identity import Identity
from streams.serving.power_query import power_query, scorecard_types
from streams.serving.roles import Role
from streams.serving.sign_in import Connection, SignIn
from tests.support.served import Asks, Served, one_with

NO_REDIS = Settings(redis_url="redis://localhost:1/0", kafka_bootstrap="localhost:1")
LITERAL = re.compile(r'"((?:[^"]|"")*)"')


@pytest.fixture(scope="module")
def served(rules: Rules) -> Served:
    return Served(NO_REDIS, rules)


def read(literal: str) -> str:
    """A text literal of M as M reads it."""
    return re.sub(r"#\(#\)", "#", literal.replace('""', '"'))


@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_whatever_is_asked_for_is_text_in_the_query(values: list[str]) -> None:
    made = power_query("http://localhost", "/x.csv", {"area": values}, {"code": "text"})
    asked = [read(it) for it in LITERAL.findall(made)]
    assert asked[:2] == ["http://localhost", "x.csv"]
    assert asked[2 : 2 + len(values)] == values
    # Whatever it is, the rest stands as it stood.
    plain = power_query(
        "http://localhost", "/x.csv", {"area": ["a"] * len(values)}, {"code": "text"}
    )
    assert LITERAL.sub("", made) == LITERAL.sub("", plain)


def test_every_column_has_the_type_of_what_is_in_it() -> None:
    types = scorecard_types()
    assert [*types] == [*ScorecardRow.__struct_fields__]
    numbers = {name for name, kind in types.items() if kind == "number"}
    assert numbers == {"numerator", "denominator", "value", "previous", "target"}


def test_the_page_has_the_query_for_the_rows_asked_for_at_this_address(served: Served) -> None:
    path = "/connect?area=Thanet&area=Dover&age_band=all"
    headers = {"host": "localhost:9000", "x-forwarded-proto": "https"}
    plain, page = served.ask_all(
        [Asks("/connect"), Asks(path, one_with(Role.VIEWER), headers=headers)]
    )
    text = page.text.replace("&#34;", '"')
    assert 'Web.Contents(\n        "https://localhost:9000"' in text
    assert 'RelativePath = "api/v1/scorecard.csv"' in text
    assert 'Query = [age_band = "all", area = {"Dover", "Thanet"}]' in text
    assert "Query = [" not in plain.text
    assert "Anonymous" in plain.text
    assert page.headers["cache-control"] == "no-store"


def test_no_query_is_made_for_rows_that_there_cannot_be(served: Served) -> None:
    wrong = ("area=Atlantis", "level=galaxy", "code=EH99", "as_of=2015-13-01", "colour=red")
    answers = served.ask_all(Asks(f"/connect?{it}") for it in wrong)
    assert {it.status_code for it in answers} == {400}


def test_the_page_asks_for_a_token_where_people_sign_in_and_has_none(rules: Rules) -> None:
    settings = NO_REDIS.model_copy(update={"sign_in": "token"})
    page = Served(settings, rules).ask("/connect", one_with(Role.VIEWER)).text
    assert "the token as the password" in page
    assert "Authorization" not in page


def test_an_account_says_who_one_is_and_until_when(rules: Rules) -> None:
    until = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    ann = Identity("Ann <b>", frozenset({Role.MANAGER}), frozenset({"Thanet"}), until)

    def sign_in(_: Redis) -> SignIn:
        async def known(_: Connection) -> Identity:
            return ann

        return known

    settings = NO_REDIS.model_copy(update={"sign_in": "token"})
    page = Served(settings, rules, sign_in=sign_in).ask("/account").text
    assert "Ann &lt;b&gt;" in page
    assert "<dd>manager</dd>" in page
    assert "of Thanet" in page
    assert "09:30 on 1 March 2026 (UTC)" in page
    assert "<code>/scorecard</code>" in page
    assert "<code>/cases</code>" not in page


def test_an_account_where_nobody_signs_in_says_so(served: Served) -> None:
    page = served.ask("/account").text
    assert "Nobody signs in here" in page
    assert "small numbers are suppressed" in page
    assert "good until" not in page
