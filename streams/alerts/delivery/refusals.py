"""Dead letters of delivery: what a receiver refused, kept with where it was and why.

They go to `alerts.dead-letter` as every dead letter goes: what it was, unchanged, and after its
headers where it was and why, by Kafka Connect's names.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from processors.record.decoding import Rejection
from schemas.alerts import ALERTS_TOPIC
from streams.alerts.channels.sending import RefusedByReceiver
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic, headers_of
from streams.kafka.decided import DEPLOYMENT_HEADER

RECEIVER_HEADER = "caseline-receiver"
DELIVERY_HEADER = "caseline-delivery"
# Kafka Connect's name of the stage at which a sink hands records over.
STAGE = "TASK_PUT"


class RefusedMessage(NamedTuple):
    """What was refused of a message: its key, itself, and its offset in the topic."""

    key: str
    value: str
    offset: int


class Refusals:
    """Writes dead letters. Raises aiokafka.errors.KafkaError."""

    def __init__(self, producer: AIOKafkaProducer, deployment: str) -> None:
        self._producer = producer
        self._deployment = deployment

    async def write(
        self,
        receiver: str,
        delivery: str,
        letters: Iterable[RefusedMessage],
        refused: RefusedByReceiver,
    ) -> None:
        """Write all of a message that a receiver refused, and wait until it is safe.

        `delivery` is the message's idempotency key.
        """
        own = (
            (DEPLOYMENT_HEADER, self._deployment.encode()),
            (RECEIVER_HEADER, receiver.encode()),
            (DELIVERY_HEADER, delivery.encode()),
        )
        tp = TP(ALERTS_TOPIC, 0)
        rejection = Rejection(refused.reason, f"{receiver}: {refused}")
        for letter in letters:
            record = KafkaRecord(letter.key.encode(), letter.value.encode(), own, -1, letter.offset)
            await self._producer.send_and_wait(
                dead_letter_topic(ALERTS_TOPIC),
                key=record.key,
                value=record.value,
                headers=headers_of(tp, record, rejection, STAGE, "streams.alerts"),
                partition=0,
            )
