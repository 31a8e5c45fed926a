"""Tokens of forms: that a form was filled in on a page that was shown to this very session.

Every form of a page has one as a hidden field. It follows from the id of the session, which no page
can read, and the id does not follow from it; another session has another (OWASP, Cross-Site Request
Forgery Prevention: HMAC based token pattern).
"""

import hashlib
import hmac
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from streams.serving.problems import Problem

FIELD = "form_token"
MOST_FIELDS = 20


def form_token(session: str) -> str:
    """The token of the forms that are shown to a session, by its id."""
    return hmac.new(session.encode(), b"a form of this session", hashlib.sha256).hexdigest()


def without_token(body: bytes, token: str) -> bytes:
    """The rest of a form that carries the token. Raises Problem for any other."""
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        fields = []
    given = [value for name, value in fields if name == FIELD]
    if len(given) != 1 or not hmac.compare_digest(given[0].encode(), token.encode()):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "this form was not filled in on a page of this session: load the page again",
        )
    return urlencode([(name, value) for name, value in fields if name != FIELD]).encode()
