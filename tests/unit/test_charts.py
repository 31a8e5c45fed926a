"""Charts: images that say in words what they show, with nothing that the pages' policy forbids."""

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.serving.charts.control_chart import ControlChart
from streams.serving.charts.drawing import Chart, figure, ident, svg
from streams.serving.charts.frame import Frame, Scale, apart, vertical
from streams.serving.charts.sparkline import Sparkline
from tests.support.charts import all_charts, by_month

STYLE = Path(__file__).resolve().parents[2] / "streams/serving/assets/charts.css"
CHARTS = all_charts()
HOSTILE = "<script>alert(1)</script> & \"Wells\" ' onload='x' {{ 7 * 7 }}"
SVG = "{http://www.w3.org/2000/svg}"
LIGHT, DARK = "#ffffff", "#12171c"


def parsed(markup: str) -> ET.Element:
    """The markup as XML: what is not well-formed raises."""
    return ET.fromstring(f"<div>{markup}</div>")


def elements(markup: str) -> Iterator[ET.Element]:
    return parsed(markup).iter()


@pytest.mark.parametrize("chart", CHARTS, ids=lambda it: it.name)
def test_an_image_has_a_title_and_a_description_that_are_its_name(chart: Chart) -> None:
    images = list(parsed(svg(chart)))
    assert len(images) == len(chart.drawings) > 0
    for image in images:
        assert image.get("role") == "img"
        by_id = {it.get("id"): it for it in image.iter() if it.get("id")}
        named = [by_id[it] for it in (image.get("aria-labelledby") or "").split()]
        assert [it.tag for it in named] == ["title", "desc"]
        assert all((it.text or "").strip() for it in named)


def test_no_identifier_is_used_twice_in_a_page() -> None:
    page = "".join(figure(it) for it in CHARTS)
    found = [it.get("id") for it in elements(page) if it.get("id")]
    assert len(found) == len(set(found)) > len(CHARTS)


@given(st.lists(st.text(min_size=1), min_size=2, max_size=6, unique=True))
def test_charts_of_other_names_have_other_identifiers(names: list[str]) -> None:
    found = [ident(it) for it in names]
    assert all(re.fullmatch(r"chart-[A-Za-z0-9_-]+", it) for it in found)
    assert len(set(found)) == len(names)


@pytest.mark.parametrize("chart", all_charts(HOSTILE), ids=lambda it: it.name)
def test_a_name_is_shown_as_it_is_and_runs_nothing(chart: Chart) -> None:
    for it in elements(figure(chart)):
        assert it.tag.removeprefix(SVG) not in {"script", "style", "foreignObject", "image", "use"}
        assert not [name for name in it.attrib if name == "style" or name.startswith("on")]
        assert "javascript:" not in " ".join(it.attrib.values())
    if chart.name not in {"gaps", "one"}:
        assert HOSTILE in "".join(parsed(figure(chart)).itertext())


@pytest.mark.parametrize("chart", CHARTS, ids=lambda it: it.name)
def test_what_a_chart_shows_is_in_its_table_and_its_words(chart: Chart) -> None:
    drawn = parsed(figure(chart))
    rows = list(drawn.iter("tr"))
    assert len(rows) == len(chart.table.rows) + 1
    assert all(len(row) == len(chart.table.columns) for row in rows)
    assert {it.get("scope") for it in drawn.iter("th")} == {"col", "row"}
    text = " ".join("".join(drawn.itertext()).split())
    assert all(" ".join(it.split()) in text for it in chart.words)
    assert drawn.find("figure/figcaption") is not None


