"""The ratings and arrows of the published scorecards, from the values and targets printed there."""

from collections import Counter
from fractions import Fraction

import pytest

from processors.figures.direction import direction_of_travel
from processors.figures.rating import YearTarget, rating, rating_since
from processors.rules import Rules
from schemas.catalogue import Catalogue, Indicator, load_catalogue
from tests.support.printed import Printed, june_2017, number, rows, with_parts_of_nothing

# Its printed ratings contradict each other: 57.0 and 70.0 are Amber, 48.2 and 52.8 Red.
WITHOUT_RULE = "CEH65"
# Printed ratings that the rule does not give, and why.
EXCEPTIONS = {
    (
        "Youth Services - Canterbury - The Canterbury Academy Canterbury Youth Hub",
        "CEH59",
    ): "246 for 250 is printed Green, though it is below its target",
    (
        "Youth Services - Gravesham - The Gr@nd Gravesham Youth Hub",
        "CEH59",
    ): "101 for 161 is printed Green, though it is below its target",
}
# Arrows that the printed values do not give: they move by less than is printed.
FINER_THAN_PRINTED = {"CEH02": 7, "CEH52a": 1, "CEH58a": 1}


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def printed() -> list[Printed]:
    return with_parts_of_nothing(june_2017())


def indicator(catalogue: Catalogue, code: str) -> Indicator:
    return next(it for it in catalogue.indicator if it.code == code)


def rated(catalogue: Catalogue, row: Printed) -> str | None:
    found = indicator(catalogue, row.code)
    scheme = catalogue.scheme_of(found)
    assert scheme.rag == "target"
    if not row.targets or not scheme.rates(row.code):
        return None
    monthly = float(row.targets[0]) if len(row.targets) > 1 else None
    target = YearTarget(float(row.targets[-1]), None, monthly)
    return rating(found, row.value, target, scheme.share_of(row.code))


def test_every_rating_of_june_2017_but_two_follows_from_the_printed_values_and_targets(
    shipped: Catalogue, printed: list[Printed]
) -> None:
    ratings = [row for row in printed if row.rag and row.code != WITHOUT_RULE]
    wrong = {(it.block, it.code) for it in ratings if rated(shipped, it) != it.rag}
    assert wrong == set(EXCEPTIONS)
    assert len(ratings) == 439
    assert len(wrong) / len(ratings) < 0.005


def test_nothing_is_rated_that_is_printed_with_its_target_and_without_a_rating(
    shipped: Catalogue, printed: list[Printed]
) -> None:
    found = [it for it in printed if not it.rag and it.value is not None]
    assert {it.code for it in found if rated(shipped, it)} == set()


def test_a_code_tolerates_more_than_its_scheme_only_where_printed_ratings_ask_for_it(
    shipped: Catalogue, printed: list[Printed]
) -> None:
    (scheme,) = (it for it in shipped.scheme if it.rag == "target")
    asked = {
        row.code
        for row in printed
        if row.rag
        and row.code != WITHOUT_RULE
        and _rated_with(shipped, row, scheme.amber_share) != row.rag
    }
    assert asked == {code for it in scheme.tolerance for code in it.codes}


def _rated_with(catalogue: Catalogue, row: Printed, share: float) -> str | None:
    aim = float(row.targets[0])
    return rating(indicator(catalogue, row.code), row.value, YearTarget(aim, None), share)


def test_every_arrow_of_june_2017_is_an_improvement_or_the_reverse(
    shipped: Catalogue, printed: list[Printed]
) -> None:
    words = {"better": "up", "worse": "down", "same": "level"}
    wrong: Counter[str] = Counter()
    for row in printed:
        now, before = row.months[-1], row.months[-2]
        if row.arrow:
            assert now is not None, row
            assert before is not None, row
            found = indicator(shipped, row.code)
            scheme = shipped.scheme_of(found)
            pairs = now.as_integer_ratio(), before.as_integer_ratio()
            direction = direction_of_travel(*pairs, scheme.direction, found.polarity)
            wrong[row.code] += words[direction or ""] != row.arrow
    # CEH65's arrows show the sign of the change, and none of them the improvement.
    assert +wrong == {**FINER_THAN_PRINTED, WITHOUT_RULE: 5}


def test_every_arrow_of_october_2015_but_two_is_the_sign_of_the_change(shipped: Catalogue) -> None:
    wrong, count = set(), 0
    for row in rows("ehps-2015-10-areas.csv"):
        now, before = number(row["overall"]), number(row["previous"])
        if row["dot"] and now is not None and before is not None:
            found = indicator(shipped, row["code"])
            scheme = shipped.scheme_of(found)
            pairs = now.as_integer_ratio(), before.as_integer_ratio()
            direction = direction_of_travel(*pairs, scheme.direction, found.polarity)
            count += 1
            if direction != row["dot"]:
                wrong.add((row["area"], row["code"]))
    # Both moved by less than is printed.
    assert wrong == {("Kent", "EH39"), ("West", "EH16")}
    assert count == 611


@pytest.mark.parametrize(
    ("now", "before", "rag"),
    [("84.0", "80.0", "Green"), ("79.0", "80.0", "Amber"), ("75.9", "80.0", "Red")],
)
def test_the_scheme_of_2015_rates_against_the_month_before_within_a_share_of_it(
    shipped: Catalogue, now: str, before: str, rag: str
) -> None:
    found = indicator(shipped, "EH16")
    assert shipped.scheme_of(found).rag == "previous"
    assert rating_since(found, Fraction(now), Fraction(before), 0.05) == rag


def test_a_target_of_the_month_counts_before_that_of_the_year(shipped: Catalogue) -> None:
    found = indicator(shipped, "CEH16")
    both = YearTarget(1992.0, None, 165.6)
    assert rating(found, Fraction(214), both, 0.15) == "Green"
    assert rating(found, Fraction(214), both._replace(monthly=None), 0.15) == "Red"


def test_of_polarity_t_the_nearer_to_the_target_is_the_better() -> None:
    aim = Fraction(10)
    for now, before, word in ((9, 12, "better"), (8, 12, "same"), (13, 9, "worse")):
        found = direction_of_travel((now, 1), (before, 1), "improvement", "T", aim)
        assert found == word
    assert direction_of_travel((9, 1), (12, 1), "improvement", "T") is None


def test_families_without_a_scheme_are_compared_as_the_catalogue_says(rules: Rules) -> None:
    bare = rules.catalogue.model_copy(update={"scheme": ()})
    scheme = bare.scheme_of(bare.indicator[0])
    assert (scheme.direction, scheme.rag) == (bare.direction, bare.rag)
