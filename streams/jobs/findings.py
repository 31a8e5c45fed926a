"""Findings: what a look at a deployment found, and what each means."""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What a finding means."""

    GOOD = "good"
    ODD = "odd"
    WRONG = "wrong"


STYLES = {Verdict.GOOD: "green", Verdict.ODD: "yellow", Verdict.WRONG: "bold red"}


class Finding(NamedTuple):
    """One thing looked at: what, how it is, and what to do about it."""

    verdict: Verdict
    what: str
    text: str
