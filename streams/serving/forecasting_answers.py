"""How many open cases will breach each standard on days to come if nothing happens."""

from datetime import date, timedelta
from typing import NamedTuple

from processors.days.calendar import LAST_YEAR
from processors.figures.asking import NotThere, known
from processors.places.forecast import DAYS_AHEAD, Forecast, chosen
from schemas.outward import csv_text
from streams.serving.answers import Answer, is_held, unchanged
from streams.serving.data_answers import as_json, told_of
from streams.serving.parameters import Query, day_in
from streams.serving.problems import wrong_parameter
from streams.serving.roles import CSV
from streams.serving.site import Call, LiveSite

# Dates that may be asked for at once.
MOST_DATES = 31


class ForecastRow(NamedTuple):
    """Cases of a place that breach a standard on a day, and how many more than today those are."""

    standard: str
    title: str
    area: str
    provider: str | None
    on: str
    cases: int
    more: int


async def forecasts(site: LiveSite, call: Call) -> Answer:
    """Today and on days to come, of the places that who asks sees in full."""
    taking, asked, identity, rules = call.taking, call.asked, call.identity, site.rules
    fresh = await site.freshness(asked)
    days = _days(asked, fresh.today)
    tag = site.tag(fresh, call, days)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    found = await site.figures.forecast(fresh.today, days)
    seen = [it for it in found if identity.sees(it.provider or it.area, rules.areas)]
    there = {
        "standard": [it.code for it in rules.standards.standard],
        "area": [*rules.areas.names],
        "provider": sorted({it.provider for it in seen if it.provider}),
    }
    wanted = {name: asked.all(name) or [] for name in there}
    try:
        for name, names in there.items():
            known(wanted[name], names, name)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    some = chosen(seen, wanted["standard"], wanted["area"], wanted["provider"])
    rows = [row for it in some for row in _rows(it, fresh.today)]
    if taking.media == CSV:
        text = csv_text([ForecastRow._fields, *rows])
    else:
        text = as_json({**told_of(fresh), "rows": [it._asdict() for it in rows]})
    return await site.answer(fresh, call, text, tag)


def _days(asked: Query, today: date) -> list[date]:
    """The days asked for; some to come where none are. Raises Problem."""
    texts = asked.all("on")
    if texts is None:
        return [today + timedelta(days=ahead) for ahead in DAYS_AHEAD]
    if len(texts) > MOST_DATES:
        raise wrong_parameter("on", f"more than {MOST_DATES} dates")
    days = sorted(day_in("on", text) for text in texts)
    if days[0] <= today:
        raise wrong_parameter("on", f"{days[0]} is not after today, {today}")
    if days[-1].year > LAST_YEAR:
        raise wrong_parameter("on", f"{days[-1]} is not before {LAST_YEAR + 1}")
    return days


def _rows(it: Forecast, today: date) -> list[ForecastRow]:
    counts = {today: it.now, **it.later}
    about = it.standard, it.title, it.area, it.provider
    return [
        ForecastRow(*about, day.isoformat(), count, count - it.now) for day, count in counts.items()
    ]
