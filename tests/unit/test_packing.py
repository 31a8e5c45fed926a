"""Commands of many arguments are what the library makes of them."""

from hypothesis import given
from hypothesis import strategies as st
from redis.connection import HiredisRespSerializer

from streams.connections import KNOWN_LENGTHS, MANY_ARGUMENTS, PacksQuickly

ARGUMENTS = (
    st.text()
    | st.binary()
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.sampled_from(
        [b"x" * KNOWN_LENGTHS, "é" * KNOWN_LENGTHS, bytearray(b"y"), memoryview(b"z")]
    )
)


@given(
    st.sampled_from(["HSET", "ZADD", "SCRIPT LOAD", b"HSET"]),
    st.lists(ARGUMENTS, min_size=MANY_ARGUMENTS - 3, max_size=MANY_ARGUMENTS + 3),
)
def test_a_command_is_packed_as_the_library_packs_it(name: str, arguments: list[object]) -> None:
    try:
        expected = b"".join(HiredisRespSerializer().pack(name, *arguments))  # type: ignore[arg-type]
    except Exception as error:
        expected = type(error).__name__.encode()
    try:
        packed = b"".join(PacksQuickly().pack_command(name, *arguments))
    except Exception as error:
        packed = type(error).__name__.encode()
    assert packed == expected
