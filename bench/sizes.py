"""How much each benchmark does: in full, and in a minute while working on it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts of what is measured. `years` and `children` of histories, seconds of time."""

    throughput_events: int
    throughput_rounds: int
    plain_faust_seconds: float
    pair_events: int
    latency_state_events: int
    latency_seconds: float
    stage_events: int
    stage_rounds: int
    growth_events: tuple[int, ...]
    growth_more: int
    read_events: int
    read_growth: int
    read_years: tuple[int, int]
    reads: int
    memory_children: int
    million_events: int
    startup_children: tuple[int, ...]
    startup_years: int
    startups: int
    snapshot_children: tuple[int, ...]
    alert_cases: int
    alert_deadlines: int
    serving_children: int
    serving_seconds: float
    serving_listeners: int
    serving_moves: int


FULL = Sizes(
    throughput_events=500_000,
    throughput_rounds=3,
    plain_faust_seconds=20,
    pair_events=1_000_000,
    latency_state_events=200_000,
    latency_seconds=30,
    stage_events=100_000,
    stage_rounds=5,
    growth_events=(1_000, 100_000),
    growth_more=200,
    read_events=50_000,
    read_growth=10,
    read_years=(1, 10),
    reads=50,
    memory_children=50_000,
    million_events=8_500_000,
    startup_children=(50_000, 200_000),
    startup_years=10,
    startups=3,
    snapshot_children=(10_000, 100_000, 1_000_000),
    alert_cases=1_000_000,
    alert_deadlines=50_000,
    serving_children=1_000_000,
    serving_seconds=10,
    serving_listeners=1_000,
    serving_moves=30,
)
QUICK = Sizes(
    throughput_events=60_000,
    throughput_rounds=1,
    plain_faust_seconds=5,
    pair_events=200_000,
    latency_state_events=10_000,
    latency_seconds=6,
    stage_events=30_000,
    stage_rounds=2,
    growth_events=(1_000, 10_000),
    growth_more=50,
    read_events=5_000,
    read_growth=10,
    read_years=(1, 10),
    reads=20,
    memory_children=5_000,
    million_events=100_000,
    startup_children=(2_000, 8_000),
    startup_years=10,
    startups=1,
    snapshot_children=(1_000, 10_000),
    alert_cases=10_000,
    alert_deadlines=500,
    serving_children=2_000,
    serving_seconds=2,
    serving_listeners=100,
    serving_moves=5,
)
