"""What the OpenID provider says by itself: that someone has signed out there, or was signed out.

OpenID Connect Back-Channel Logout 1.0. Nobody has to be signed in to say it: the token proves it,
or nothing happens.
"""

from http import HTTPStatus
from urllib.parse import parse_qsl

from streams.kafka.audit_log import Audited
from streams.serving.answers import Answer
from streams.serving.openid_provider import NotBelieved, ProviderAway
from streams.serving.problems import Problem
from streams.serving.roles import FORM, JSON
from streams.serving.signing_in import NOT_KEPT, openid_of
from streams.serving.site import Call, LiveSite

FIELD, MOST_FIELDS = "logout_token", 20
LONGEST_TOKEN = 16_000


async def log_out(site: LiveSite, call: Call) -> Answer:
    """End the sessions that a logout token says are over. Raises Problem.

    Whatever is in the way is 400, as the standard has it (2.8), and the provider may say it again.
    """
    openid = openid_of(site)
    token = _token(call)
    try:
        ended = await openid.log_out(token)
    except (NotBelieved, ProviderAway, Problem) as error:
        # More of an address are told by their status alone: strangers fill no log.
        if isinstance(error, NotBelieved) and not openid.refusals.wait(call.origin):
            openid.refusals.take(call.origin)
            told = Audited("unknown", (), call.route.name, "", "sign-out-refused")
            site.audit.note(told._replace(origin=call.origin))
        why = error.detail if isinstance(error, Problem) else str(error)
        raise Problem(HTTPStatus.BAD_REQUEST, f"nobody was signed out, as {why}") from error
    for it in ended[:1]:
        site.audit.note(
            Audited(
                it.name,
                tuple(sorted(it.roles)),
                call.route.name,
                f"subject={it.subject}",
                "signed-out",
                len(ended),
                len(ended),
                call.origin,
            )
        )
    return Answer(HTTPStatus.OK, JSON, b"{}", {**NOT_KEPT})


def _token(call: Call) -> str:
    """The logout token of a body. Raises Problem."""
    if call.content_type.partition(";")[0].strip().lower() != FORM:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {FORM}")
    try:
        fields = parse_qsl(call.body.decode("ascii"), max_num_fields=MOST_FIELDS)
    except ValueError:
        fields = []
    found = [value for name, value in fields if name == FIELD]
    if len(found) != 1 or len(found[0]) > LONGEST_TOKEN:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body has no {FIELD}")
    return found[0]
