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
from streams.serving.openid_sign_in import OpenIdSignIn
from streams.serving.problems import Problem
from streams.serving.roles import ROUTES
from streams.serving.sessions import REFERENCE_DIGITS, SignInSession, reference_of_id
from streams.serving.signing_in import ACCOUNT, NOT_KEPT, openid_of
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
        session, number = await _session(openid, call)
        own, is_proved = reference_of_id(number), session.is_proved(openid.now())
        listed = await answered(openid.sessions.of_person(session.subject, openid.now()))
        # One that a program of another version began is in no list.
        sessions = {own: session, **{name: it for name, it in listed.items() if name != own}}
    text = site.page(
        "account.html",
        call,
        identity,
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
    session, number = await _session(openid, call)
    if not session.is_proved(openid.now()):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "it is too long ago that you signed in: on the page of your account, sign in again, "
            "and end them then",
        )
    which = None if wish.session == OTHERS else wish.session
    ended = await answered(openid.sessions.end_others(session.subject, number, which))
    if ended:
        told = audited(call.identity, call.route, "", "signed-out", ended, ended)
        site.audit.note(told._replace(origin=call.origin))
    return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": ACCOUNT, **NOT_KEPT})


async def _session(openid: OpenIdSignIn, call: Call) -> tuple[SignInSession, str]:
    """The session that asks, and its id. Raises Problem."""
    number = openid.session_cookie.in_headers(call.cookies)
    session = await openid.session(call.cookies, is_asked=False) if number else None
    if not call.identity.form_token:
        raise Problem(HTTPStatus.BAD_REQUEST, "a token has no sessions: have it revoked instead")
    if session is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "you are not signed in here any more")
    return session, number
