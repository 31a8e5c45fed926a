"""Cookies by which a browser is known again: unreadable to scripts, and sent to this host alone."""

from collections.abc import Sequence

LONGEST_COOKIE = 200


class Cookie:
    """A cookie of this site.

    Over https its name begins with `__Host-`, by which a browser takes it from this very host
    alone, for all its paths, and never in the clear. Over http, which is allowed on this machine
    alone, not every browser takes such a name, so that there it has none.
    """

    def __init__(self, name: str, is_secure: bool) -> None:
        self.name = f"__Host-{name}" if is_secure else name
        self._rules = f"Path=/; HttpOnly; SameSite=Lax{'; Secure' if is_secure else ''}"

    def given(self, text: str, seconds: int) -> str:
        """The value of Set-Cookie by which a browser keeps it so long."""
        return f"{self.name}={text}; Max-Age={seconds}; {self._rules}"

    def taken_back(self) -> str:
        """The value of Set-Cookie by which a browser forgets it."""
        return f"{self.name}=; Max-Age=0; {self._rules}"

    def in_headers(self, headers: Sequence[str]) -> str:
        """What a browser sends of it; nothing where that is not one of some length."""
        pairs = (it.strip().partition("=") for header in headers for it in header.split(";"))
        found = [value for name, _, value in pairs if name == self.name]
        return found[0] if len(found) == 1 and len(found[0]) <= LONGEST_COOKIE else ""
