"""How commands travel to a Redis: without a task for each, and a WATCH with what is read after it.

A connection of redis-py that awaits sends each command in a task of its own, so that it can stop
waiting, though a socket nearly always takes at once what it is given; and a step that watches a key
goes there and back once for that alone. A worker commits some sixty times a second, and each way
there and back takes its turn among all else that it does.
"""

from collections.abc import Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError


class WatchWithNext(str):
    """The name of WATCH, where the command after it is sent on the same connection, and reads.

    What is read over another connection may be read before a WATCH that waits for the next command.
    """

    __slots__ = ()


WATCH_WITH_NEXT = WatchWithNext("WATCH")


class SendsTogether(AbstractConnection):
    """A connection that waits to send only where the socket takes no more for now.

    A WATCH_WITH_NEXT is answered in advance, and sent in one write with the next command. What
    Redis says against it is raised in the place of that command's answer; that it watches nothing,
    because the connection has gone since, as any other failure of the connection. A transaction
    never travels with it, since it would take place though nothing was watched.
    """

    # A WATCH that is to be sent; whether one was that way lost; and whether the answer to one that
    # was sent is yet to be read.
    _held: tuple[bytes, ...] = ()
    _is_lost = _is_awaited = False

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command, or have it sent with the next. Raises redis.RedisError."""
        if type(args[0]) is WatchWithNext and not self._held and self._is_sound():
            self._held = tuple(self.pack_command(*args))
        elif self._held:
            held, self._held = self._held, ()
            await self._send([*held, *self.pack_command(*args)])
            self._is_awaited = True
        else:
            await super().send_command(*args, **kwargs)

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        """Send what is packed. Raises redis.RedisError."""
        if self._is_lost:
            self._is_lost = False
            raise NoConnection("the connection went before Redis was told what to watch")
        if self._held:
            held, self._held = self._held, ()
            await self._send(held)
            await super().read_response()
        if not self.is_connected:
            await super().send_packed_command(command, check_health)
            return
        writer = self._writer
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        if self._writer is not writer:
            # What was watched on the one before is watched no more.
            raise NoConnection("the connection is another one since it was looked at")
        if isinstance(command, str):
            command = command.encode()
        await self._send([command] if isinstance(command, bytes) else command)

    async def _send(self, parts: Iterable[bytes]) -> None:
        assert self._writer
        try:
            self._writer.writelines(parts)
        except BaseException as error:
            # How much was sent is not known.
            await self.disconnect(nowait=True)
            if isinstance(error, OSError):
                raise NoConnection(f"Redis could not be written to: {error}") from error
            raise
        if self._writer.transport.get_write_buffer_size():
            await super().send_packed_command([], check_health=False)

    def _is_sound(self) -> bool:
        """Whether the connection is there, as far as is known without asking."""
        if self._reader is None or self._writer is None:
            return False
        is_over = self._reader.at_eof() or self._reader.exception() is not None
        return not is_over and not self._writer.is_closing()

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """The answer to the next command. Raises redis.RedisError."""
        if self._held:
            return b"OK"
        if not self._is_awaited:
            return await super().read_response(*args, **kwargs)
        self._is_awaited, refusal = False, None
        try:
            await super().read_response()
        except ResponseError as error:
            refusal = error
        answer = await super().read_response(*args, **kwargs)
        if refusal:
            raise refusal
        return answer

    async def connect(self) -> None:
        """Connect, if it is not connected; whoever was to watch something is somebody else now."""
        self._is_lost = False
        await super().connect()  # type: ignore[no-untyped-call]

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close the connection. Where something was to be watched, the next command fails."""
        self._is_lost, self._held, self._is_awaited = bool(self._held), (), False
        await super().disconnect(*args, **kwargs)
