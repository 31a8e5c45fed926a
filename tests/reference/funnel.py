"""Funnel verdicts by brute force: the chance of so many or more, added up exactly."""

from fractions import Fraction
from math import comb


def chance(size: int, share: Fraction, count: int) -> Fraction:
    """How likely just so many of a size are."""
    return comb(size, count) * share**count * (1 - share) ** (size - count)


def tails(size: int, share: Fraction, count: int) -> tuple[Fraction, Fraction]:
    """How likely so few or fewer are, and so many or more."""
    chances = [chance(size, share, it) for it in range(size + 1)]
    return sum(chances[: count + 1], Fraction()), sum(chances[count:], Fraction())


def verdict(size: int, share: Fraction, count: int) -> str:
    """Where a count lies: beyond a limit if so many, or more, are less likely than it says."""
    few, many = tails(size, share, count)
    if many < Fraction(1, 1000):
        return "FAR_ABOVE"
    if few < Fraction(1, 1000):
        return "FAR_BELOW"
    if many < Fraction(25, 1000):
        return "ABOVE"
    return "BELOW" if few < Fraction(25, 1000) else "WITHIN"
