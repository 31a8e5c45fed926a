"""That what a browser sends was sent by a page of this server, and not by one of a stranger's.

A browser sends what it knows of a reader, such as the password of Basic, whatever page told it to
ask. It also says which page that was, in `Origin` and `Sec-Fetch-Site`, which no page can alter
(OWASP, Cross-Site Request Forgery Prevention: Fetch Metadata, verifying origin).
"""

from collections.abc import Sequence
from http import HTTPStatus

from streams.serving.problems import Problem

HERE = "same-origin"


def is_from_here(host: str, origins: Sequence[str], sites: Sequence[str]) -> bool:
    """Whether a browser says that a page of this host asks; False where no browser says anything.

    Raises Problem where it says that another does, or says it twice.
    """
    own = {f"{scheme}://{host.lower()}" for scheme in ("http", "https")}
    is_foreign = any(it.lower() not in own for it in origins) or any(it != HERE for it in sites)
    if is_foreign or len(origins) > 1 or len(sites) > 1:
        raise Problem(HTTPStatus.FORBIDDEN, "a page of another site asked for this: ask from here")
    return bool(origins or sites)


def own_path(text: str) -> str:
    r"""Where on this server an address leads; the first page, where it is none of this server's.

    Browsers take `\` for `/`, pass over some characters, and go to another host after `//`.
    """
    is_plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text
    return text if is_plain and text.startswith("/") and not text.startswith("//") else "/"
