"""`/connect`: how other programs read the figures."""

from processors.figures.asking import NotThere, RowChoice
from streams.serving.answers import Answer, unkept
from streams.serving.live_figures import answered
from streams.serving.parameters import with_query
from streams.serving.power_query import power_query, scorecard_types
from streams.serving.problems import wrong_parameter
from streams.serving.roles import ROUTES_BY_NAME
from streams.serving.signing_in import session_asking
from streams.serving.site import Call, LiveSite
from streams.serving.tokens import MOST_OWN_DAYS, may_read

CSV_ROUTE = "scorecard.csv"


async def connect(site: LiveSite, call: Call) -> Answer:
    """The steps for Excel and Power BI, for the rows that are asked for. Raises Problem."""
    try:
        RowChoice(site.rules, call.asked.rows)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    _ = call.asked.as_of
    route, identity = ROUTES_BY_NAME[CSV_ROUTE], call.identity
    session, own, is_proved = None, [], False
    if site.openid is not None and identity.form_token:
        session, _ = await session_asking(site.openid, call)
        now = site.openid.now()
        own = await answered(site.tokens.of_person(session.subject, now))
        is_proved = session.is_proved(now)
    text = site.page(
        "connect.html",
        call,
        identity,
        fresh=await site.freshness_if_known(call.asked),
        live_address=with_query("/connect", call.asked.query(as_of=None)),
        here=call.site,
        power_query=power_query(call.site, route.path, call.asked.values, scorecard_types()),
        csv_address=with_query(f"{call.site}{route.path}", call.asked.query()),
        description=f"{call.site}/api/v1/openapi.json",
        is_signed_in=site.settings.sign_in != "none",
        has_session=session is not None,
        own=own,
        is_proved=is_proved,
        may_read=may_read(identity.roles),
        most_days=MOST_OWN_DAYS,
        asked=[(name, value) for name, them in call.asked.values.items() for value in them],
    )
    return unkept(text, call.taking)
