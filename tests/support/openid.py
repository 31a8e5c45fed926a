"""A real OpenID provider for tests, run by node, and signing in there without a page."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest

from schemas.settings import Settings
from streams.serving.groups import Groups, KnownGroup
from streams.serving.roles import Role

CLIENT, SECRET = "caseline", "a-secret-of-32-bytes-or-a-bit-more"
# Who signs in there, with the roles that the provider gives them.
PEOPLE = {
    "manager": ["eh-managers", "payroll"],
    "analyst": ["eh-analysts"],
    "lead": ["eh-leads"],
    "stranger": ["payroll"],
}
GROUPS = Groups(
    group=(
        KnownGroup(name="eh-managers", roles=(Role.MANAGER,), places=("Thanet",)),
        KnownGroup(name="eh-analysts", roles=(Role.ANALYST,)),
        KnownGroup(name="eh-leads", roles=(Role.LEAD,), places=("Unit A",)),
    )
)


def openid_settings(settings: Settings, issuer: str, site: str) -> Settings:
    """Settings by which people sign in at a provider and come back to a site."""
    given = {
        "sign_in": "oidc",
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "site_address": site,
        "groups_file": "groups.toml",
    }
    return Settings.model_validate({**settings.model_dump(exclude_unset=True), **given})


class Provider:
    """The provider, on a port of its own."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def acts(self, mode: str) -> None:
        """Have it give tokens as `provider.mjs` says of a mode; `itself` is honest."""
        httpx2.get(f"{self.issuer}/as/{mode}").raise_for_status()

    def logout_token(self, name: str, *, is_of_all: bool = False) -> str:
        """What it would send once someone has signed out: of their latest session, or of all."""
        told = httpx2.get(f"{self.issuer}/logout/{name}{'/all' if is_of_all else ''}")
        return told.raise_for_status().text

    def returned(self, address: str, name: str) -> str:
        """Where someone is sent back to who goes to an address and signs in there."""
        with httpx2.Client() as browser:
            asked = browser.get(address)
            form = urljoin(self.issuer, asked.headers["location"])
            answer = browser.post(form, data={"name": name})
            while (to := urljoin(self.issuer, answer.headers["location"])).startswith(self.issuer):
                answer = browser.get(to)
        return to


@contextmanager
def openid_provider(
    sites: Sequence[str], people: Mapping[str, Sequence[str]] = PEOPLE
) -> Iterator[Provider]:
    """The provider that sends people back to these sites; skipped without node, failed in CI."""
    found = subprocess.run(["scripts/openid"], capture_output=True, text=True, check=False)
    if found.returncode:
        assert not os.environ.get("CI"), found.stderr
        pytest.skip(found.stderr.strip())
    node, program, folder = found.stdout.splitlines()
    config = json.dumps({"sites": sites, "people": people})
    with subprocess.Popen(
        [node, program, folder, config],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            assert running.stdout
            issuer = running.stdout.readline().strip()
            assert issuer, "the provider ended before it listened"
            yield Provider(issuer)
        finally:
            running.kill()


def asked_of(address: str) -> dict[str, str]:
    """What an address asks for, each once."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def form_token_in(page: str) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]
