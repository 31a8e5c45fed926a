"""Signing in and out by a page: off to the OpenID provider, back from it, and out again."""

from http import HTTPStatus
from urllib.parse import parse_qsl

from streams.kafka.audit_log import Audited
from streams.serving.answers import Answer, unkept
from streams.serving.browser_families import browser_family
from streams.serving.identity import NOBODY
from streams.serving.live_figures import answered
from streams.serving.openid_sign_in import NoRole, OpenIdSignIn
from streams.serving.problems import Problem
from streams.serving.roles import ROUTES_BY_NAME
from streams.serving.same_origin import own_path
from streams.serving.sessions import LONGEST, SignInSession
from streams.serving.site import Call, LiveSite

# What a provider adds to the address that it sends people back to.
MOST_ADDED = 20
NOT_KEPT = {"Cache-Control": "no-store"}
# The route that has one prove anew who one is, and the page for which that is asked.
ANEW, ACCOUNT = "sign-in-again", ROUTES_BY_NAME["account"].path


async def leave(site: LiveSite, call: Call) -> Answer:
    """Send a browser to the provider, by one route to prove anew who it is. Raises Problem."""
    openid = openid_of(site)
    if call.is_led_here:
        raise Problem(HTTPStatus.UNAUTHORIZED, "a page of another site led here: sign in to go on")
    is_anew = call.route.name == ANEW
    asked_for = call.asked.single("next", ACCOUNT if is_anew else "/")
    goes_to = own_path(asked_for or "/")
    if goes_to.startswith(("/sign-in", "/signed-out")):
        goes_to = "/"
    browser = openid.browser_cookie.in_headers(call.cookies)
    address, cookie = await openid.leave(goes_to, browser, is_anew=is_anew)
    return _on_to(address, cookie)


async def arrive(site: LiveSite, call: Call) -> Answer:
    """Take one back from the provider, and begin their session. Raises Problem."""
    openid = openid_of(site)
    said = _said(call.query)
    try:
        arrival = await openid.arrive(
            openid.browser_cookie.in_headers(call.cookies),
            said.get("state", ""),
            said.get("code", ""),
            said.get("iss", ""),
            openid.session_cookie.in_headers(call.cookies),
            browser_family(call.user_agent),
        )
    except NoRole as problem:
        who = problem.person
        told = Audited(who.name, (), call.route.name, f"subject={who.subject}", "denied")
        site.audit.note(told._replace(origin=call.origin))
        raise
    except Problem as problem:
        # More of an address are told by their status alone: strangers fill no log.
        is_refused = problem.status is HTTPStatus.UNAUTHORIZED
        if is_refused and not openid.refusals.wait(call.origin):
            openid.refusals.take(call.origin)
            told = Audited("unknown", (), call.route.name, "", "sign-in-refused")
            site.audit.note(told._replace(origin=call.origin))
        raise
    site.audit.note(
        Audited(
            arrival.identity.name,
            tuple(sorted(arrival.identity.roles)),
            call.route.name,
            f"subject={arrival.person.subject}",
            "signed-in",
            origin=call.origin,
        )
    )
    cookie = openid.session_cookie.given(arrival.session, int(LONGEST.total_seconds()))
    return _on_to(arrival.goes_to, cookie)


async def sign_out(site: LiveSite, call: Call) -> Answer:
    """End the session of who asks, and have their browser sign out at the provider. Raises Problem.

    The page leads on by itself: a form may lead to no other site (`form-action` of the policy).
    """
    openid, identity = openid_of(site), call.identity
    if not identity.form_token:
        raise Problem(HTTPStatus.BAD_REQUEST, "a token has no session: have it revoked instead")
    number = openid.session_cookie.in_headers(call.cookies)
    await answered(openid.sessions.end(number))
    roles = tuple(sorted(identity.roles))
    site.audit.note(
        Audited(identity.name, roles, call.route.name, "", "signed-out", origin=call.origin)
    )
    text = site.page(
        "signed_out.html", call, NOBODY, leads_to=await openid.provider.sign_out_address()
    )
    answer = unkept(text, call.taking)
    # What a browser has kept of the pages goes with the session.
    gone = {
        "Set-Cookie": openid.session_cookie.taken_back(),
        "Clear-Site-Data": '"cache"',
    }
    return Answer(answer.status, answer.media, answer.body, {**answer.headers, **gone})


async def signed_out(site: LiveSite, call: Call) -> Answer:
    """That one is signed out, here and at the provider. Raises Problem."""
    openid_of(site)
    return unkept(site.page("signed_out.html", call, NOBODY, leads_to=None), call.taking)


def openid_of(site: LiveSite) -> OpenIdSignIn:
    """How people sign in here by a page. Raises Problem where they do not."""
    if site.openid is None:
        raise Problem(HTTPStatus.NOT_FOUND, "nobody signs in here by a page")
    return site.openid


async def session_asking(openid: OpenIdSignIn, call: Call) -> tuple[SignInSession, str]:
    """The session that asks, and its id. Raises Problem."""
    number = openid.session_cookie.in_headers(call.cookies)
    session = await openid.session(call.cookies, is_asked=False) if number else None
    if not call.identity.form_token:
        raise Problem(HTTPStatus.BAD_REQUEST, "a token has no sessions: have it revoked instead")
    if session is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "you are not signed in here any more")
    return session, number


def must_be_proved(openid: OpenIdSignIn, session: SignInSession) -> None:
    """Raises Problem unless whose session it is has just proved that it is them."""
    if not session.is_proved(openid.now()):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "it is too long ago that you signed in: sign in again, on the page that this is of",
        )


def _said(query: str) -> dict[str, str]:
    """What a provider says to who comes back, each once. Raises Problem."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_ADDED)
    except ValueError:
        pairs = []
    said = dict(pairs)
    if len(said) < len(pairs):
        raise Problem(HTTPStatus.BAD_REQUEST, "a parameter is given twice")
    return said


def _on_to(address: str, cookie: str) -> Answer:
    headers = {"Location": address, "Set-Cookie": cookie, **NOT_KEPT}
    return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", headers)
