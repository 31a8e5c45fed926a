"""The children that were erased, by keyed hash: in the topic of decisions, and in Redis beside it.

    caseline:{<deployment>}:erased    HASH  keyed hash -> which erasure, and until when

What one of the two has lost, because a backup was put back, the other still has. So no copy of
the log or the state brings a child back; only where both are of before the erasure is it not known.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis

from processors.record.erased import NOBODY, ErasedChild, ErasedChildren, checked_key
from schemas.settings import Settings
from streams import keys
from streams.failures import Understood
from streams.kafka.decided import Decision, decisions_of, write

KIND = "erased"
ERASURES = "erasure"
HOW = "head -c 32 /dev/urandom > erasure.key"


class NoErasureKey(Understood):
    """The secret with which erased children are remembered is not there, or of no use."""


def erasure_key(path: Path | None) -> bytes:
    """The secret in a file. Raises NoErasureKey."""
    if path is None:
        raise NoErasureKey(
            "CASELINE_ERASURE_KEY_FILE names no file: erased children are remembered by a keyed "
            f"hash, which takes a secret that all processes have (`{HOW}`, mode 0600)"
        )
    try:
        return checked_key(path.read_bytes())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise NoErasureKey(
            f"CASELINE_ERASURE_KEY_FILE: {path}: {why}. Children were erased with that secret, or "
            f"are to be: bring it back (a first one: `{HOW}`)"
        ) from error


async def remember(settings: Settings, redis: Redis, children: Collection[ErasedChild]) -> None:
    """Have children known for erased, in the log and in Redis.

    Raises streams.kafka.decided.OtherDecisions or NotConfirmed, aiokafka.errors.KafkaError or
    redis.RedisError.
    """
    texts = {it.hash: msgspec.json.encode(it).decode() for it in children}
    # Of a child that was erased twice the later one is kept, and each erasure by itself.
    days = {it.erasure: it.day for it in children}
    decided = [Decision(KIND, number, text) for number, text in texts.items()]
    decided += [Decision(ERASURES, number, day) for number, day in days.items()]
    if not decided:
        return
    async for _ in write(settings.kafka, settings.deployment, decided):
        pass
    client: Any = redis
    await client.hset(_key(settings), mapping=texts)


async def erased_everywhere(settings: Settings, redis: Redis) -> ErasedChildren:
    """Whose events count no more, by the log and by Redis, which then has all of it.

    Raises NoErasureKey, aiokafka.errors.KafkaError, streams.kafka.logreading.ReadTimedOut or
    redis.RedisError.
    """
    here, logged = await _here(settings, redis), await _logged(settings)
    if lacking := {number: it for number, it in logged.items() if number not in here}:
        client: Any = redis
        texts = {number: msgspec.json.encode(it) for number, it in lacking.items()}
        await client.hset(_key(settings), mapping=texts)
    return _known(settings, {**here, **logged})


async def erased_here(settings: Settings, redis: Redis) -> ErasedChildren:
    """The same by Redis alone, as the state in it is made. Raises NoErasureKey."""
    return _known(settings, await _here(settings, redis))


async def log_again(settings: Settings, redis: Redis) -> int:
    """Have the log have what only Redis has, as after a backup of Kafka; how many that were.

    Raises as `remember` does, and streams.kafka.logreading.ReadTimedOut.
    """
    here, logged = await _here(settings, redis), await _logged(settings)
    lacking = [it for number, it in here.items() if number not in logged]
    await remember(settings, redis, lacking)
    return len(lacking)


async def erasure_days(settings: Settings) -> dict[str, str]:
    """The erasures that the log knows of, and the day of each.

    Raises aiokafka.errors.KafkaError or streams.kafka.logreading.ReadTimedOut.
    """
    found = await decisions_of(settings.kafka, settings.deployment, ERASURES)
    return {it.number: it.text or "" for it in found}


def _known(settings: Settings, found: Mapping[str, ErasedChild]) -> ErasedChildren:
    if not found:
        return NOBODY
    return ErasedChildren(erasure_key(settings.erasure_key_file), found.values())


async def _here(settings: Settings, redis: Redis) -> dict[str, ErasedChild]:
    client: Any = redis
    stored: Mapping[bytes, bytes] = await client.hgetall(_key(settings))
    return {it.hash: it for it in map(_decode, stored.values())}


async def _logged(settings: Settings) -> dict[str, ErasedChild]:
    decided = await decisions_of(settings.kafka, settings.deployment, KIND)
    return {it.hash: it for it in (_decode((each.text or "").encode()) for each in decided)}


def _key(settings: Settings) -> str:
    return f"{keys.of_deployment(settings.deployment)}:erased"


_decode = msgspec.json.Decoder(ErasedChild).decode