def test_a_special_cause_has_a_shape_and_a_word_and_a_month_not_over_is_hollow() -> None:
    shares = CHARTS[0]
    (wide, narrow) = shares.drawings
    marks = {it.mark for it in wide.spots}
    assert {"common", "concern", "incomplete"} <= marks
    assert {it.mark for it in wide.words} <= marks - {"common", "incomplete"}
    assert [it.mark for it in narrow.spots] == [it.mark for it in wide.spots]
    drawn = svg(shares)
    assert ">concern</text>" in drawn
    assert 'class="mark concern"' in drawn
    assert drawn.count('class="mark incomplete"') == 2
    assert "concern, worse than" in figure(shares)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=30),
    st.none() | st.integers(0, 150).map(Fraction),
    st.sampled_from(["EH05", "EH16", "EH12", "CEH03"]),
)
def test_any_series_is_drawn_within_its_frame(
    parts: list[tuple[int, int]], target: Fraction | None, code: str
) -> None:
    series = by_month(code, parts, target)
    for chart in (ControlChart("any", series), Sparkline("line", series)):
        assert chart.words
        drawn = parsed(figure(chart))
        for image in drawn.iter("svg"):
            if image.get("role") != "img":
                continue
            _, _, width, height = (float(it) for it in (image.get("viewBox") or "").split())
            for x, y in places(image):
                assert -0.1 <= x <= width + 0.1
                assert -0.1 <= y <= height + 0.1


def places(image: ET.Element) -> Iterator[tuple[float, float]]:
    """Where an image draws lines, marks and texts."""
    for it in image.iter():
        if points := it.get("points"):
            yield from ((float(x), float(y)) for x, y in (p.split(",") for p in points.split()))
        if moved := re.fullmatch(r"translate\((\S+) (\S+)\)", it.get("transform") or ""):
            yield float(moved[1]), float(moved[2])
        for x, y in (("x", "y"), ("x1", "y1"), ("x2", "y2")):
            if it.get(x):
                yield float(it.get(x) or 0), float(it.get(y) or 0)


def test_months_before_anything_is_counted_are_not_drawn() -> None:
    series = by_month("EH05", [(0, 0)] * 6 + [(9, 9)] * 3, first=date(2015, 8, 1))
    chart = ControlChart("late", series)
    assert len(chart.table.rows) == 3
    assert ControlChart("none", by_month("EH05", [(0, 0)], first=date(2016, 1, 1))).words == [
        "No figures yet."
    ]


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    st.integers(2, 8),
    st.booleans(),
)
def test_ticks_are_round_in_order_and_within_the_scale(
    values: list[float], count: int, whole: bool
) -> None:
    scale = vertical(values, Frame(300, 200, 40, 10, 10, 30))
    ticks = scale.ticks(count, whole=whole)
    assert len(ticks) <= count + 1
    assert all(30 - 21 <= it.at <= 170.1 for it in ticks)
    assert [it.at for it in ticks] == sorted((it.at for it in ticks), reverse=True)
    assert len({it.text for it in ticks}) == len(ticks)
    if whole:
        assert not any("." in it.text for it in ticks)


@given(st.lists(st.floats(0, 100), max_size=4).map(sorted))
def test_labels_keep_apart_and_end_where_they_must(wanted: list[float]) -> None:
    found = apart(wanted, 16, 100)
    assert all(b - a >= 16 - 1e-9 for a, b in pairwise(found))
    assert all(it <= 100 for it in found)


def test_a_scale_is_straight() -> None:
    scale = Scale(0, 10, 100, 0)
    assert [scale(it) for it in (0, 5, 10)] == [100, 50, 0]


def brightness(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("which", "page"), [(0, LIGHT), (1, DARK)], ids=["light", "dark"])
def test_what_carries_meaning_stands_out_at_three_to_one(which: int, page: str) -> None:
    blocks = STYLE.read_text("utf-8").split(":root {")[1:]
    colours = dict(re.findall(r"--chart-([a-z]+): (#[0-9a-f]{6})", blocks[which].split("}")[0]))
    assert {"line", "common", "improvement", "concern", "neither", "target", "limit"} < set(colours)
    del colours["grid"]  # it only helps to read what its ticks say
    for colour in colours.values():
        dark, light = sorted([brightness(colour), brightness(page)])
        assert (light + 0.05) / (dark + 0.05) >= 3
