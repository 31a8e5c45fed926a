"""Tokens that people make for programs of their own, such as Excel, and revoke again.

One reads figures, as its owner may or less; it is of the person who made it, and nobody else is
shown it. Whoever runs the deployment lists and revokes any by command.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streams.serving.answers import Answer, unkept
from streams.serving.bodies import sent
from streams.serving.live_figures import answered
from streams.serving.problems import Problem
from streams.serving.roles import ROUTES_BY_NAME, Role
from streams.serving.signing_in import NOT_KEPT, must_be_proved, openid_of, session_asking
from streams.serving.site import Call, LiveSite
from streams.serving.tokens import MOST_OWN_DAYS, may_read

# How many of their own someone may have at a time.
MOST_OWN = 10


class TokenWish(BaseModel):
    """What is sent: what it is for, what it may do, and for how many days."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(pattern=r"^[\w .,'()-]{1,60}$")]
    role: Literal["viewer", "manager", "analyst"]
    days: Annotated[int, Field(ge=1, le=MOST_OWN_DAYS)]


class TokenToRevoke(BaseModel):
    """What is sent: the id of one's token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Annotated[str, Field(pattern="^[0-9a-f]{12}$")]


async def make_token(site: LiveSite, call: Call) -> Answer:
    """Make a token, and show it this once. Raises Problem."""
    openid, _ = openid_of(site), call.taking
    wish, identity = sent(call, TokenWish), call.identity
    session, _ = await session_asking(openid, call)
    must_be_proved(openid, session)
    role = Role(wish.role)
    if role not in may_read(identity.roles):
        raise Problem(HTTPStatus.FORBIDDEN, "a token of yours may do no more than you")
    now = openid.now()
    if len(await answered(site.tokens.of_person(session.subject, now))) >= MOST_OWN:
        raise Problem(HTTPStatus.CONFLICT, f"you have {MOST_OWN} tokens: revoke one first")
    await site.note(call, "token-made", query=f"name={wish.name}&role={role}&days={wish.days}")
    places = sorted(identity.own_places) if role is Role.MANAGER else []
    made = await answered(
        site.tokens.create(
            *(f"{identity.name} ({wish.name})", [role], places, now),
            *(timedelta(days=wish.days), session.subject),
        )
    )
    return unkept(site.page("token_made.html", call, identity, made=made), call.taking)


async def revoke_token(site: LiveSite, call: Call) -> Answer:
    """Have a token of who asks be good for nothing. Raises Problem."""
    openid, _ = openid_of(site), call.taking
    wish = sent(call, TokenToRevoke)
    session, _ = await session_asking(openid, call)
    own = await answered(site.tokens.of_person(session.subject, openid.now()))
    if wish.token not in {it.id for it in own}:
        raise Problem(HTTPStatus.NOT_FOUND, "you have no such token, or not any more")
    await site.note(call, "token-revoked", query=f"token={wish.token}")
    await answered(site.tokens.revoke(wish.token))
    leads_to = ROUTES_BY_NAME["connect"].path
    return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": leads_to, **NOT_KEPT})
