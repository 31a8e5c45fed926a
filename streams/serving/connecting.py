"""`/connect`: how other programs read the figures."""

from processors.figures.asking import NotThere, RowChoice
from streams.serving.answers import Answer, unkept
from streams.serving.parameters import with_query
from streams.serving.power_query import power_query, scorecard_types
from streams.serving.problems import wrong_parameter
from streams.serving.roles import ROUTES_BY_NAME
from streams.serving.site import Call, LiveSite

CSV_ROUTE = "scorecard.csv"


async def connect(site: LiveSite, call: Call) -> Answer:
    """The steps for Excel and Power BI, for the rows that are asked for. Raises Problem."""
    try:
        RowChoice(site.rules, call.asked.rows)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    _ = call.asked.as_of
    route = ROUTES_BY_NAME[CSV_ROUTE]
    text = site.page(
        "connect.html",
        call,
        call.identity,
        here=call.site,
        power_query=power_query(call.site, route.path, call.asked.values, scorecard_types()),
        csv_address=with_query(f"{call.site}{route.path}", call.asked.query()),
        description=f"{call.site}/api/v1/openapi.json",
        is_signed_in=site.settings.sign_in != "none",
        asked=[(name, value) for name, them in call.asked.values.items() for value in them],
    )
    return unkept(text, call.taking)
