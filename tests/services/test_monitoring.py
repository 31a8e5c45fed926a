"""What ships for Prometheus, Alertmanager and Grafana holds, by their own tools and each other."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from schemas.catalogue import load_catalogue
from schemas.standards import load_standards
from streams.metrics.families import FAMILIES
from streams.metrics.jobs import DeliveryMetrics, FreezeMetrics
from streams.metrics.workers import WorkerMetrics
from tests.support.monitoring import MONITORING, ROOT, Programs, Running
from tests.support.patience import wait_for

RULES = sorted((MONITORING / "rules").glob("*.yml"))
RULE_TESTS = sorted((MONITORING / "tests").glob("*.yml"))
DASHBOARD = json.loads((MONITORING / "grafana/dashboards/caseline.json").read_text("utf-8"))
VARIABLES = {"$code": "EH01", "$area": "Kent", "$age_band": "all"}
RUNBOOK = "docs/runbook.md"
TYPES = {"timeseries", "stat", "table", "bargauge", "row"}


def from_yaml(*path: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*path).read_text("utf-8"))


def rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in from_yaml(str(path))["groups"]:
            yield from group["rules"]


ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDED = [rule for rule in rules() if "record" in rule]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def dashboard_expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def exported() -> set[str]:
    """The names of all series that the code can show."""
    registry = CollectorRegistry()
    for metrics in (WorkerMetrics, DeliveryMetrics, FreezeMetrics):
        metrics(registry)
    parts = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    names = {
        f"{family.name}{suffix}" for family in registry.collect() for suffix in parts[family.type]
    }
    return names | FAMILIES.keys()


def named_in(expression: str) -> set[str]:
    """The names of our own metrics, and of recorded ones, in a PromQL expression."""
    words = re.findall(r"[a-zA-Z_:][\w:]*", re.sub(r'"[^"]*"', "", expression))
    return {word for word in words if "caseline_" in word}


def test_the_configuration_passes_prometheus_own_checks(monitoring_programs: Programs) -> None:
    monitoring_programs.check("promtool", "check", "config", MONITORING / "prometheus.yml")
    monitoring_programs.check("promtool", "check", "rules", "--lint-fatal", *RULES)


def test_the_configuration_passes_alertmanagers_own_check(monitoring_programs: Programs) -> None:
    monitoring_programs.check("amtool", "check-config", MONITORING / "alertmanager.yml")


def test_the_rules_pass_their_tests(monitoring_programs: Programs) -> None:
    monitoring_programs.check("promtool", "test", "rules", *RULE_TESTS)


def test_every_alert_is_tested_both_to_fire_and_not_to() -> None:
    outcomes: defaultdict[str, set[bool]] = defaultdict(set)
    for path in RULE_TESTS:
        for test in from_yaml(str(path))["tests"]:
            for case in test.get("alert_rule_test", ()):
                outcomes[case["alertname"]].add(bool(case["exp_alerts"]))
    assert outcomes == {rule["alert"]: {True, False} for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["for"]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert {"summary", "description"} <= rule["annotations"].keys()
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOK}#{rule['alert'].lower()}"


def test_the_runbook_has_a_section_for_every_alert_and_for_no_other_alert() -> None:
    sections = re.findall(r"^## (.*)$", (ROOT / RUNBOOK).read_text("utf-8"), re.MULTILINE)
    of_alerts = [section for section in sections if section.startswith("Caseline")]
    assert of_alerts == [rule["alert"] for rule in ALERTS]


def test_recorded_metrics_are_named_by_level_metric_and_operations() -> None:
    for rule in RECORDED:
        assert re.fullmatch(r"[a-z_]+:caseline_[a-z_]+:[a-z_0-9]+", rule["record"]), rule


def test_rules_and_dashboard_name_only_what_the_code_shows_or_a_rule_records() -> None:
    there = exported() | {rule["record"] for rule in RECORDED}
    expressions = [rule["expr"] for rule in rules()] + dashboard_expressions()
    expressions += [variable["definition"] for variable in DASHBOARD["templating"]["list"]]
    used = set().union(*map(named_in, expressions))
    assert used <= there, sorted(used - there)


def test_limits_are_on_standards_that_ship() -> None:
    limits = {
        rule["labels"]["standard"]
        for rule in RECORDED
        if rule["record"] == "standard:caseline_breaches:limit"
    }
    codes = {standard.code for standard in load_standards(load_catalogue()).standard}
    assert limits - {"any"} <= codes
    assert "any" in limits


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=CaselineRedisDown severity=critical", "on-call"),
        ("alertname=CaselineSlow severity=warning", "engineers"),
        ("alertname=unit-plan state=breached severity=warning owner_kind=team owner=U1", "owners"),
        (
            "alertname=neet-open state=breached severity=critical owner_kind=provider owner=P",
            "duty-manager",
        ),
        ("alertname=neet-open state=due-soon severity=critical owner_kind=provider", "shown"),
    ],
)
def test_alerts_go_to_whoever_answers_for_them_and_due_soon_wakes_nobody(
    monitoring_programs: Programs, labels: str, receiver: str
) -> None:
    path = MONITORING / "alertmanager.yml"
    options = [f"--config.file={path}", f"--verify.receivers={receiver}"]
    monitoring_programs.check("amtool", "config", "routes", "test", *options, *labels.split())
    assert [it for it in from_yaml(str(path))["receivers"] if it["name"] == "shown"] == [
        {"name": "shown"}
    ]


def test_the_dashboard_is_one_that_grafana_can_lay_out() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert panel["type"] in TYPES
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells


def test_the_dashboard_asks_the_data_source_that_is_provisioned() -> None:
    folder = "monitoring/grafana/provisioning"
    (source,) = from_yaml(f"{folder}/datasources/prometheus.yml")["datasources"]
    expected = {"type": source["type"], "uid": source["uid"]}
    asked = [target for panel in panels() for target in panel["targets"]]
    assert all(it["datasource"] == expected for it in (*panels(), *asked))
    assert all(it["datasource"] == expected for it in DASHBOARD["templating"]["list"])


def test_prometheus_takes_every_rule_and_every_question_of_the_dashboard(
    prometheus: Callable[..., Running],
) -> None:
    server = prometheus({}, MONITORING / "rules")
    for expression in dashboard_expressions():
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        assert "$" not in expression
        server.query(expression)

    def health() -> set[str]:
        groups = server.get("/api/v1/rules")["data"]["groups"]
        return {rule["health"] for group in groups for rule in group["rules"]}

    wait_for(lambda: "unknown" not in health(), "every rule was evaluated")
    assert health() == {"ok"}
