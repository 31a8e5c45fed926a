"""Rules of the Department for Education's open-data layout, written from its published screener.

Independent of the code that writes the files: only the two files as text go in.
"""

import csv
import io
import re
from collections.abc import Iterator
from itertools import product

Row = dict[str, str]

REQUIRED = (
    *("time_period", "time_identifier", "geographic_level", "country_code", "country_name"),
)
META = (
    *("col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp"),
    *("filter_hint", "filter_grouping_column"),
)
# Level: its code and name columns.
LEVELS = {
    "National": ("country_code", "country_name"),
    "Regional": ("region_code", "region_name"),
    "Local authority": ("new_la_code", "la_name"),
    "Local authority district": ("lad_code", "lad_name"),
    "Planning area": ("planning_area_code", "planning_area_name"),
}
# Columns of a level may be filled on rows of these levels only.
FILLED_ON = {
    "Local authority": {"Local authority", "Local authority district", "Planning area"},
    "Local authority district": {"Local authority district"},
    "Planning area": {"Planning area"},
}
LA_COLUMNS = {"old_la_code", "new_la_code", "la_name"}
PLACES = {
    *("country_code", "country_name", "old_la_code", "new_la_code", "la_name"),
    *("lad_code", "lad_name", "planning_area_code", "planning_area_name"),
}
MONTHS = {
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
}
SYMBOLS = {"z", "x", "c", "low", "u", "k"}
MARKS = {"p", "r", "b"}
UNITS = {"", "%", "pp", "£", "£m", "numberstring"}
KENT = ("886", "E10000016", "Kent")
DISTRICTS = {
    "E07000105": "Ashford",
    "E07000106": "Canterbury",
    "E07000107": "Dartford",
    "E07000108": "Dover",
    "E07000109": "Gravesham",
    "E07000110": "Maidstone",
    "E07000111": "Sevenoaks",
    "E07000112": "Shepway",
    "E07000113": "Swale",
    "E07000114": "Thanet",
    "E07000115": "Tonbridge and Malling",
    "E07000116": "Tunbridge Wells",
}
# The longest that the programming interface of the service takes.
LONGEST_NAME, LONGEST_LABEL, LONGEST_ITEM = 50, 80, 120


def screen(data_name: str, data: str, meta_name: str, meta: str) -> list[str]:
    """What breaks a rule of the layout; nothing where both files are right."""
    header = next(csv.reader(io.StringIO(data)))
    rows = list(csv.DictReader(io.StringIO(data)))
    about = list(csv.DictReader(io.StringIO(meta)))
    return [
        *_names(data_name, meta_name),
        *_columns(header, about),
        *_meta(about, rows),
        *_times(rows),
        *_places(header, rows),
        *_filters(rows, about),
        *_values(rows, about),
    ]


def _names(data_name: str, meta_name: str) -> Iterator[str]:
    if meta_name != data_name.replace(".csv", ".meta.csv"):
        yield f"{meta_name} is not named for {data_name}"
    if not re.fullmatch(r"[a-z0-9_]+\.csv", data_name):
        yield f"{data_name}: spaces or special characters"


def _columns(header: list[str], about: list[Row]) -> Iterator[str]:
    yield from (f"no column {name}" for name in REQUIRED if name not in header)
    if len(set(header)) != len(header):
        yield "columns named twice"
    for name in header:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > LONGEST_NAME:
            yield f"column {name}: not short snake_case"
    described = {row["col_name"] for row in about}
    observed = {*REQUIRED, *PLACES}
    yield from (f"{name}: described, not there" for name in described - set(header))
    yield from (f"{name}: there, not described" for name in set(header) - described - observed)
    yield from (f"{name}: places and times are not described" for name in described & observed)
    if LA_COLUMNS & set(header) and not set(header) >= LA_COLUMNS:
        yield "some local authority columns are missing"


