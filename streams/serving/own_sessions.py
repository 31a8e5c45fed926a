"""`/account`: who one is here, and one's own sessions, of which one can end the others.

Nobody's are shown to anyone else, and the roles of pages give nobody power over them: whoever runs
the deployment ends them by command, and the provider by its own word.
"""

from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streams.serving.answers import Answer, unkept
from streams.serving.audited import audited
from streams.serving.bodies import sent
from streams.serving.live_figures import answered
from streams.serving.roles import ROUTES
from streams.serving.sessions import REFERENCE_DIGITS, reference_of_id
from streams.serving.signing_in import (
    ACCOUNT,
    NOT_KEPT,
    must_be_proved,
    openid_of,
    session_asking,
)
from streams.serving.site import Call, LiveSite

# What is sent for all of them but the one that asks.
OTHERS = "others"


class SessionsToEnd(BaseModel):
    """What is sent: which of one's other sessions to end, by its reference, or all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[str, Field(pattern=f"^([0-9a-f]{{{REFERENCE_DIGITS}}}|{OTHERS})$")]


async def account(site: LiveSite, call: Call) -> Answer:
    """Who one is: their name, roles, places, until when, and their sessions. Raises Problem."""
    openid, identity = site.openid, call.identity
    sessions, own, is_proved = {}, "", False
    if openid is not None and identity.form_token:
        session, number = await session_asking(openid, call)
        own, is_proved = reference_of_id(number), session.is_proved(openid.now())
        listed = await answered(openid.sessions.of_person(session.subject, openid.now()))
        # One that a program of another version began is in no list.
        sessions = {own: session, **{name: it for name, it in listed.items() if name != own}}
    text = site.page(
        "account.html",
        call,
        identity,
        fresh=await site.freshness_if_known(call.asked),
        is_signed_in=site.settings.sign_in != "none",
        may=[it for it in ROUTES if it.admits(identity.roles)],
        sessions=sessions,
        own=own,
        is_proved=is_proved,
        others=OTHERS,
    )
    return unkept(text, call.taking)


async def end_sessions(site: LiveSite, call: Call) -> Answer:
    """End another session of who asks, or all others. Raises Problem.

    One that is over by then is no fault: it was to be.
    """
    openid, _ = openid_of(site), call.taking
    wish = sent(call, SessionsToEnd)
    session, number = await session_asking(openid, call)
    must_be_proved(openid, session)
    which = None if wish.session == OTHERS else wish.session
    ended = await answered(openid.sessions.end_others(session.subject, number, which))
    if ended:
        told = audited(call.identity, call.route, "", "signed-out", ended, ended)
        site.audit.note(told._replace(origin=call.origin))
    return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": ACCOUNT, **NOT_KEPT})
