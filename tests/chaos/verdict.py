"""What is compared in the end, each with what follows from the log's events alone.

Brute force reads what another client reads of the log: nothing here is the product's but what is
under test, and the arithmetic that prints a figure.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Message

from processors.alerts.phrases import alert_id
from schemas.alerts import ALERTS_TOPIC, CHANGE, CaseChange
from schemas.events.registry import CASE_TOPIC, VALIDATORS
from schemas.scorecard import ScorecardRow
from streams.kafka.batches import TP
from streams.kafka.deadletters import CLASS, OFFSET, PARTITION, dead_letter_topic
from tests.chaos.traffic import COPY, committed
from tests.reference import KENT
from tests.reference.alerts import Found, alerts
from tests.reference.everything import figures
from tests.reference.places import Places, Ratio
from tests.reference.topics import parse_any
from tests.support.everywhere import KINDS_OF_SITE, expected, shown
from tests.support.examples import DATA
from tests.support.inbox import Inbox
from tests.support.workers import CommandLine

Log = dict[TP, list[tuple[int, Message]]]
SHOWN = 5
# The kinds of place whose name says which it is.
AREAS = ("county", "area", "district")


def log_of(brokers: str) -> Log:
    """The events' topics, as they are in the end."""
    return committed(brokers, list(VALIDATORS))


def wrong_tables(caseline: CommandLine, log: Log, days: list[date]) -> Iterator[str]:
    """Cells of the live scorecard, at every kind of place, that brute force has otherwise."""
    events = [event for event in map(parse_any, _values(log)) if event is not None]
    levels = [part for level in caseline.rules.graph.levels for part in ("--level", level)]
    for day in days:
        text = caseline.run("scorecard", "--as-of", f"{day}", "--format", "json", *levels).stdout
        rows = msgspec.convert(json.loads(text), list[ScorecardRow])
        said = shown(caseline.rules, rows)
        true = expected(caseline.rules, events, _places(), KENT, day)
        assert true, f"nothing is expected on {day}"
        yield from _differences(f"scorecard of {day}", said, true)


def wrong_counts(caseline: CommandLine, log: Log) -> Iterator[str]:
    """Messages that were taken in otherwise than once, and dead letters that are not one each."""
    read = sum(map(len, log.values()))
    if caseline.tally("messages") != read:
        yield f"{caseline.tally('messages')} messages are counted, {read} are in the log"
    for topic in VALIDATORS:
        rejected = sorted(
            (tp.partition, offset)
            for tp, found in log.items()
            for offset, message in found
            if tp.topic == topic and _is_no_event(message)
        )
        letters = sorted(_letters(caseline.settings.kafka_bootstrap, topic))
        if topic == CASE_TOPIC:
            assert rejected, "no message was poison"
        if letters != rejected:
            twice = [it for it, times in Counter(letters).items() if times > 1]
            lost = sorted(set(rejected) - set(letters))[:SHOWN]
            odd = sorted(set(letters) - set(rejected))[:SHOWN]
            yield f"dead letters of {topic}: {lost} lost, {twice[:SHOWN]} twice, {odd} odd"


def wrong_logs(caseline: CommandLine) -> Iterator[str]:
    """Logs of all processes, whatever befell them, that name a child."""
    for path in sorted(caseline.folder.glob("*.log")):
        if COPY in path.read_text(errors="replace"):
            yield f"{path.name} has a child's key"


def wrong_releases(caseline: CommandLine, log: Log, period: str) -> Iterator[str]:
    """Cells of releases that brute force over the log up to their cut has otherwise."""
    names = sorted((caseline.folder / "releases" / period).glob("*/release.json"))
    for path in names:
        release = json.loads(path.read_text())
        cut = {TP(it["topic"], it["partition"]): it["offset"] for it in release["cut"]}
        values = [
            message.value()
            for tp, found in log.items()
            for offset, message in found
            if offset < cut.get(tp, 0) and _has_own_key(message)
        ]
        events = [event for event in map(parse_any, filter(None, values)) if event is not None]
        day = date.fromisoformat(release["as_of"])
        facts = {
            (code, "" if kind in AREAS else kind, place, band): it
            for (code, kind, place, band), it in figures(events, _places(), day, KENT).items()
        }
        true = {cell: tuple(it) for cell, it in facts.items() if isinstance(it, Ratio)}
        said = {
            (it["code"], _kind(it), it["area"], it["age_band"]): (
                it["numerator"],
                it["denominator"],
            )
            for it in release["cells"]
        }
        said = {cell: it for cell, it in said.items() if cell in true or cell not in facts}
        found = {cell: pair for cell, pair in said.items() if any(pair)}
        known = {cell: pair for cell, pair in true.items() if cell in said}
        yield from _differences(f"release {_name(path)}", found, known)
    if not names:
        yield f"no release of {period} was made"


