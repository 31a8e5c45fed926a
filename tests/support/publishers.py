"""A deployment whose releases are served to a publisher, for tests that need real services."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from redis.asyncio import Redis

from schemas.settings import Settings
from snapshots.releases.chain import Sealed
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.topic import ReleasePublisher
from streams.serving.roles import Role
from streams.serving.tokens import Tokens
from tests.support.commands import Command
from tests.support.serving_process import serving
from tests.support.workers import CommandLine

NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)
# Who there is, by the name that they sign in with.
ROLES = {
    "P. Lisher": [Role.PUBLISHER],
    "V. Iewer": [Role.VIEWER],
    "O. Perator": [Role.OPERATOR],
    "B. Oth": [Role.OPERATOR, Role.ANALYST],
    "A. Uditor": [Role.AUDITOR],
}


class Publishers(NamedTuple):
    """Where releases are served and kept, by which process, and everyone's token."""

    address: str
    process: Command
    settings: Settings
    tokens: dict[str, str]
    log: Path

    def basic(self, who: str) -> tuple[str, str]:
        return who, self.tokens[who]


def keep(settings: Settings, *releases: Sealed) -> None:
    """Put releases where a freeze puts them."""
    for it in releases:
        ReleaseFolder(settings.releases).write(it)
        ReleasePublisher(settings.kafka).publish(it)


@contextmanager
def publishing(caseline: CommandLine, folder: Path) -> Iterator[Publishers]:
    """`caseline serve` on a deployment's releases, which lie in `folder`."""
    (folder / "releases").mkdir(exist_ok=True)
    update = {
        "releases": folder / "releases",
        "public_folder": folder / "public",
        "internal_folder": folder / "internal",
    }
    settings = caseline.settings.model_copy(update=update)
    given = {name: str(path) for name, path in update.items()}
    with ThreadPoolExecutor(max_workers=1) as pool:  # a browser's driver has a loop of its own
        tokens = pool.submit(asyncio.run, _tokens(settings)).result()
    own = Path(mkdtemp(prefix="serve-", dir=folder))  # each process has a log of its own
    with serving(settings, NOW, own, sign_in="token", **given) as (process, address):
        yield Publishers(address, process, settings, tokens, own / "serve.log")


async def _tokens(settings: Settings) -> dict[str, str]:
    async with Redis.from_url(settings.redis_url) as redis:
        kept, lasts = Tokens(redis, settings.deployment), timedelta(days=365)
        return {
            name: (await kept.create(name, roles, [], NOW, lasts)).text
            for name, roles in ROLES.items()
        }
