"""The metrics of a whole deployment: their names, what each says, and an indicator's series."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily

from processors.rules import Rules
from schemas.catalogue import ALL_AGES, Indicator
from schemas.places import PROVIDER
from schemas.scorecard import ScorecardRow

# Providers with series of their own: a bound on what events that name others can make grow.
MOST_PROVIDERS = 20
CELL = ("code", "area", "age_band")
PLACE = ("code", "level", "place")
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
    "caseline_place_numerator": (
        "As caseline_indicator_numerator, of a provider as a whole, a children's centre or a hub.",
        PLACE,
    ),
    "caseline_place_denominator": (
        "As caseline_indicator_denominator, of a provider as a whole, a centre or a hub.",
        PLACE,
    ),
    "caseline_place_ratio": (
        "As caseline_indicator_ratio, of a provider as a whole, a children's centre or a hub.",
        PLACE,
    ),
    "caseline_place_value": (
        "As caseline_indicator_value, of a provider as a whole, a children's centre or a hub.",
        PLACE,
    ),
    "caseline_providers_left_out": (
        "Providers without series of their own, because no more than 20 have any.",
        (),
    ),
    "caseline_indicator_info": (
        "Each indicator's title, family, unit, and if high (H), low (L) or neither (T) is good.",
        ("code", "title", "family", "unit", "polarity"),
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
        "When the state was last compared with the log; at first, since when that is waited for.",
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
            labels = it.code, it.title, it.family, it.unit, it.polarity
            self.add("caseline_indicator_info", 1, *labels)
        for area in rules.areas.area:
            self.add("caseline_area_info", 1, area.name, area.level, area.parent or "")

    def add_rows(self, rules: Rules, rows: Iterable[ScorecardRow]) -> None:
        """Add the scorecard; no cell that there is nothing to say of, and no value without one.

        Of places other than areas all ages together; of providers the first few in order of rows.
        """
        indicators = {indicator.code: indicator for indicator in rules.catalogue.indicator}
        rows = list(rows)
        providers = list(dict.fromkeys(it.area for it in rows if it.level == PROVIDER))
        left_out = {(PROVIDER, name) for name in providers[MOST_PROVIDERS:]}
        self.add("caseline_providers_left_out", len(left_out))
        for row in rows:
            if row.status not in ("reported", "supplied", "no-cases"):
                continue
            if row.level in rules.areas.levels:
                labels = row.code, row.area, row.age_band
                self._add_row("caseline_indicator", labels, indicators[row.code], row)
            elif row.age_band == ALL_AGES and (row.level, row.area) not in left_out:
                labels = row.code, row.level, row.area
                self._add_row("caseline_place", labels, indicators[row.code], row)

    def _add_row(
        self, start: str, labels: tuple[str, ...], indicator: Indicator, row: ScorecardRow
    ) -> None:
        if row.numerator is not None:
            self.add(f"{start}_numerator", row.numerator, *labels)
        if indicator.denominator is not None and row.denominator is not None:
            self.add(f"{start}_denominator", row.denominator, *labels)
        if row.value is not None and indicator.unit == "percent":
            self.add(f"{start}_ratio", row.value / 100, *labels)
        elif row.value is not None:
            self.add(f"{start}_value", row.value, *labels)
