"""Receivers as data: who is told of alerts, how, and of which. Read from TOML and checked.

No secret stands in the file: it names the file or the environment variable that holds it.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from schemas.alerts import AlertState, CaseChange, IndicatorChange
from schemas.catalogue import Data
from schemas.datafile import data_file
from schemas.standards import OwnerKind, Severity

# What a secret of the Standard Webhooks specification begins with; base64 follows.
KEY_PREFIX = "whsec_"
LEAST_KEY_BYTES, MOST_KEY_BYTES = 24, 64


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must begin with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password")
    return url


Url = Annotated[str, AfterValidator(_plain_url)]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")]


class Secret(Data):
    """Where a secret lies: a file, or an environment variable."""

    file: str | None = None
    variable: str | None = None

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        if (self.file is None) == (self.variable is None):
            raise ValueError("a secret needs `file` or `variable`, and not both")
        return self

    def read(self) -> str:
        """The secret. Raises ValueError, which does not show it, when it is not there."""
        if self.file is not None:
            try:
                text = Path(self.file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"the secret's file {self.file} cannot be read") from error
        else:
            text = os.environ.get(self.variable or "", "").strip()
        if not text:
            raise ValueError(f"there is no secret in {self.file or self.variable}")
        return text


class _Receiver(Data):
    """What receivers of every kind have in common.

    `states`, `severities`, `standards` and `owners` are what it is told of; all where not given.
    `most_changes` goes into one message, `messages_per_second` are sent at most. What was not
    taken is tried again after a random time of up to `first_retry` seconds, then up to twice that,
    and so on up to `longest_retry`; `timeout` is for one attempt, in seconds.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    states: tuple[AlertState, ...] = ("due-soon", "breached", "resolved")
    severities: tuple[Severity, ...] = ()
    standards: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    most_changes: Annotated[int, Field(ge=1, le=1_000)] = 100
    messages_per_second: Annotated[float, Field(gt=0)] = 20.0
    first_retry: Annotated[float, Field(gt=0)] = 0.5
    longest_retry: Annotated[float, Field(gt=0)] = 60.0
    timeout: Annotated[float, Field(gt=0)] = 10.0

    def may_get(self, change: CaseChange | IndicatorChange) -> bool:
        """Whether the receiver is for changes of such an alert, whatever its state."""
        return (
            (not self.severities or change.severity in self.severities)
            and (not self.standards or change.standard in self.standards)
            and (not self.owners or change.owner in self.owners)
        )


class Webhook(_Receiver):
    """A URL that messages are posted to, signed as the Standard Webhooks specification says.

    The secret is `whsec_` and base64; several, separated by white space, each sign, so that a
    secret can be replaced while both are known.
    """

    kind: Literal["webhook"]
    url: Url
    secret: Secret

    def keys(self) -> list[bytes]:
        """The keys to sign with. Raises ValueError, which does not show them."""
        return [_key(text) for text in self.secret.read().split()]


class Alertmanager(_Receiver):
    """A Prometheus Alertmanager, told by its API, version 2.

    It is told again of what is active every `resend` seconds, and forgets what it is not told of
    for `lease` seconds. `generator_url` is where an alert is looked at, `{alert}` being its id.
    """

    kind: Literal["alertmanager"]
    url: Url
    resend: Annotated[float, Field(gt=0)] = 60.0
    lease: Annotated[float, Field(gt=0)] = 240.0
    generator_url: str | None = None

    @model_validator(mode="after")
    def _lets_nothing_lapse(self) -> Self:
        if self.lease < 2 * self.resend:
            raise ValueError("lease must be at least twice resend, or active alerts lapse")
        return self


class Mailbox(Data):
    """Who reads an owner's digest."""

    owner: str
    kind: OwnerKind | None = None
    addresses: Annotated[tuple[Address, ...], Field(min_length=1)]


class Smtp(_Receiver):
    """A mail server, through which each owner gets a digest a day at `hour`, in London.

    Owners without a `mailbox` of their own go to `default_addresses`; without those, nowhere.
    """

    kind: Literal["smtp"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    sender: Address
    user: str | None = None
    password: Secret | None = None
    hour: Annotated[int, Field(ge=0, le=23)] = 8
    default_addresses: tuple[Address, ...] = ()
    mailbox: tuple[Mailbox, ...] = ()

    @model_validator(mode="after")
    def _logs_in_whole_or_not_at_all(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        if self.user and self.tls == "none":
            raise ValueError("a password is not sent without tls")
        return self

    def addresses(self, kind: OwnerKind, owner: str) -> tuple[str, ...]:
        """Who reads an owner's digest."""
        for it in self.mailbox:
            if it.owner == owner and it.kind in {None, kind}:
                return it.addresses
        return self.default_addresses


Receiver = Annotated[Webhook | Alertmanager | Smtp, Field(discriminator="kind")]


class Receivers(Data):
    """Every receiver; names are unique."""

    receiver: tuple[Receiver, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [it.name for it in self.receiver]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"receiver named twice: {', '.join(twice)}")
        return self


def named_receivers(path: Path | None) -> tuple[Webhook | Alertmanager | Smtp, ...]:
    """The receivers in a TOML file, for whoever tells them nothing; none without a file.

    Raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError when the file cannot be
    read, is not TOML or breaks a rule.
    """
    return data_file(path).into(Receivers).receiver if path else ()


def load_receivers(path: Path | None) -> tuple[Webhook | Alertmanager | Smtp, ...]:
    """The receivers in a TOML file, every secret of theirs being there; none without a file.

    Raises as `named_receivers` does, and ValueError where there is no secret.
    """
    receivers = named_receivers(path)
    for receiver in receivers:
        try:
            _check_secrets(receiver)
        except ValueError as error:
            raise ValueError(f"receiver {receiver.name}: {error}") from error
    return receivers


def _check_secrets(receiver: Webhook | Alertmanager | Smtp) -> None:
    if isinstance(receiver, Webhook):
        receiver.keys()
    elif isinstance(receiver, Smtp) and receiver.password:
        receiver.password.read()


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not (text.startswith(KEY_PREFIX) and LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES):
        raise ValueError(
            f"a webhook's secret is {KEY_PREFIX} and the base64 of {LEAST_KEY_BYTES} to "
            f"{MOST_KEY_BYTES} bytes"
        )
    return key
