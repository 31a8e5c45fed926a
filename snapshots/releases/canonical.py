"""Canonical JSON (RFC 8785) and its SHA-256: the same value gives the same bytes everywhere."""

import hashlib
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as _string
from math import isfinite
from types import NoneType
from typing import Any

# Beyond these JSON's numbers are not exact in every language (RFC 7493, section 2.2).
MOST = 2**53 - 1
DIGITS = len(f"-{MOST}")
# Exponents between which a number is written without one (RFC 8785, section 3.2.2.3).
LARGEST_PLAIN, SMALLEST_PLAIN = 21, -6


def canonical(value: Any) -> bytes:
    """The canonical JSON of None, a bool, number, text, list, tuple or dict with text keys.

    Raises ValueError for a number that JSON cannot carry exactly, TypeError for any other type.
    """
    return _text(value).encode("utf-8")


def parsed(text: bytes) -> Any:
    """The value of a canonical JSON text.

    Raises ValueError when it is not JSON, or not canonical, so that it has another hash than its
    value has.
    """
    try:
        value = json.loads(text, parse_int=_exact)
        is_canonical = canonical(value) == text
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not is_canonical:
        raise ValueError("not canonical JSON")
    return value


def sha256(text: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(text).hexdigest()


def _text(value: Any) -> str:
    write = _WRITERS.get(type(value)) or _writer_of(value)
    return write(value)


def _constant(value: bool | None) -> str:
    return "null" if value is None else "true" if value else "false"


def _list(values: Sequence[Any]) -> str:
    return f"[{','.join(map(_text, values))}]"


def _object(members: dict[str, Any]) -> str:
    # Few names stand in very many places: which order they come in is worked out once.
    names = _named(tuple(members))
    return f"{{{','.join([head + _text(members[name]) for name, head in names])}}}"


@lru_cache(maxsize=1_000)
def _named(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Names by their UTF-16 code units (RFC 8785, section 3.2.3), each as it is written."""
    ordered = sorted(names, key=lambda name: name.encode("utf-16-be"))
    return [(name, f"{_string(name)}:") for name in ordered]


def _writer_of(value: Any) -> Callable[[Any], str]:
    """What writes a value of a kind that derives from one that JSON has."""
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write
    raise TypeError(f"{type(value).__name__} has no JSON")


def _exact(digits: str) -> int | float:
    """A whole number as `canonical` can write it: beyond those that are exact, as a fraction."""
    number = int(digits) if len(digits) <= DIGITS else MOST + 1
    return number if abs(number) <= MOST else float(digits)


def _integer(value: int) -> str:
    if abs(value) > MOST:
        raise ValueError(f"{value}: too great for JSON to carry exactly")
    return str(value)


def _number(value: float) -> str:
    """A number as ECMAScript writes it: the shortest digits that give it again."""
    if not isfinite(value):
        raise ValueError(f"{value}: JSON has no such number")
    if value == 0:
        return "0"
    sign, digit_tuple, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, digit_tuple))
    return "-" * sign + _placed(digits, len(digits) + exponent)


def _placed(digits: str, point: int) -> str:
    """Significant digits with the decimal point after the first `point` of them."""
    if len(digits) <= point <= LARGEST_PLAIN:
        return digits + "0" * (point - len(digits))
    if 0 < point <= LARGEST_PLAIN:
        return f"{digits[:point]}.{digits[point:]}"
    if SMALLEST_PLAIN < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


# A bool before the whole numbers, which it derives from.
_WRITERS: dict[type, Callable[[Any], str]] = {
    NoneType: _constant,
    bool: _constant,
    str: _string,
    int: _integer,
    float: _number,
    list: _list,
    tuple: _list,
    dict: _object,
}
