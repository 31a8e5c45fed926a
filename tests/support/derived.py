"""Facts of cases and spans of standards, as tests ask for them: the one place that makes them."""

from collections.abc import Sequence

from processors.alerts.deadlines import Deadlines, Spans
from processors.facts.cases import Cases, derive
from processors.facts.columns import Columns, Facts
from processors.rules import Rules
from schemas.standards import Standard
from tests.support.facts import Happening

__all__ = ["Columns", "Facts", "Spans", "derived", "facts", "spans_of"]


def derived(
    rules: Rules, before: Sequence[bytes], now: Sequence[bytes], unchanged: Sequence[bytes] = ()
) -> Facts:
    """The facts of cases of one child, by their rows before and now, and of further ones."""
    cases = Cases(list(before), list(now), [0] * len(now), unchanged)
    return derive(cases, rules.localities, rules.calendar, rules.unheld, rules.wanted)


def facts(rules: Rules, it: Happening) -> Facts:
    """The facts of a child of whom nothing was known before."""
    now = list(it.rows(rules).values())
    return derived(rules, [b""] * len(now), now)


def spans_of(rules: Rules, rows: Columns, standards: Sequence[Standard]) -> Spans:
    """The spans of standards in the segments of cases."""
    return Deadlines(tuple(standards), rules.calendar).spans(rows)