def _kind(cell: dict[str, Any]) -> str:
    """The kind of place that a release's cell is of, as brute force calls it; "" for areas."""
    level: str = cell.get("level", "")
    return KINDS_OF_SITE.get(level, level)


def _places() -> Places:
    places: Places = json.loads((DATA / "all-places.json").read_text())
    return places


def _name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.parts[-2]}"


class Alerts:
    """What of alerts is true, and who was told what."""

    def __init__(self, caseline: CommandLine, inbox: Inbox, log: Log, today: date) -> None:
        self._caseline, self._inbox = caseline, inbox
        events = [event for event in map(parse_any, _values(log)) if event is not None]
        self.true = {alert_id(*about): it for about, it in alerts(events, today).items()}

    def active(self) -> dict[str, tuple[str, str, str]]:
        """State, since and due of every alert on a case that is on."""
        return {name: _told(it) for name, it in self.true.items() if it.state != "resolved"}

    def received(self) -> dict[str, tuple[str, str, str]]:
        """The same as the receiver has it: each change once, the greatest version of each alert."""
        latest: dict[str, dict[str, Any]] = {}
        for change in self._inbox.changes:
            known = latest.get(change["alert"])
            if known is None or change["version"] > known["version"]:
                latest[change["alert"]] = change
        return {
            name: (it["state"], it["since"], it["due"])
            for name, it in latest.items()
            if it["kind"] == "case" and it["state"] != "resolved"
        }

    def agree(self) -> bool:
        """Whether the receiver has exactly what is true."""
        return self.received() == self.active()

    def wrong(self) -> Iterator[str]:
        """Where the receiver, or the topic, has something else than what is true."""
        yield from _differences("alerts at the receiver", self.received(), self.active())
        yield from self._wrong_in_topic()

    def _wrong_in_topic(self) -> Iterator[str]:
        changes: dict[str, dict[int, set[str]]] = {}
        latest: dict[str, CaseChange] = {}
        log = committed(self._caseline.settings.kafka_bootstrap, [ALERTS_TOPIC])
        for _, message in (entry for found in log.values() for entry in found):
            change = CHANGE.validate_json(message.value() or b"")
            changes.setdefault(change.alert, {}).setdefault(change.version, set()).add(
                f"{change.state} {change.since} {change.reason}"
            )
            if isinstance(change, CaseChange) and (
                change.alert not in latest or change.version >= latest[change.alert].version
            ):
                latest[change.alert] = change
        for name, versions in changes.items():
            if sorted(versions) != list(range(1, len(versions) + 1)):
                yield f"alert {name} has versions {sorted(versions)}"
            unlike = {version: said for version, said in versions.items() if len(said) > 1}
            if unlike:
                yield f"alert {name} says different things under one version: {unlike}"
        said = {
            name: Found(it.state, it.since, it.due, it.reason)
            for name, it in latest.items()
            if name in self.true
        }
        yield from _differences("alerts in the topic", said, self.true)
        more = [name for name, it in latest.items() if name not in self.true and it.is_active]
        if more:
            yield f"alerts in the topic that are not true: {more[:SHOWN]}"


def _told(it: Found) -> tuple[str, str, str]:
    return it.state, it.since.isoformat(), it.due.isoformat()


def _values(log: Log) -> Iterator[bytes]:
    """What of the log may be events: messages whose key is their partition key."""
    for found in log.values():
        for _, message in found:
            if _has_own_key(message):
                yield message.value() or b""


def _has_own_key(message: Message) -> bool:
    try:
        event = json.loads(message.value() or b"")
    except ValueError:
        return True  # no event, whatever its key
    key = message.key()
    return not isinstance(event, dict) or event.get("partitionkey") == (key or b"").decode(
        errors="replace"
    )


def _is_no_event(message: Message) -> bool:
    return parse_any(message.value() or b"") is None or not _has_own_key(message)


def _letters(brokers: str, topic: str) -> Iterator[tuple[int, int]]:
    """Where the messages lay of which there are dead letters."""
    for found in committed(brokers, [dead_letter_topic(topic)]).values():
        for _, message in found:
            headers = dict(message.headers() or ())
            assert CLASS in headers
            yield int(headers[PARTITION] or b""), int(headers[OFFSET] or b"")


def _differences(what: str, said: dict[Any, Any], true: dict[Any, Any]) -> Iterator[str]:
    cells = [cell for cell in said.keys() | true.keys() if said.get(cell) != true.get(cell)]
    if cells:
        yield f"{what}: {len(cells)} of {len(true)} differ"
        for cell in sorted(cells, key=repr)[:SHOWN]:
            yield f"  {cell}: {said.get(cell)}, but {true.get(cell)}"
