"""Why a printed cell of June 2017 is not had: worked out from what is printed beside it.

Most reasons are arithmetic on printed figures. Where none applies, the reason names the cells
beside which the solver shows that no whole numbers give this one, or says that it shows nothing.
What is fitted has no reason to be missing: then events are made wrongly.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from examples.october_2015.geography import AREAS
from streams.june.compare_june import ARROW, RATING, RowDifference

from .casework import SERVICES, Codes
from .fitting import Key, Wishes
from .printed import MONTHS, Row, tenths

NOT_FOUND = "not found: the solver neither has whole numbers that give it nor shows that none do"
MOST_NAMED = 5
# Of a service that is asked about in a month with fewer working days than are allowed.
LATE_IN_APRIL = (
    "April has 18 working days after its first, so no case received in it can be late by its end, "
    "and a share below 100 needs one that is"
)
SHARES = {
    "CEH51a": ("CEH51", "CEH50"), "CEH52a": ("CEH52", "CEH51"),
    "CEH54a": ("CEH54", "CEH53"), "CEH55a": ("CEH55", "CEH54"),
    "CEH57a": ("CEH57", "CEH56"), "CEH58a": ("CEH58", "CEH57"),
}  # fmt: skip
SIGN_ONLY = "printed as the sign of the change; a lower share is better"


Check = Callable[[Row, Codes | None, str], str]


class NotGivenError(Exception):
    """What is fitted is not what the events give."""


class Reasons:
    """What is printed, looked up by place, code and month."""

    def __init__(
        self,
        rows: Iterable[Row],
        found: Iterable[RowDifference],
        left_out: Mapping[Key, Wishes],
    ) -> None:
        self._left_out = left_out
        self._rows = {(it.block, it.code): it for it in rows}
        self._figures = {
            (it.place, it.code, month): text
            for it in self._rows.values()
            for month, text in zip(MONTHS, it.figures, strict=True)
            if text
        }
        self._had = {it.key: it.streamed for it in found}
        self._checks: tuple[Check, ...] = (
            self._is_another_share,
            self._has_a_part_with_some,
            self._misses_a_sum,
            self._is_no_share_of_its_count,
            self._is_fewer_than_are_open,
            self._is_no_closed_share,
            self._is_sustained_too_soon,
        )

    def of(self, found: RowDifference) -> str:
        """Why something printed is not had; NotGivenError if it is fitted."""
        block, code, of = found.key
        row = self._rows[block, code]
        if of in (ARROW, RATING):
            return self._of_sign(row, of)
        if not float(found.printed) and not found.streamed:
            return "printed as zero, but there is no case to take it of"
        codes = next((it for it in SERVICES if code in vars(it).values()), None)
        if codes and code == codes.plan and of == MONTHS[0] and not codes.all_old_are_long:
            return LATE_IN_APRIL
        known = next(filter(None, (it(row, codes, of) for it in self._checks)), None)
        return known or self._shown_by_the_solver(row, found.key)

    def _shown_by_the_solver(self, row: Row, key: Key) -> str:
        wishes = self._left_out.get(key)
        if wishes is None:
            raise NotGivenError(f"{key} is fitted, and the events made of the fit do not give it")
        beside = wishes.conflict(key)
        if beside is None:
            return NOT_FOUND
        if not beside:
            return "the solver shows that no whole numbers give it"
        named = [
            f"{code} of {month}" if block == row.block else f"{code} of {month}, {block}"
            for block, code, month in dict.fromkeys(beside)
        ]
        more = len(named) - MOST_NAMED
        said = "; ".join(named[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        return f"the solver shows that no whole numbers give it beside what is had of: {said}"

    def _of_sign(self, row: Row, of: str) -> str:
        if of == ARROW and row.code == "CEH65":
            return SIGN_ONLY
        if of == RATING and row.code == "CEH65":
            return "CEH65's printed ratings contradict each other: 57.0 is Amber and 48.2 Red"
        if of == RATING and row.code == "CEH59":
            return f"{row.figures[-1]} for {row.targets[0]} is printed Green, below its target"
        if of == ARROW and not any(float(it or 0) for it in row.figures[1:]):
            return "both months are printed as zero, and of one or both there is no case"
        figures = " and ".join(row.figures[1:])
        return f"follows from figures that are not had ({figures}), or from finer ones than printed"

    def _count(self, place: str, code: str, month: str) -> int | None:
        text = self._figures.get((place, code, month))
        return None if text is None else tenths(text) // 10

    def _is_another_share(self, row: Row, _codes: Codes | None, month: str) -> str:
        """Of a share of two printed counts: it is another."""
        part, whole = SHARES.get(row.code, ("", ""))
        above, below = (self._count(row.place, it, month) for it in (part, whole))
        if above is None or not below:
            return ""
        exact = (2000 * above + below) // (2 * below)
        return f"{above} of {below} ({part}, {whole}) is {exact / 10} %"

    def _has_a_part_with_some(self, row: Row, codes: Codes | None, month: str) -> str:
        """Of a share of those long open that is none: a part of the area has some."""
        if codes is None or row.code != codes.long:
            return ""
        figures = self._figures
        if not float(figures[row.place, row.code, month]):
            for part in self._parts(row):
                some = figures.get((part.place, row.code, month), "0")
                if float(some):
                    return f"it is printed as none, and of {part.place} as {some} %"
        return ""

    def _misses_a_sum(self, row: Row, codes: Codes | None, month: str) -> str:
        """Of a count: the districts of an area do not add up to it, or the areas to the whole."""
        if codes is None or row.code not in (
            codes.received, codes.open, codes.closed, codes.year, codes.stepped_up
        ):  # fmt: skip
            return ""
        provider, _, area = row.place.partition(" / ")
        wholes = [it for it in AREAS if area in (it, *AREAS[it])]
        for whole, parts in [*((it, AREAS[it]) for it in wholes), ("", tuple(AREAS))]:
            name = f"{provider} / {whole}" if whole else provider
            total = self._count(name, row.code, month)
            of_parts = [self._count(f"{provider} / {it}", row.code, month) for it in parts]
            if total is None or not (area == whole or area in parts):
                continue
            if None not in of_parts and (whole or len(of_parts) == len(AREAS)):
                added = sum(it or 0 for it in of_parts)
                if (added > total) if not whole else (added != total):
                    return f"the parts of {name} are printed as {added} together, and it as {total}"
        return ""

    def _is_no_share_of_its_count(self, row: Row, codes: Codes | None, month: str) -> str:
        """Of a share of a printed count, or of some of it: no whole number has it."""
        if codes is None:
            return ""
        wholes = {
            codes.worker: codes.received, codes.contact: codes.received,
            codes.plan: codes.received, codes.referrer: codes.received,
            codes.long: codes.open, codes.again: codes.open,
            codes.achieved: codes.closed, codes.evidence: codes.closed,
            codes.disengaged: codes.closed,
        }  # fmt: skip
        of = wholes.get(row.code, "")
        count = self._count(row.place, of, month) if of else None
        if count is None:
            return ""
        is_exact = of != codes.received
        printed = tenths(self._figures[row.place, row.code, month])
        if any(_prints(it, printed) for it in ([count] if is_exact else range(count + 1))):
            return ""
        some = f"{count}" if is_exact else f"{count} or fewer"
        return f"of {some} cases ({of}) no whole number is {printed / 10} %"

    def _is_fewer_than_are_open(self, row: Row, codes: Codes | None, month: str) -> str:
        """Of cases since April: those open now and those closed since are among them."""
        if codes is None or not codes.year or row.code != codes.year:
            return ""
        year, held, closed = (
            self._count(row.place, it, month) for it in (codes.year, codes.open, codes.closed)
        )
        if year is None or held is None or closed is None:
            return ""
        until = MONTHS[: MONTHS.index(month) + 1]
        since = sum(self._count(row.place, codes.closed, it) or 0 for it in until)
        if year < held + closed:
            return f"{held} are open and {closed} closed in the month, which are more than {year}"
        if year < held + since:
            return f"{held} are open and {since} closed since April, which are more than {year}"
        had = sum(self._closed_as_had(row, codes, it) for it in until)
        if year < held + had:
            return (
                f"{held} are open and, by the shares of those that closed, {had} closed since "
                f"April, which are more than {year}"
            )
        for part in self._parts(row):
            if reason := self._is_fewer_than_are_open(part, codes, month):
                return f"of {part.place}: {reason}"
        return ""

    def _closed_as_had(self, row: Row, codes: Codes, month: str) -> int:
        """How many closed, as the shares of them have it."""
        had = self._had.get((row.block, codes.closed, month))
        return int(float(had)) if had else self._count(row.place, codes.closed, month) or 0

    def _is_no_closed_share(self, row: Row, codes: Codes | None, month: str) -> str:
        """Of cases closed: the shares of them that are printed are of another number."""
        if codes is None or row.code != codes.closed:
            return ""
        count = self._count(row.place, row.code, month)
        for code in filter(None, (codes.achieved, codes.evidence, codes.disengaged)):
            text = self._figures.get((row.place, code, month))
            if count is not None and text and not _prints(count, tenths(text)):
                return f"of {count} cases no whole number is {text} % ({code})"
        for part in self._parts(row):
            if part != row and self._is_no_closed_share(part, codes, month):
                return f"it holds {part.place}, whose printed shares are of another number"
        return ""

    def _is_sustained_too_soon(self, row: Row, codes: Codes | None, month: str) -> str:
        """Of destinations: one that is sustained began three months before."""
        if codes is None or row.code not in (codes.destination, codes.sustained) or not row.code:
            return ""
        before = [self._figures.get((row.place, codes.destination, it)) for it in MONTHS[:2]]
        sustained = self._figures.get((row.place, codes.sustained, MONTHS[-1]))
        closed = self._count(row.place, codes.closed, MONTHS[-1]) or 0
        if sustained and month == MONTHS[-1] and before == ["0.0", "0.0"]:
            least = next(
                (it for it in range(1, 2_000) if _prints_any(it, tenths(sustained), 2_000)), 0
            )
            if float(sustained) and least > closed:
                return (
                    f"{sustained} % sustained is {least} cases or more with a destination since "
                    f"March; May has none (CEH70), and {closed} closed in June"
                )
        return ""

    def _parts(self, row: Row) -> Iterator[Row]:
        provider, _, area = row.place.partition(" / ")
        everywhere = tuple(it for each in AREAS.values() for it in each)
        inside = AREAS.get(area, ()) if area else everywhere
        for it in self._rows.values():
            if it.code == row.code and it.place in {f"{provider} / {name}" for name in inside}:
                yield it


def _prints(whole: int, printed: int) -> bool:
    """Whether a part of a whole number prints as so many tenths of a percent."""
    return bool(whole) and any(
        (2000 * part + whole) // (2 * whole) == printed for part in range(whole + 1)
    )


def _prints_any(part: int, printed: int, most: int) -> bool:
    """Whether a part prints so of any whole number up to the most."""
    return any((2000 * part + it) // (2 * it) == printed for it in range(part, most))