def _meta(about: list[Row], rows: list[Row]) -> Iterator[str]:
    if tuple(about[0]) != META:
        yield f"metadata columns: {list(about[0])}"
    labels = [row["label"] for row in about]
    if len(set(labels)) != len(labels) or not all(labels):
        yield "labels are not all different"
    for row in about:
        name, is_filter = row["col_name"], row["col_type"] == "Filter"
        if row["col_type"] not in ("Filter", "Indicator"):
            yield f"{name}: type {row['col_type']}"
        if len(row["label"]) > LONGEST_LABEL:
            yield f"{name}: label too long"
        if row["indicator_unit"] not in UNITS:
            yield f"{name}: unit {row['indicator_unit']}"
        if is_filter and (row["indicator_grouping"] or row["indicator_dp"]):
            yield f"{name}: a filter with parts of an indicator"
        if not is_filter and not re.fullmatch(r"\d+", row["indicator_dp"]):
            yield f"{name}: no number of decimal places"
        if not is_filter and (row["filter_hint"] or row["filter_grouping_column"]):
            yield f"{name}: an indicator with parts of a filter"
        if any(value != value.strip() for value in row.values()):
            yield f"{name}: spaces around a value"
    if not rows:
        yield "no rows"


def _times(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if not re.fullmatch(r"\d{4}", row["time_period"]):
            yield f"time period {row['time_period']}"
        if row["time_identifier"] not in MONTHS:
            yield f"time identifier {row['time_identifier']}"


def _places(header: list[str], rows: list[Row]) -> Iterator[str]:
    for row in rows:
        level = row["geographic_level"]
        if level not in LEVELS:
            yield f"level {level}"
            continue
        if not all(row[column] for column in LEVELS[level]):
            yield f"{level} without code or name"
        if (row["country_code"], row["country_name"]) != ("E92000001", "England"):
            yield f"country {row['country_code']}"
        if (row["old_la_code"], row["new_la_code"], row["la_name"]) != KENT:
            yield f"local authority {row['new_la_code']}"
        if row["lad_code"] and DISTRICTS.get(row["lad_code"]) != row["lad_name"]:
            yield f"district {row['lad_code']} {row['lad_name']}"
        for other, levels in FILLED_ON.items():
            filled = any(row[column] for column in LEVELS[other] if column in header)
            if filled and level not in levels:
                yield f"{level} has columns of {other}"
        if any(row[name].lower() in ("total", "all") for name in PLACES if name in row):
            yield f"a total in a place column on {level}"


def _filters(rows: list[Row], about: list[Row]) -> Iterator[str]:
    filters = [row["col_name"] for row in about if row["col_type"] == "Filter"]
    for name in filters:
        items = {row[name] for row in rows}
        if "Total" not in items:
            yield f"{name}: no Total"
        if any(not item or item != item.strip() or len(item) > LONGEST_ITEM for item in items):
            yield f"{name}: blank, spaced or long items"
    keys = [_key(row, filters) for row in rows]
    if len(set(keys)) != len(keys):
        yield "duplicate rows"
    parts = [dict.fromkeys(part) for part in zip(*keys, strict=True)]
    missing = set(product(*parts)) - set(keys)
    if missing:
        yield f"not a complete matrix: {len(missing)} rows missing"


def _key(row: Row, filters: list[str]) -> tuple[object, ...]:
    time = (row["time_period"], row["time_identifier"])
    place = (row["geographic_level"], *(row[column] for column in sorted(PLACES)))
    return (time, place, *(row[name] for name in filters))


def _values(rows: list[Row], about: list[Row]) -> Iterator[str]:
    for column in about:
        if column["col_type"] != "Indicator":
            continue
        name, decimals = column["col_name"], int(column["indicator_dp"])
        number = rf"-?\d+\.\d{{{decimals}}}" if decimals else r"-?\d+"
        for value in {row[name] for row in rows}:
            is_mark = name.endswith("_mark") and set(value.split(" ")) <= MARKS and value
            if not (value in SYMBOLS or is_mark or re.fullmatch(number, value)):
                yield f"{name}: {value!r}"
