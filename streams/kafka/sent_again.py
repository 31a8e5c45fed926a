"""Dead letters that were sent again: which, by whom and how. The letters stay as they are.

    caseline:{<deployment>}:dead-letters-sent   HASH   TOPIC:PARTITION:OFFSET -> the last sending

The offset is that of the message in its own topic. What is lost with a Redis is in the audit log.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from redis.asyncio import Redis

from schemas.connection_settings import Brokers
from schemas.events.registry import VALIDATORS
from streams import keys
from streams.kafka.batches import TP
from streams.kafka.deadletters import DeadLetter, read_dead_letters


class SentAgain(BaseModel):
    """Who sent a dead letter again, when, and whether as it was or corrected.

    `sha256` is of the message's value as it was sent.
    """

    model_config = ConfigDict(frozen=True)

    by: str
    at: AwareDatetime
    how: Literal["as it was", "corrected"]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SentLetters:
    """The marks of a deployment. Raises redis.RedisError."""

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis: Any = redis
        self._key = f"{keys.of_deployment(deployment)}:dead-letters-sent"

    async def mark(self, name: str, sent: SentAgain) -> None:
        """Keep that a letter was sent again."""
        await self._redis.hset(self._key, name, sent.model_dump_json())

    async def all(self) -> dict[str, SentAgain]:
        """Every mark, by the name of its letter."""
        found = {}
        for name, text in (await self._redis.hgetall(self._key)).items():
            try:
                found[name.decode()] = SentAgain.model_validate_json(text)
            except ValidationError:  # of another version, which alone can read it
                continue
        return found


def letter_name(letter: DeadLetter) -> str:
    """What a dead letter is called: where its message lies, as `dead-letters` has it."""
    return f"{letter.tp.topic}:{letter.tp.partition}:{letter.offset}"


def place_of(name: str) -> tuple[TP, int] | None:
    """Where the message of a dead letter lies, by its name; None for no such name."""
    topic, _, rest = name.partition(":")
    numbers = rest.split(":")
    is_one = topic in VALIDATORS and len(numbers) == 2
    if not is_one or not all(it.isascii() and it.isdigit() and len(it) < 20 for it in numbers):
        return None
    return TP(topic, int(numbers[0])), int(numbers[1])


async def find_letter(brokers: Brokers, name: str) -> DeadLetter | None:
    """A dead letter by its name; None where there is none."""
    place = place_of(name)
    if place is None:
        return None
    letters = read_dead_letters(brokers, [place[0].topic])
    async for letter in letters:
        if (letter.tp, letter.offset) == place:
            return letter
    return None
