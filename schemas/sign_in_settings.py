"""Settings of signing in to `serve`: by a token, a proxy's word, or an OpenID provider."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from schemas.services import ServiceSettings

# Without these nobody could sign in by OpenID, or do anything once they had.
NEEDED_FOR_OPENID = ("oidc_issuer", "oidc_client_id", "site_address", "groups_file")
FOR_OPENID_ALONE = ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "site_address")


def _networks(text: str) -> str:
    for it in filter(None, map(str.strip, text.split(","))):
        ip_network(it)
    return text


def _address(text: str) -> str:
    """An address without anything after it, which is not listened to on its way."""
    found = urlsplit(text)
    if found.scheme != "https" and not (found.scheme == "http" and _is_here(found.hostname or "")):
        raise ValueError("is no https:// address, nor http:// of this machine alone")
    if not found.hostname or found.username or found.query or found.fragment:
        raise ValueError("is no address of a host")
    _ = found.port
    return text


def _site(text: str) -> str:
    if urlsplit(_address(text)).path not in ("", "/"):
        raise ValueError("has a path: pages begin at the top of their host")
    return text.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class OpenIdClient:
    """What this deployment is to its OpenID provider, and where people are sent back to."""

    issuer: str
    number: str
    secret: SecretStr
    scopes: str
    roles_claim: str
    name_claim: str
    site: str


class SignInSettings(ServiceSettings):
    """How who asks `serve` says who they are."""

    sign_in: Literal["none", "token", "proxy", "oidc"] = Field(
        "none",
        description="how who asks `serve` says who they are: none (this machine alone), token, "
        "proxy (its headers, and tokens), or oidc (an OpenID provider, and tokens)",
    )
    proxy_addresses: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="addresses and networks of the proxies whose headers are believed, separated "
        "by commas",
    )
    groups_file: Path | None = Field(
        None,
        description="the roles and places of the groups that the proxy names, or of the roles that "
        "the OpenID provider does",
    )
    oidc_issuer: Annotated[str, AfterValidator(_address)] | None = Field(
        None,
        description="the OpenID provider, by the issuer of its tokens; its discovery document is "
        "found below it",
    )
    oidc_client_id: str | None = Field(None, description="what the provider calls this deployment")
    oidc_client_secret: SecretStr | None = Field(
        None, description="the secret that the provider knows this deployment by"
    )
    oidc_client_secret_file: Path | None = Field(
        None, description="a file that holds that secret instead"
    )
    oidc_scopes: Annotated[str, Field(pattern=r"^(.* )?openid( .*)?$")] = Field(
        "openid profile", description="what the provider is asked for"
    )
    oidc_roles_claim: Annotated[str, Field(min_length=1)] = Field(
        "roles",
        description="the claim of the provider's token that has someone's roles; one within "
        "another is named with a dot",
    )
    oidc_name_claim: Annotated[str, Field(min_length=1)] = Field(
        "preferred_username",
        description="the claim that has the name someone goes by here and in the audit log; "
        "without it they go by `sub`",
    )
    site_address: Annotated[str, AfterValidator(_site)] | None = Field(
        None,
        description="the address that people reach `serve` at, where the OpenID provider sends "
        "them back to, such as https://scorecard.example.org; http:// on this machine alone",
    )

    @property
    def openid(self) -> OpenIdClient | None:
        """What signs people in by OpenID; None where that is not how. Raises OSError.

        Where it is, all of it is set (`_openid_is_whole`).
        """
        secret = self._secret("oidc_client_secret")
        if self.sign_in != "oidc":
            return None
        return OpenIdClient(
            self.oidc_issuer or "",
            self.oidc_client_id or "",
            secret or SecretStr(""),
            self.oidc_scopes,
            self.oidc_roles_claim,
            self.oidc_name_claim,
            self.site_address or "",
        )

    @model_validator(mode="after")
    def _openid_is_whole(self) -> Self:
        secret = self._secret("oidc_client_secret")
        if self.sign_in == "oidc":
            lacking = [it for it in NEEDED_FOR_OPENID if not getattr(self, it)]
            if not (secret and secret.get_secret_value()):
                lacking.append("oidc_client_secret or oidc_client_secret_file")
            self._must_be(not lacking, f"sign_in oidc needs {', '.join(lacking)} as well")
        else:
            unused = [it for it in FOR_OPENID_ALONE if getattr(self, it)]
            unused += ["oidc_client_secret_file"] if self.oidc_client_secret_file else []
            self._must_be(not unused, f"{', '.join(unused)} needs sign_in oidc")
        return self
