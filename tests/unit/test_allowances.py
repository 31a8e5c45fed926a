"""How often someone may ask: never more than their allowance in a minute, and that always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.serving.allowances import MOST_KEPT, SECONDS, Allowances, address_key
from streams.serving.groups import Groups
from streams.serving.roles import Role
from streams.serving.sign_in import BySignIn, SignIn, networks
from streams.serving.tokens import Tokens
from tests.support.served import Asks, Served, one_with

PATH = "/api/v1/indicators.csv"
pauses = st.lists(st.floats(0, 90), max_size=60)


@given(st.integers(1, 8), pauses)
def test_nobody_asks_more_often_than_twice_their_allowance_in_any_minute(
    a_minute: int, pauses: list[float]
) -> None:
    now = 1_000.0
    allowances = Allowances(a_minute, lambda: now)
    asked: list[float] = []
    for pause in pauses:
        now += pause
        wait = allowances.wait("ann")
        if wait:
            continue
        allowances.take("ann")
        asked.append(now)
    for first in asked:
        # As many at once as there are, and as many as come back meanwhile.
        assert sum(first <= it < first + SECONDS for it in asked) <= 2 * a_minute


@given(st.integers(1, 8), st.integers(0, 20))
def test_who_waits_as_long_as_they_are_told_may_ask(a_minute: int, times: int) -> None:
    now = 0.0
    allowances = Allowances(a_minute, lambda: now)
    for _ in range(times):
        now += allowances.wait("ann")
        assert not allowances.wait("ann")
        allowances.take("ann")
    assert not allowances.wait("bob")


def test_what_is_given_back_was_not_asked_and_no_limit_is_none() -> None:
    one, none = Allowances(1, lambda: 0.0), Allowances(0, lambda: 0.0)
    one.take("ann")
    assert one.wait("ann") == SECONDS
    one.give_back("ann")
    assert not one.wait("ann")
    for _ in range(100):
        none.take("ann")
    assert not none.wait("ann")


def test_no_number_of_addresses_fills_the_memory() -> None:
    allowances = Allowances(1, lambda: 0.0)
    for number in range(MOST_KEPT + 100):
        allowances.take(str(number))
    assert not allowances.wait("0")
    assert allowances.wait(str(MOST_KEPT + 99))


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("not an address", "not an address"),
    ],
)
def test_an_address_stands_for_all_that_one_owner_has(address: str, key: str) -> None:
    assert address_key(address) == key


def limited(rules: Rules, questions: int = 0, refused: int = 0, proxies: str = "") -> Served:
    settings = Settings(
        redis_url="redis://localhost:1/0",
        kafka_bootstrap="localhost:1",
        questions_a_minute=questions,
        refused_sign_ins_a_minute=refused,
        proxy_addresses=proxies,
    )
    return Served(settings, rules)


def by_sign_in(served: Served) -> Served:
    def sign_in(redis: Redis) -> SignIn:
        proxies = networks(served.settings.proxy_addresses)
        return BySignIn(Tokens(redis, "test"), Clock().now, proxies, Groups())

    return Served(served.settings, served.rules, sign_in=sign_in)


def test_one_who_asks_too_often_is_told_when_to_ask_again(rules: Rules) -> None:
    viewer, other = one_with(Role.VIEWER), one_with(Role.ANALYST)
    asked = [*[Asks(PATH, viewer)] * 4, Asks("/health", viewer), Asks(PATH)]
    answers = limited(rules, questions=3).ask_all(asked)
    assert [it.status_code for it in answers] == [200, 200, 200, 429, 200, 200]
    refused = answers[3]
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= SECONDS
    assert refused.json()["status"] == 429
    # By the name, whatever their roles.
    again = limited(rules, questions=1).ask_all([Asks(PATH, viewer), Asks(PATH, other)])
    assert [it.status_code for it in again] == [200, 429]


def test_nobody_is_known_by_the_address_that_the_proxy_saw(rules: Rules) -> None:
    def from_(said: str) -> Asks:
        return Asks(PATH, headers={"x-forwarded-for": said})

    asked = [from_("10.0.0.1"), from_("10.0.0.2"), from_("10.0.0.9, 10.0.0.1")]
    behind = limited(rules, questions=1, proxies="127.0.0.0/8").ask_all(asked)
    assert [it.status_code for it in behind] == [200, 200, 429]
    direct = limited(rules, questions=1).ask_all(asked)
    assert [it.status_code for it in direct] == [200, 429, 429]


def test_guesses_at_tokens_are_held_off_and_browsers_that_send_none_are_not(rules: Rules) -> None:
    guess, nothing = Asks(PATH, headers={"authorization": "Bearer x"}), Asks(PATH)
    served = by_sign_in(limited(rules, refused=2))
    answers = served.ask_all([guess, nothing, nothing, nothing, guess, guess, nothing])
    assert [it.status_code for it in answers] == [401, 401, 401, 401, 401, 429, 401]
    assert answers[5].headers["retry-after"]


def test_a_store_that_is_away_is_no_refusal(rules: Rules) -> None:
    token = {"authorization": f"Bearer caseline_{'0' * 12}_{'a' * 43}"}
    answers = by_sign_in(limited(rules, refused=1)).ask_all([Asks(PATH, headers=token)] * 3)
    assert {it.status_code for it in answers} == {503}
