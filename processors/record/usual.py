"""Messages as nearly all of them are, read the quick way, but for whether their time is one.

What an event is, the schemas' validator decides (schemas.events.registry). It spends most of its
time on the attributes round the data, which are the same for every type. Here a faster parser reads
them, which takes only what the validator is certain to take; whatever it does not take, it says
nothing of, and the validator is asked. The data are the validator's in any case, and what it made
of the same bytes a moment ago holds again: events of a kind say the same in few bytes.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from schemas.events.registry import data_on

# What is longer is for the validator. In so few bytes nothing is nested too deep for a parser.
MOST_BYTES = 400
# Data remembered of a topic; of notifications nearly each has other data.
MOST_REMEMBERED = 5_000
# Subjects remembered of a topic: those of cases that are open, of which more comes. They take some
# 15 MB.
MOST_SUBJECTS = 100_000
BACKSLASH = ord("\\")

Name = Annotated[str, msgspec.Meta(min_length=1)]


class Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The attributes of a valid event (schemas.events.attributes), and others often beside them.

    With an attribute that is not named here anything might come that the validator would not take.
    `data` are text at first, and then what they say, without absent fields: not to be changed.
    """

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: str
    subject: Name
    time: str
    partitionkey: Name
    data: Any = b""
    revision: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0
    datacontenttype: str = ""
    dataschema: str = ""
    traceparent: str = ""
    tracestate: str = ""


class _Text(Envelope, forbid_unknown_fields=True, gc=False):
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Text).decode


def is_plain(text: bytes) -> bool:
    """Whether a text has nothing in it that parsers may differ about.

    Where an attribute comes twice, the faster parser passes over the first without asking whether
    it is UTF-8: in ASCII no matter. The validator's takes NaN and Infinity for numbers.
    """
    return text.isascii() and BACKSLASH not in text and not mentions_constants(text)


def mentions_constants(text: bytes) -> bool:
    """Whether NaN or Infinity may be in a text."""
    return b"NaN" in text or b"Infinity" in text


class Usual:
    """Reads the messages of one topic, of which it remembers up to so many subjects."""

    def __init__(self, topic: str, subjects: int = MOST_SUBJECTS) -> None:
        self._most_subjects = subjects
        self._data_of = data_on(topic)
        self._known: dict[tuple[str, bytes], tuple[str, dict[str, Any]]] = {}
        # Each source once in memory, since there are few and every event has one, and each subject,
        # since events of a case are kept together.
        self._sources: dict[str, str] = {}
        self._subjects: dict[str, str] = {}

    def read(self, texts: Sequence[bytes | None]) -> list[Envelope | None]:
        """Of each text an event that is valid if its time is one; None for whatever else it is."""
        if not is_plain(b"".join([text for text in texts if text])):
            texts = [text if text and is_plain(text) else None for text in texts]
        known, found = self._known, list[Envelope | None]()
        source_of, subject_of = self._sources.setdefault, self._subjects.setdefault
        if len(self._sources) >= MOST_REMEMBERED:
            self._sources.clear()
        if len(self._subjects) >= self._most_subjects:
            self._subjects.clear()
        for text in texts:
            event: Envelope | None = None
            what = None
            if text is not None and len(text) <= MOST_BYTES:
                try:
                    event = _decode(text)
                    said = event.type, bytes(event.data)
                    what = known.get(said) or self._learn(*said)
                except ValueError:
                    what = None
            if event is None or what is None:
                found.append(None)
            else:
                event.type, event.data = what
                event.source = source_of(event.source, event.source)
                event.subject = subject_of(event.subject, event.subject)
                found.append(event)
        return found

    def _learn(self, event_type: str, text: bytes) -> tuple[str, dict[str, Any]] | None:
        """A type, and what data say; None where they may be invalid. Raises ValueError for that."""
        asked = self._data_of.get(event_type)
        if asked is None or not (text or asked.may_be_absent):
            return None
        data = present(asked.validator.validate_json(text)) if text else {}
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        known = self._known[event_type, text] = event_type, data
        return known


def present(data: dict[str, Any] | None) -> dict[str, Any]:
    """Data without the fields that are null, which is as if they were not there."""
    if data is None:
        return {}
    if None in data.values():
        return {name: value for name, value in data.items() if value is not None}
    return data
