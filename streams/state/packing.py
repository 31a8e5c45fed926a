"""Small records as they are stored: each compressed by itself, by what those of its shard share.

A record of a few hundred bytes has little in it that comes twice, but nearly all that is in it is
in others too: names of areas and services, the form of ids, what kinds of event follow one another.
So each shard has dictionaries (RFC 8878, 5) of its own, made from its own records, and a record
lies in Redis as what it says beyond them. A dictionary never changes: others are made as the shard
grows, and a record says by which it was packed.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from zstandard import (
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    frame_content_size,
    train_dictionary,
)

from processors.record.record import LARGE, Written

# The number of no dictionary: a record that lies as it is.
AS_IS = 0
# Bytes of a dictionary, and from how many records it is made: enough of both that more of them save
# hardly anything.
DICTIONARY_BYTES, SAMPLES = 8_192, 1_000
# How many records a shard has when the first is made, and how many times as many at each next one:
# what is known of a child grows, and of the first of a history little is known yet.
FIRST, TIMES = 1_000, 3
# Records that are stored together from which on nobody waits for them to be visible, so that the
# dictionary is waited for: it takes a tenth of a second to make.
MANY = 1_000
MOST_DICTIONARIES = 8
# Lower levels take a quarter less time, half a microsecond a record, and eight bytes a record more.
LEVEL = 3
# What every frame begins with (RFC 8878, 3.1.1), which is not stored.
MAGIC = b"\x28\xb5\x2f\xfd"


class Packing:
    """How a shard packs records: by the last of its dictionaries, once it has any."""

    def __init__(self, dictionaries: Mapping[int, bytes]) -> None:
        self.number = max(dictionaries, default=AS_IS)
        self._samples: list[bytes] = []
        self._making: Future[bytes | None] | None = None
        self._compressor = _compressor(dictionaries[self.number]) if self.number else None

    def learn(self, records: Collection[Written], known: int) -> bytes | None:
        """Look at what is to be stored by a shard of so many records; a new dictionary, or None.

        By a new one, whose number is the next, records are packed from then on. It is made beside
        all else, and given once it is there, but where many records are stored.
        """
        if self._making is None:
            self._making = self._begin_making(records, known)
        if self._making is None or not (self._making.done() or len(records) >= MANY):
            return None
        made, self._making = self._making.result(), None
        if made is not None:
            self.number, self._compressor = self.number + 1, _compressor(made)
        return made

    def _begin_making(
        self, records: Collection[Written], known: int
    ) -> Future[bytes | None] | None:
        """Begin to make a dictionary, if it is time for one and there are samples enough."""
        if self.number >= MOST_DICTIONARIES or known < FIRST * TIMES**self.number:
            return None
        self._samples += [it.piece for it in records if not it.kept and not it.is_apart]
        if len(self._samples) < SAMPLES:
            return None
        samples, self._samples = self._samples[-SAMPLES:], []
        return _MAKER.submit(_dictionary_of, samples)

    def pack(self, records: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Each record packed, and by which dictionary; as it is where that is no longer.

        All by one call, beside which other threads run: to let them after each record would have
        the rest wait for them each time.
        """
        if self._compressor is None or not any(records):
            return [(AS_IS, it) for it in records]
        frames = self._compressor.multi_compress_to_buffer(list(records), threads=0)
        packed = (frames[at].tobytes()[len(MAGIC) :] for at in range(len(frames)))
        return [
            (self.number, it) if len(it) < len(record) else (AS_IS, record)
            for it, record in zip(packed, records, strict=True)
        ]


NO_PACKING = Packing({})


Unpacking = Mapping[int, ZstdDecompressor]
NO_UNPACKING: Unpacking = {}


def unpacking(dictionaries: Mapping[int, bytes]) -> Unpacking:
    """What undoes packing by dictionaries, of one thread alone."""
    return {
        number: ZstdDecompressor(dict_data=ZstdCompressionDict(dictionary))
        for number, dictionary in dictionaries.items()
    }


def unpack(packed: bytes, number: int, by: Unpacking) -> bytes | None:
    """What was packed; None for bytes that are no such thing, or a dictionary that is not there."""
    if number == AS_IS:
        return packed
    if number not in by:
        return None
    frame = MAGIC + packed
    try:
        # A frame that is damaged may promise any number of bytes, and they would be made room for.
        if not 0 <= frame_content_size(frame) < LARGE:
            return None
        return by[number].decompress(frame)
    except ZstdError:
        return None


# What zstandard does there holds up no other thread.
_MAKER = ThreadPoolExecutor(1, thread_name_prefix="dictionary")


def _dictionary_of(samples: list[bytes]) -> bytes | None:
    """What samples share; None where they have nothing in common, or all of it."""
    try:
        made: bytes = train_dictionary(DICTIONARY_BYTES, list(samples)).as_bytes()
    except ZstdError:
        return None
    return made


def _compressor(dictionary: bytes) -> ZstdCompressor:
    shared = ZstdCompressionDict(dictionary)
    shared.precompute_compress(level=LEVEL)
    return ZstdCompressor(
        level=LEVEL,
        dict_data=shared,
        write_content_size=True,
        write_checksum=False,
        write_dict_id=False,
    )
