"""The alerts that were told of one child, and how they are stored: together, or many each apart."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from struct import Struct

import msgspec

from processors.alerts.told import About, Alert

# Alerts from which on each of a child's is stored on its own, so that what is told of one is not
# written with all the others. A child has some three.
MANY = 32
# What begins no encoded alerts: MessagePack never uses it.
APART = b"\xc1"
_PLACE = Struct("<cI")
_ARRAY = Struct(">BI")  # as MessagePack begins an array, whatever its length
ARRAY_BEGINS = 0xDD


class WrittenAlerts(msgspec.Struct, frozen=True, gc=False):
    """What is to be stored of the alerts told of a child.

    `place` lies in the child's place: the encoded alerts, or how many there are apart. `apart` are
    those to be stored there, by what they are about; `is_first` where nothing was before.
    """

    place: bytes
    apart: Mapping[bytes, bytes] = {}
    is_first: bool = False


class ToldAlerts:
    """The alerts that were told of a child, by what they are about."""

    __slots__ = ("_by_case", "_is_apart", "alerts")

    def __init__(self, alerts: Iterable[Alert] = (), *, is_apart: bool = False) -> None:
        self.alerts: dict[About, Alert] = {alert.about: alert for alert in alerts}
        self._is_apart = is_apart
        self._by_case: dict[str, set[About]] | None = None

    def of(self, cases: Collection[str]) -> dict[About, Alert]:
        """Those of some of the child's cases."""
        if self._by_case is None:
            self._by_case = {}
            for case, standard, episode in self.alerts:
                self._by_case.setdefault(case, set()).add((case, standard, episode))
        of_cases = (self._by_case.get(case, ()) for case in cases)
        return {about: self.alerts[about] for abouts in of_cases for about in abouts}

    def take(self, told: Sequence[Alert]) -> WrittenAlerts:
        """Take in what is told; what is to be stored since."""
        for alert in told:
            self.alerts[alert.about] = alert
            if self._by_case is not None:
                self._by_case.setdefault(alert.case, set()).add(alert.about)
        if len(self.alerts) < MANY and not self._is_apart:
            return WrittenAlerts(encode_alerts(list(self.alerts.values())))
        is_first, self._is_apart = not self._is_apart, True
        written = self.alerts.values() if is_first else told
        apart = {_encode(alert.about): _encode(alert) for alert in written}
        return WrittenAlerts(_PLACE.pack(APART, len(self.alerts)), apart, is_first)


def read_told(stored: bytes | None) -> ToldAlerts:
    """The alerts told of a child, from what is stored: `joined` where they are stored apart.

    Raises ValueError or msgspec.DecodeError for what is not what was stored.
    """
    if stored is None:
        return ToldAlerts()
    if is_apart(stored):
        return ToldAlerts(decode_alerts(stored[_PLACE.size :]), is_apart=True)
    return ToldAlerts(decode_alerts(stored))


def is_apart(stored: bytes | None) -> bool:
    """Whether what lies in a child's place says that the alerts are stored apart."""
    return stored is not None and stored.startswith(APART)


def is_whole(place: bytes, apart: int) -> bool:
    """Whether so many are stored apart as what lies in the child's place says."""
    return place == _PLACE.pack(APART, apart)


def joined(place: bytes, apart: Sequence[bytes]) -> bytes | None:
    """Alerts that are stored apart, as `read_told` takes them; None where some are missing."""
    if not is_whole(place, len(apart)):
        return None
    return b"".join([place, _ARRAY.pack(ARRAY_BEGINS, len(apart)), *apart])


_encode = encode_alerts = msgspec.msgpack.Encoder().encode
decode_alerts = msgspec.msgpack.Decoder(list[Alert]).decode
