"""From times as text to instants: one by one, and many at once where all are written as usual."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, positions
from processors.days.calendar import FIRST_YEAR, LAST_YEAR, Days
from schemas.events.attributes import RFC3339

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The accepted range: a day inside the calendar's tables, so that no offset leads out of them.
EARLIEST = (datetime(FIRST_YEAR, 1, 2, tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime(LAST_YEAR, 12, 31, tzinfo=UTC) - EPOCH) // MICROSECOND
# Stands for a time that is to be looked at by itself.
UNUSUAL = int(np.iinfo(np.int64).min)
# 2015-06-30T23:30:00 and then Z, or +01:00.
IN_UTC, WITH_OFFSET = 20, 25
MARKS, EXPECTED = np.array([4, 7, 10, 13, 16]), np.frombuffer(b"--T::", dtype=np.uint8)
TENS = np.array([0, 2, 5, 8, 11, 14, 17])
PLUS, MINUS, COLON, Z = b"+-:Z"
# Below this many, to ask of each alone is less work.
FEWEST = 100

Bytes = NDArray[np.uint8]


_is_time = re.compile(RFC3339).fullmatch


def microseconds(time: str) -> int:
    """Microseconds from 1970 UTC of an RFC 3339 time; digits beyond microseconds are cut.

    Raises ValueError for a date or time that no calendar has.
    """
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:  # lower-case letters, perhaps
        moment = datetime.fromisoformat(time.upper())
    return (moment - EPOCH) // MICROSECOND


def usual_instants(times: Sequence[str]) -> list[int]:
    """Microseconds from 1970 UTC of each time that is one in the accepted range, for certain.

    UNUSUAL for the others.
    """
    if len(times) < FEWEST:
        return [_usual_instant(time) for time in times]
    instants = np.full(len(times), UNUSUAL)
    lengths = np.fromiter(map(len, times), dtype=np.int64, count=len(times))
    for length in (IN_UTC, WITH_OFFSET):
        at = positions(lengths == length)
        text = "".join(times if len(at) == len(times) else [times[it] for it in at.tolist()])
        if len(at) and text.isascii():
            instants[at] = _instants(np.frombuffer(text.encode(), np.uint8).reshape(-1, length))
    found: list[int] = instants.tolist()
    return found


def _usual_instant(time: str) -> int:
    if not _is_time(time):
        return UNUSUAL
    try:
        instant = microseconds(time)
    except ValueError:
        return UNUSUAL
    return instant if EARLIEST <= instant <= LATEST else UNUSUAL


def _instants(chars: Bytes) -> Days:
    numbers, are_digits = _numbers(chars, TENS)
    century, in_century, month, day, hour, minute, second = numbers.T
    year = 100 * century + in_century
    months = 12 * (year - 1970) + month - 1
    first, next_first = _first_days(months), _first_days(months + 1)
    offset, is_offset = _offsets(chars)
    is_usual = (
        are_digits
        & is_offset
        & _all(chars[:, MARKS] == EXPECTED)
        # A day within the range, in whatever offset.
        & (year > FIRST_YEAR)
        & (year < LAST_YEAR)
        & (month >= 1)
        & (month <= 12)
        & (day >= 1)
        & (day <= next_first - first)
        & (hour < 24)
        & (minute < 60)
        & (second < 60)
    )
    minutes = ((first + day - 1) * 24 + hour) * 60 + minute - offset
    return np.where(is_usual, (60 * minutes + second) * 1_000_000, UNUSUAL)


def _numbers(chars: Bytes, tens: NDArray[np.int64]) -> tuple[Days, Flags]:
    """The numbers of two digits that begin in each of the columns, and whether they are digits."""
    # What is below "0" becomes a large number.
    high, low = chars[:, tens] - ord("0"), chars[:, tens + 1] - ord("0")
    are_digits = _all(high < 10) & _all(low < 10)
    return 10 * high.astype(np.int64) + low, are_digits


def _all(columns: Flags) -> Flags:
    """Whether all of each row are set."""
    return np.logical_and.reduce(columns, axis=1)  # type: ignore[no-any-return]


def _first_days(months: Days) -> Days:
    """The day number of the first of each month, counted from January 1970."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _offsets(chars: Bytes) -> tuple[Days, Flags]:
    """The offset from UTC in minutes that ends each row, and whether it is one."""
    sign = chars[:, IN_UTC - 1]
    if chars.shape[1] == IN_UTC:
        return np.zeros(len(chars), dtype=np.int64), sign == Z
    numbers, are_digits = _numbers(chars, np.array([IN_UTC, IN_UTC + 3]))
    hours, minutes = numbers.T
    is_sign = (sign == PLUS) | (sign == MINUS)
    is_time = are_digits & (chars[:, IN_UTC + 2] == COLON) & (hours < 24) & (minutes < 60)
    size = 60 * hours + minutes
    return np.where(sign == MINUS, -size, size), is_sign & is_time
