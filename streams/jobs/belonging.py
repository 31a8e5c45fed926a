"""Which messages are of a child, whatever topic they lie in, and which only name one."""

import base64
import json
import re
from collections.abc import Collection
from math import isfinite
from typing import Any

from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC
from streams.kafka.batches import TP, KafkaRecord

PARTITION_KEY_HEADER = "ce_partitionkey"
# A value that is nested deeper, as no event is, is kept as text.
DEEPEST = 50
# What words are made of, and so most identifiers of children.
WORD = re.compile(rb"[\w-]+")


class Belonging:
    """Tells messages of some children from those of everyone else.

    `alerts` are the ids of their alerts; those of alerts that are met in their topic are added.
    """

    def __init__(self, children: Collection[str], alerts: set[str]) -> None:
        self._children, self.alerts = frozenset(children), alerts
        spelt = {it for child in children for it in (child, json.dumps(child)[1:-1])}
        texts = {it.encode(errors="surrogatepass") for it in spelt}
        self._words = {it for it in texts if WORD.fullmatch(it)}
        parts = b"|".join(re.escape(it) for it in sorted(texts - self._words))
        # As a word of its own: child-1 is not named where child-12 is.
        self._odd = re.compile(rb"(?<![\w-])(?:" + parts + rb")(?![\w-])") if parts else None

    def has(self, tp: TP, record: KafkaRecord) -> bool:
        """Whether a message is of one of the children."""
        if tp.topic == DECISIONS_TOPIC:
            return self._is_about_alerts(record)
        value = value_of(record.value)
        headers = {name: plain(text) for name, text in record.headers}
        named = {plain(record.key), headers.get(PARTITION_KEY_HEADER)}
        if isinstance(value, dict):
            attribute = "child" if tp.topic.startswith(ALERTS_TOPIC) else "partitionkey"
            said = value.get(attribute)
            named.add(said if isinstance(said, str) else None)
        is_found = not self._children.isdisjoint(it for it in named if it is not None)
        if is_found and tp.topic == ALERTS_TOPIC and isinstance(value, dict):
            self.alerts.add(str(value.get("alert")))
        return is_found

    def is_named_in(self, record: KafkaRecord) -> bool:
        """Whether a message names one of the children, be it theirs or not."""
        parts = (record.key, record.value, *(text for _, text in record.headers))
        return any(self.is_named(it) for it in parts if it is not None)

    def is_named(self, text: bytes) -> bool:
        """Whether a text names one of the children."""
        if not self._words.isdisjoint(WORD.findall(text)):
            return True
        return self._odd is not None and self._odd.search(text) is not None

    def _is_about_alerts(self, record: KafkaRecord) -> bool:
        """Whether someone decided about an alert of theirs, under whatever deployment."""
        number = (record.key or b"").decode("utf-8", "replace").rpartition("/")[2]
        value = value_of(record.value)
        about = value.get("alerts") if isinstance(value, dict) else None
        of_several = {str(it) for it in about} if isinstance(about, list) else set()
        return bool(self.alerts & {number, *of_several})


def value_of(value: bytes | None) -> Any:
    """A message's value as JSON where it is JSON."""
    try:
        read = json.loads(value or b"", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return plain(value)
    return read if _is_writable(read, DEEPEST) else plain(value)


def _refuse(constant: str) -> None:
    """What Python reads as JSON and is none: NaN and infinities."""
    raise ValueError(constant)


def _is_writable(part: object, depth: int) -> bool:
    """Whether a value is nested at most so deep, with every number one that JSON has."""
    if isinstance(part, float):
        return isfinite(part)
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return depth > 0 and all(_is_writable(it, depth - 1) for it in inside)


def plain(part: bytes | None) -> str | None:
    """Bytes as text, or as base64 where they are none."""
    if part is None:
        return None
    try:
        return part.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(part).decode()}"
