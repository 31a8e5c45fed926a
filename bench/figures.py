"""What a benchmark gives: figures with their units, samples and targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Target:
    """A bound on a figure: the least or the most that it should be."""

    bound: float
    is_least: bool

    def met(self, value: float) -> bool:
        """Whether a value is within the bound."""
        return value >= self.bound if self.is_least else value <= self.bound


def at_least(bound: float) -> Target:
    """The target of not being below."""
    return Target(bound, is_least=True)


def at_most(bound: float) -> Target:
    """The target of not being above."""
    return Target(bound, is_least=False)


@dataclass(frozen=True)
class Figure:
    """One number; `samples` are the single measurements that it is the middle or a part of."""

    what: str
    value: float
    unit: str
    target: Target | None = None
    samples: tuple[float, ...] = ()

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return self.target.met(self.value) if self.target else None

    def as_json(self) -> dict[str, Any]:
        """The figure as it is written to the results file."""
        told: dict[str, Any] = {"what": self.what, "value": self.value, "unit": self.unit}
        if self.target:
            kind = "at_least" if self.target.is_least else "at_most"
            told["target"] = {kind: self.target.bound, "met": self.met}
        if self.samples:
            told["samples"] = list(self.samples)
        return told


@dataclass(frozen=True)
class Section:
    """A benchmark's figures, and what a reader has to know to understand them."""

    title: str
    notes: str
    figures: tuple[Figure, ...]


def quantile(samples: Sequence[float], share: float) -> float:
    """The value that the given share of the samples does not exceed, interpolated."""
    return float(np.quantile(samples, share))


def median(what: str, samples: Sequence[float], unit: str, target: Target | None = None) -> Figure:
    """The middle of several measurements of the same."""
    return Figure(what, quantile(samples, 0.5), unit, target, tuple(samples))
