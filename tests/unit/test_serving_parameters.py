"""What addresses ask for is read strictly, and what a reader can take is sent."""

import re
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.serving.answers import accepted, is_held, tag_of
from streams.serving.parameters import PARAMETERS, Query, read_query
from streams.serving.problems import Problem
from streams.serving.roles import CHOICE, CSV, HTML, JSON, ROUTES, Role

REPEATABLE = [name for name in CHOICE if PARAMETERS[name].is_repeatable]
values = st.text(min_size=1, max_size=20).filter(
    lambda it: not any("\ud800" <= c <= "\udfff" for c in it)
)


@given(st.binary(max_size=200))
@example(b"=")
def test_any_bytes_are_understood_or_refused(query: bytes) -> None:
    try:
        found: Query | Problem = read_query(query, CHOICE)
    except Problem as problem:
        found = problem
    assert isinstance(found, Query) or (found.status == 400 and found.parameter)


@given(st.lists(st.tuples(st.sampled_from(REPEATABLE), values), max_size=20), st.randoms())
def test_the_same_asked_in_another_order_is_the_same(
    pairs: list[tuple[str, str]], random: Random
) -> None:
    asked = read_query(urlencode(pairs).encode(), CHOICE)
    random.shuffle(pairs)
    again = read_query(urlencode(pairs).encode(), CHOICE)
    assert again.query() == asked.query()
    assert read_query(asked.query().encode(), CHOICE) == asked


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("as_of=2015-13-01", "2015-13-01 is no date"),
        ("as_of=20151001", "20151001 is no date"),
        ("as_of=2015-W44-6", "is no date"),
        ("as_of=1800-01-01", "dates lie within"),
        ("as_of=9999-12-31", "dates lie within"),
        ("as_of=2015-10-01&as_of=2015-10-02", "more than once"),
        ("colour=red", "no such parameter here: there are area"),
        ("area=%ff", "not UTF-8"),
        (f"area={'a' * 201}", "longer than 200 characters"),
        (f"area={'a' * 4_001}", "longer than 4000 bytes"),
        ("&".join(["area=a"] * 101), "more than 100 parameters"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(query: str, said: str) -> None:
    with pytest.raises(Problem) as refused:
        read_query(query.encode(), CHOICE).as_of  # noqa: B018
    assert said in refused.value.detail
    assert refused.value.status == 400


def test_what_a_form_leaves_empty_is_not_asked_for() -> None:
    asked = read_query(b"area=&as_of=&family=", CHOICE)
    assert asked == Query({})
    assert asked.as_of is None


def test_every_parameter_of_a_route_is_known() -> None:
    assert {name for route in ROUTES for name in route.parameters} == PARAMETERS.keys()


def test_the_docs_have_every_route_parameter_and_role() -> None:
    docs = (Path(__file__).parents[2] / "docs/serving.md").read_text("utf-8")
    for route in ROUTES:
        path = re.sub(r":str\}", "}", route.path)
        assert path.startswith("/assets/") or re.search(rf"`(POST )?{re.escape(path)}`", docs), path
    for it in PARAMETERS.values():
        assert f"\n| `{it.name}` | {it.about} |\n" in docs, it.name
    for role in Role:
        assert f"`{role}`" in docs, role


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("text/csv;q=0.5, application/json;q=0.4", CSV),
        ("text/*, application/json;q=0.9", CSV),
        ("*/*;q=0.1, application/json;q=0", CSV),
        ("text/html, */*;q=0.8", JSON),
        ("TEXT/CSV", CSV),
    ],
)
def test_what_is_liked_best_is_sent(accept: str, media: str) -> None:
    assert accepted((JSON, CSV), accept, "").media == media


@pytest.mark.parametrize(
    "accept", ["image/png", "text/csv;q=0, application/json;q=0", "*/*;q=0", "text/csv;q=x"]
)
def test_what_none_will_do_for_is_refused(accept: str) -> None:
    with pytest.raises(Problem) as refused:
        accepted((JSON, CSV), accept, "")
    assert refused.value.status == 406


@pytest.mark.parametrize(
    ("encodings", "is_compressed"),
    [("gzip, br", True), ("", False), ("gzip;q=0", False), ("*", True), ("br", False)],
)
def test_an_answer_is_compressed_where_that_is_taken(encodings: str, is_compressed: bool) -> None:
    assert accepted((HTML,), "", encodings).is_compressed == is_compressed


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_a_tag_is_of_what_it_is_made_of_alone(one: list[str], other: list[str]) -> None:
    assert (tag_of(*one) == tag_of(*other)) == (one == other)


def test_a_tag_that_is_held_is_known_among_others() -> None:
    tag = tag_of("a")
    assert is_held(tag, f'"x", W/{tag}')
    assert is_held(tag, "*")
    assert not is_held(tag, '"x"')
    assert not is_held(tag, "")
