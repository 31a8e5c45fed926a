"""Webhooks, signed as the Standard Webhooks specification says."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass

from aiohttp import ClientSession

from schemas.receivers import Webhook
from streams.alerts.channels.posting import post
from streams.alerts.channels.sending import NotNow
from streams.alerts.messages.message import Message


@dataclass(frozen=True)
class WebhookChannel:
    """Posts messages to one webhook."""

    receiver: Webhook
    deployment: str
    session: ClientSession

    async def send(self, message: Message) -> None:
        """Post a message. Raises Refused or NotNow unless it was taken."""
        body = body_of(self.deployment, message)
        try:
            keys = self.receiver.keys()
        except ValueError as error:
            raise NotNow(str(error)) from error
        headers = signed(keys, message.key, int(time.time()), body)
        await post(self.session, self.receiver.url, body, headers, self.receiver.timeout)


def body_of(deployment: str, message: Message) -> bytes:
    """A message as it is posted: the same bytes whenever that is."""
    told = {
        "deployment": deployment,
        "group": {"owner_kind": message.owner_kind, "owner": message.owner},
        "changes": [item.change.model_dump(mode="json") for item in message.items],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signed(keys: list[bytes], key: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of a body sent at a time, in seconds from 1970, with each key's signature."""
    content = f"{key}.{seconds}.".encode() + body
    digests = [hmac.digest(secret, content, hashlib.sha256) for secret in keys]
    return {
        "webhook-id": key,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(it).decode()}" for it in digests),
    }
