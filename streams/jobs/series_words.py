"""What a series says in sentences: beside a chart, under a table, and for those who see neither."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from processors.figures.evaluate import rounded_half_up, shown
from processors.figures.needed import Needed
from processors.figures.series import Series, SeriesMonth
from processors.figures.variation import ASSURANCE_WORDS, FIRM_AT, VARIATION_WORDS, ControlLimits
from schemas.catalogue import Indicator
from snapshots.publish.text.wording import long_date, month_title, number_text

NO_VALUE = "no value"
SUPPRESSED = "[c] suppressed"
ALL = Fraction(100)


def month_words(day: date) -> str:
    """A month's date as October 2015."""
    return month_title(f"{day:%Y-%m}")


def exact_text(indicator: Indicator, value: Fraction | None) -> str:
    """A figure's exact value as it is shown, with its unit."""
    rounded = None if value is None else shown(indicator, value.as_integer_ratio())
    return NO_VALUE if rounded is None else number_text(indicator, rounded)


def figure_text(indicator: Indicator, month: SeriesMonth) -> str:
    """A month's figure as it is shown, with its unit; or that it is suppressed."""
    if month.figure.status == "suppressed":
        return SUPPRESSED
    return exact_text(indicator, month.judged.observed.value)


def mean_text(indicator: Indicator, value: Fraction) -> str:
    """A mean or a limit, to one decimal also where what it is of is whole."""
    rounded = f"{rounded_half_up(*value.as_integer_ratio()):,.1f}"
    return f"{rounded}%" if indicator.unit == "percent" else rounded


def series_words(series: Series) -> list[str]:
    """What its variation, its limits and its target say, a sentence each."""
    return list(_sentences(series))


def _sentences(series: Series) -> Iterator[str]:
    indicator = series.cell[0]
    if not series.months:
        return
    if series.not_judged:
        yield f"Variation is not judged: {series.not_judged}."
        return
    last, limits = series.latest, series.limits
    if last is not None and limits is not None:
        yield variation_words(indicator, last)
        yield limit_words(indicator, limits)
    else:
        yield "No limits yet: they need two complete months side by side."
    target = series.months[-1].target
    if target is not None and series.assurance is not None:
        words = ASSURANCE_WORDS[series.assurance]
        yield f"Target {exact_text(indicator, target)}: {series.assurance}; {words}."
    newest = series.months[-1]
    if not newest.is_complete:
        yield f"The month of {long_date(newest.day)} is not complete, so it is not judged."
    if series.caution:
        yield series.caution


def variation_words(indicator: Indicator, month: SeriesMonth) -> str:
    """What a month's variation says."""
    judged = month.judged
    value = exact_text(indicator, judged.observed.value)
    if judged.variation is None:
        return f"{month_words(month.day)}: {value}, not judged."
    causes = f" ({'; '.join(judged.causes)})" if judged.causes else ""
    return f"{month_words(month.day)}: {value}, {VARIATION_WORDS[judged.variation]}{causes}."


def limit_words(indicator: Indicator, limits: ControlLimits) -> str:
    """What limits are, and on how much they rest."""
    lower, upper = (mean_text(indicator, it) for it in possible(indicator, limits))
    mean = mean_text(indicator, limits.mean)
    usual = (
        f"Usual range {lower} to {upper} round a mean of {mean}, from {limits.months} complete "
        "months, outliers included."
    )
    if limits.is_trial:
        return f"{usual} Trial limits: fewer than {FIRM_AT} months."
    return usual


def needed_words(indicator: Indicator, found: Needed, target: Fraction) -> str:
    """How many more or fewer would meet a target, in a sentence."""
    aim = exact_text(indicator, target)
    if not found.change:
        return f"The target of {aim} is met."
    count, way = abs(found.change), "more" if found.change > 0 else "fewer"
    of = " days in all" if indicator.unit == "days" else ""
    if not found.is_in_reach:
        return f"The target of {aim} is out of reach: it would take {count:,} {way}{of}."
    return f"{count:,} {way}{of} would meet the target of {aim}."


def possible(indicator: Indicator, limits: ControlLimits) -> tuple[Fraction, Fraction]:
    """The part of what lies between limits that can be: none below 0, no percentage over 100."""
    is_share = indicator.unit == "percent" and limits.mean <= ALL
    return max(limits.lower, Fraction()), min(limits.upper, ALL) if is_share else limits.upper
