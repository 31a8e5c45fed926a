"""Canonical JSON (RFC 8785) and its SHA-256: the same value gives the same bytes everywhere."""

import hashlib
import json
from decimal import Decimal
from math import isfinite
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
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if canonical(value) != text:
        raise ValueError("not canonical JSON")
    return value


def sha256(text: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(text).hexdigest()


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return f"{{{','.join(f'{_text(name)}:{_text(value[name])}' for name in names)}}}"
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
