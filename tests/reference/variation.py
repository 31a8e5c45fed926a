"""Control charts by brute force: every window of months looked at for itself."""

from collections.abc import Sequence
from fractions import Fraction

# (lower, mean, upper), and of each month the words of the rules that it meets, with +1 or -1.
Limits = tuple[Fraction, Fraction, Fraction]
Met = set[tuple[str, int]]


def charted(values: Sequence[Fraction | None]) -> tuple[Limits | None, list[Met]]:
    """The limits of a stretch of months, None for one that is not judged; and what each meets."""
    met: list[Met] = [set() for _ in values]
    ranges = [max(two) - min(two) for _, two in _windows(values, 2)]
    if not ranges:
        return None, met
    there = [value for value in values if value is not None]
    mean = sum(there, Fraction()) / len(there)
    reach = Fraction(266) * sum(ranges, Fraction()) / (100 * len(ranges))
    high, low = mean + reach, mean - reach
    near_high, near_low = mean + reach * 2 / 3, mean - reach * 2 / 3

    for start, (value,) in _windows(values, 1):
        if value > high:
            met[start].add(("outside", 1))
        if value < low:
            met[start].add(("outside", -1))
    for start, seven in _windows(values, 7):
        for name, sign, holds in (
            ("run", 1, min(seven) > mean),
            ("run", -1, max(seven) < mean),
            ("trend", 1, len(set(seven)) == 7 and seven == sorted(seven)),
            ("trend", -1, len(set(seven)) == 7 and seven[::-1] == sorted(seven)),
        ):
            if holds:
                for index in range(start, start + 7):
                    met[index].add((name, sign))
    for start, three in _windows(values, 3):
        above = [index for index, it in enumerate(three, start) if it > near_high]
        below = [index for index, it in enumerate(three, start) if it < near_low]
        if len(above) >= 2 and min(three) > mean:
            for index in above:
                met[index].add(("near", 1))
        if len(below) >= 2 and max(three) < mean:
            for index in below:
                met[index].add(("near", -1))
    return (low, mean, high), met


def _windows(values: Sequence[Fraction | None], size: int) -> list[tuple[int, list[Fraction]]]:
    """Every so many months side by side that all have a value, with the first one's index."""
    found = []
    for start in range(len(values) - size + 1):
        there = [value for value in values[start : start + size] if value is not None]
        if len(there) == size:
            found.append((start, there))
    return found
