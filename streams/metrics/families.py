"""The metrics of a whole deployment: their names, what each says, and an indicator's series."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily

from processors.rules import Rules
from schemas.catalogue import Indicator
from schemas.scorecard import ScorecardRow

CELL = ("code", "area", "age_band")
# Every figure is of the month so far. An area and the areas in it, and `all` ages and the bands,
# are series side by side: a sum over them counts a case more than once.
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "caseline_indicator_numerator": (
        "What the indicator counts, or the numerator it divides, in the month so far.",
        CELL,
    ),
    "caseline_indicator_denominator": (
        "What the indicator divides by; a count has none. Combine areas or bands by sums of both.",
        CELL,
    ),
    "caseline_indicator_ratio": (
        "The value of an indicator in per cent, from 0 to 1, as the scorecard rounds it.",
        CELL,
    ),
    "caseline_indicator_value": (
        "The value of any other indicator in its own unit (see caseline_indicator_info).",
        CELL,
    ),
    "caseline_indicator_info": (
        "What each indicator is called, its unit, and if high (H), low (L) or neither (T) is good.",
        ("code", "title", "unit", "polarity"),
    ),
    "caseline_area_info": (
        "Each area's level and the area it is in; empty for the top.",
        ("area", "level", "parent"),
    ),
    "caseline_alerts_active": (
        "Alerts that are on, by service standard and state.",
        ("standard", "state"),
    ),
    "caseline_alerts_unjudged_midnights": (
        "Midnights since alerts were judged last, on cases and on indicators: 0 if today.",
        ("kind",),
    ),
    "caseline_latest_event_timestamp_seconds": (
        "The latest time that any event in the tables says it happened at.",
        (),
    ),
    "caseline_table_lag_events": (
        "Messages in the log that the stored tables do not have, seen from outside the workers.",
        ("topic", "partition"),
    ),
    "caseline_table_offset_events": (
        "The offset that the stored tables stand at.",
        ("topic", "partition"),
    ),
    "caseline_state_complete": (
        "1 if the keys of a shard, named by its first topic, add up to what its head says.",
        ("topic", "partition"),
    ),
    "caseline_reconciled_timestamp_seconds": (
        "When the state was last compared with the log.",
        (),
    ),
    "caseline_reconciled_wrong_shards": (
        "Shards that were not as the log has them when they were last compared.",
        (),
    ),
    "caseline_snapshot_age_seconds": (
        "Time since the day of the latest release of the latest period.",
        (),
    ),
    "caseline_snapshot_released_info": (
        "The latest release: its period and kind.",
        ("period", "kind"),
    ),
    "caseline_snapshot_overdue_seconds": (
        "Time since the latest month that is due should have been frozen; 0 once it is.",
        (),
    ),
    "caseline_redis_up": ("1 if Redis answered.", ()),
    "caseline_kafka_up": ("1 if Kafka answered.", ()),
    "caseline_scorecard_up": (
        "1 if the scorecard could be read; 0 if not, as before any worker ran or a rebuild is due.",
        (),
    ),
    "caseline_releases_up": ("1 if the latest release could be read and has its hash.", ()),
    "caseline_is_working_time": (
        "1 from 9:00 to 17:00 in London on a working day in England.",
        (),
    ),
    "caseline_refreshed_timestamp_seconds": ("When these figures were last looked up.", ()),
}


class Found:
    """What one look at the deployment found, as metrics."""

    def __init__(self) -> None:
        self._families = {
            name: GaugeMetricFamily(name, text, labels=labels)
            for name, (text, labels) in FAMILIES.items()
        }

    @property
    def families(self) -> list[GaugeMetricFamily]:
        """The metrics that have values."""
        return [family for family in self._families.values() if family.samples]

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add a series, its labels in the order of FAMILIES."""
        self._families[name].add_metric(labels, value)

    def add_rules(self, rules: Rules) -> None:
        """Add what the indicators and areas are."""
        for it in rules.catalogue.indicator:
            self.add("caseline_indicator_info", 1, it.code, it.title, it.unit, it.polarity)
        for area in rules.areas.area:
            self.add("caseline_area_info", 1, area.name, area.level, area.parent or "")

    def add_rows(self, rules: Rules, rows: Iterable[ScorecardRow]) -> None:
        """Add the scorecard; no cell that there is nothing to say of, and no value without one."""
        indicators = {indicator.code: indicator for indicator in rules.catalogue.indicator}
        for row in rows:
            if row.status in ("reported", "supplied", "no-cases"):
                self._add_row(indicators[row.code], row)

    def _add_row(self, indicator: Indicator, row: ScorecardRow) -> None:
        cell = row.code, row.area, row.age_band
        if row.numerator is not None:
            self.add("caseline_indicator_numerator", row.numerator, *cell)
        if indicator.denominator is not None and row.denominator is not None:
            self.add("caseline_indicator_denominator", row.denominator, *cell)
        if row.value is not None and indicator.unit == "percent":
            self.add("caseline_indicator_ratio", row.value / 100, *cell)
        elif row.value is not None:
            self.add("caseline_indicator_value", row.value, *cell)
