"""What people decide, on real services: silences withhold, acknowledgements show, both expire."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from tests.support.alerting import (
    HOUR,
    NOON,
    Recorder,
    alert_id,
    asked,
    change,
    keys,
    life,
    receivers_file,
    silence,
    tell,
    webhook,
)
from tests.support.inbox import Inbox, serving
from tests.support.workers import CommandLine

pytestmark = pytest.mark.usefixtures("hook_secret")


@pytest.mark.services
def test_a_silence_withholds_what_is_raised_and_never_that_it_is_over(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    over, goes_on, untold, other = (life(number) for number in (1, 2, 3, 4))
    other = [it.model_copy(update={"owner": "Unit B"}) for it in other]
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path, NOON)
        recorder.record(over[0], goes_on[0])
        tell(caseline, path, NOON)
        told = keys([over[0], goes_on[0]])
        assert inbox.told == told

        silence(recorder, owners=["Unit A"])
        recorder.record(over[1], over[2], goes_on[1], untold[0], untold[1], other[0])
        recorder.record(change(5, owner="Unit A"), change(6))
        tell(caseline, path, NOON + HOUR / 2)
        told += keys([over[2], other[0]])
        assert inbox.told == told

        recorder.record(untold[2])
        tell(caseline, path, NOON + HOUR - timedelta(seconds=1))
        assert inbox.told == told

        tell(caseline, path, NOON + HOUR)
        told += keys([goes_on[1], change(5), change(6)])
        assert inbox.told == told

        recorder.record(goes_on[2])
        tell(caseline, path, NOON + HOUR)
        assert inbox.told == told + keys([goes_on[2]])


@pytest.mark.services
def test_a_silence_may_name_area_provider_severity_standard_and_alert(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path, NOON)
        silence(recorder, id="1", areas=["East"], within=["East", "Thanet"])
        silence(recorder, id="2", providers=["Porchlight"])
        silence(recorder, id="3", severities=["critical"], standards=["unit-plan"])
        silence(recorder, id="4", alerts=[alert_id(9)])
        recorder.record(
            change(1),
            change(2, area="Dover", provider="Porchlight"),
            change(3, area="Dover", severity="critical"),
            change(4, area="Dover", severity="critical", standard="unit-plan"),
            change(9, area="Dover"),
        )
        tell(caseline, path, NOON)
    assert inbox.told == keys([change(3)])


@pytest.mark.services
def test_alerts_are_listed_by_severity_and_age_with_what_was_decided(
    caseline: CommandLine, recorder: Recorder
) -> None:
    recorder.record(
        change(1, due="2015-10-15"),
        change(2, due="2015-10-12", state="due-soon", owner="Unit B"),
        change(3, due="2015-10-20", severity="critical", area="Dover"),
        *life(4),
    )
    shown = caseline.run("alerts", "list")
    assert "3 alerts are active, on 3 cases" in shown.stderr
    lines = [line.split() for line in shown.stdout.splitlines() if " P" in line]
    cases = [next(it for it in line if it.startswith("C")) for line in lines]
    assert cases == ["C3", "C1", "C2"]  # the last is due soon
    assert [alert_id(number)[:8] in line for line, number in zip(lines, (3, 1, 2), strict=True)]

    who = ("--by", "T. Lead", "--reason", "Visit booked")
    acked = asked(caseline, "ack", alert_id(1)[:8], *who, "--for", "3d")
    assert f"{alert_id(1)} (breached) acknowledged until" in acked.stderr
    number = asked(caseline, "silence", "--area", "Kent", *who, "--for", "8h").stderr.partition(
        ":"
    )[0]
    rows = json.loads(asked(caseline, "list", "--format", "json").stdout)
    by_case = {it["case"]: it for it in rows}
    assert by_case["C1"]["acknowledged_by"] == "T. Lead"
    assert by_case["C2"]["acknowledged_by"] is None
    assert all(by_case[case]["silenced_until"] for case in ("C1", "C2", "C3"))

    shown = caseline.run("alerts", "silences")
    assert "area Kent" in shown.stdout
    assert number in shown.stdout
    asked(caseline, "unsilence", number, "--by", "T. Lead")
    assert "0 silences." in asked(caseline, "silences").stderr
    assert "1 silences." in asked(caseline, "silences", "--all").stderr
    assert (
        f"no silence {number}"
        in asked(caseline, "unsilence", number, "--by", "T. Lead", code=1).stderr
    )

    def listed(*options: str) -> list[str]:
        text = asked(caseline, "list", "--format", "csv", *options).stdout
        return [row["case"] for row in csv.DictReader(io.StringIO(text))]

    assert listed("--state", "due-soon") == ["C2"]
    assert listed("--area", "Dover", "--severity", "critical") == ["C3"]
    assert listed("--owner", "Unit A", "--case", "C1", "--case", "C2") == ["C1"]
    assert listed("--standard", "unit-plan") == []
    assert listed("--due-before", "2015-10-15") == ["C2"]
    assert listed("--limit", "1") == ["C3"]
    assert listed("--since", "2015-10-17") == []


@pytest.mark.services
def test_an_alert_is_shown_with_its_history_and_who_was_told(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path)
        recorder.record(*life(1), *life(2)[:2])
        tell(caseline, path)
    asked(
        caseline,
        "silence",
        "--alert",
        alert_id(2)[:8],
        "--by",
        "x",
        "--reason",
        "y z",
        "--for",
        "1h",
    )
    on = caseline.run("alerts", "show", alert_id(2), receivers_file=path).stdout
    assert "told: breached since 2015-10-16" in on
    assert "by x: y z" in on
    over = asked(caseline, "show", alert_id(1), receivers_file=path).stdout
    assert "done-late" in over
    assert "told of nothing that is active" in over
    states = [
        line.split()[1].strip(",")
        for line in over.splitlines()
        if line.split()[:1] in (["1"], ["2"], ["3"])
    ]
    assert states == ["due-soon", "breached", "resolved"]
    assert "no alert" in asked(caseline, "show", alert_id(9), code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ack", "xyz", "--for", "1h"), "20 hexadecimal digits"),
        (("ack", alert_id(1)), "--until or --for"),
        (("ack", alert_id(1), "--for", "1h", "--until", "2015-10-31"), "--until or --for"),
        (("silence", "--for", "1h"), "say what is silenced"),
        (("silence", "--owner", "x", "--for", "1s"), "30m, 8h"),
        (("silence", "--area", "Mars", "--for", "1h"), "Thanet"),
        (("ack", "6b86b", "--for", "1h"), "20 hexadecimal digits"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    run = CliRunner().invoke(app, ["alerts", *arguments, "--by", "x", "--reason", "y"])
    assert run.exit_code == 2
    assert said in " ".join(run.stderr.replace("│", "").split())


@pytest.mark.services
def test_what_cannot_be_done_is_told_in_words(caseline: CommandLine) -> None:
    who = ("--by", "x", "--reason", "y")
    none = asked(caseline, "ack", alert_id(1), *who, "--for", "1h", code=1)
    assert f"no alert {alert_id(1)} is active" in none.stderr
    few = asked(caseline, "ack", alert_id(1)[:8], *who, "--for", "1h", code=1)
    assert f"{alert_id(1)[:8]} begins no active alert's id" in few.stderr
    past = caseline.run(
        "alerts", "silence", "--owner", "Kent", *who, "--until", "2015-01-01", code=1
    )
    assert "it would be over before it began, at 2015-01-01 00:00" in past.stderr
