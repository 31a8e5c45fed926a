"""The door: who asks is known, may ask so often, and is in the audit log when they come in."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from streams.kafka.audit_log import Audited
from streams.serving.allowances import Allowances, address_key
from streams.serving.identity import NOBODY, Identity
from streams.serving.problems import Problem
from streams.serving.roles import EVERYONE, Route
from streams.serving.sign_in import Connection, SignIn, is_within, networks
from streams.serving.site import LiveSite

FORWARDED_FOR = "x-forwarded-for"
# Those who came in and are remembered; who is not is one who signs in anew.
MOST_KEPT = 10_000


class Door:
    """Lets in whoever says who they are, as often as they may."""

    def __init__(
        self, site: LiveSite, sign_in: SignIn, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        settings = site.settings
        self._site, self._sign_in = site, sign_in
        self._proxies = networks(settings.proxy_addresses)
        self._questions = Allowances(settings.questions_a_minute, seconds)
        self._refusals = Allowances(settings.refused_sign_ins_a_minute, seconds)
        self._came_in: OrderedDict[str, None] = OrderedDict()

    async def enter(self, connection: Connection, route: Route) -> Identity:
        """Who asks for a route. Raises Problem where they are unknown, or ask too often."""
        address = self.address(connection)
        # What shows nothing of anyone is for whoever asks, such as the style of a problem's page.
        if route.roles >= EVERYONE:
            if not route.is_probe:
                self._ask(address)
            return NOBODY
        identity = await self._signed_in(connection, address)
        self._ask(address if identity is NOBODY else identity.name)
        return identity

    def _ask(self, who: str) -> None:
        seconds = self._questions.wait(who)
        if seconds:
            raise _too_many("questions", seconds)
        self._questions.take(who)

    async def _signed_in(self, connection: Connection, address: str) -> Identity:
        """Who signs in. Guesses are held off, and none who came in before from being held off."""
        credentials = ",".join(connection.headers.getall("authorization", []))
        is_new = bool(credentials) and not self._is_known(credentials)
        if is_new:
            seconds = self._refusals.wait(address)
            if seconds:
                raise _too_many("sign-ins were refused", seconds)
            # At once, so that guesses made side by side count as well.
            self._refusals.take(address)
        try:
            identity = await self._sign_in(connection)
        except Problem as problem:
            if problem.status is HTTPStatus.UNAUTHORIZED and credentials:
                self._forget(credentials)
                if is_new:
                    told = Audited("unknown", (), "", "", "sign-in-refused", origin=address)
                    self._site.audit.note(told)
            elif is_new:
                self._refusals.give_back(address)
            if not credentials:
                self._ask(address)
            raise
        if is_new:
            self._refusals.give_back(address)
        # A session began with an entry of its own.
        if identity is not NOBODY and not identity.form_token:
            self._note_coming(identity, credentials or identity.name, address)
        return identity

    def _note_coming(self, identity: Identity, proof: str, address: str) -> None:
        """Have the audit log know of one who comes in, the first time each day."""
        key = self._key(proof)
        if key not in self._came_in:
            self._came_in[key] = None
            while len(self._came_in) > MOST_KEPT:
                self._came_in.popitem(last=False)
            roles = tuple(sorted(identity.roles))
            told = Audited(identity.name, roles, "", "", "signed-in", origin=address)
            self._site.audit.note(told)

    def _is_known(self, proof: str) -> bool:
        return self._key(proof) in self._came_in

    def _forget(self, proof: str) -> None:
        self._came_in.pop(self._key(proof), None)

    def _key(self, proof: str) -> str:
        today = self._site.figures.clock.today()
        return hashlib.sha256(f"{today} {proof}".encode()).hexdigest()

    def address(self, connection: Connection) -> str:
        """Where a question comes from: of a known proxy, from where the proxy says."""
        client = connection.client
        host = client.host if client else ""
        if is_within(host, self._proxies):
            said = ",".join(connection.headers.getall(FORWARDED_FOR, []))
            # The last is what the proxy itself saw; those before it are its visitors' own words.
            host = said.rpartition(",")[2].strip()[:64] or host
        return address_key(host)


def _too_many(what: str, seconds: int) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"too many {what} in a minute: ask again in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )
