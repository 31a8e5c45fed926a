"""How commands travel to a Redis: without a task for each, and WATCH with what follows it.

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

WATCH = "WATCH"


class SendsTogether(AbstractConnection):
    """A connection that waits to send only where the socket takes no more for now.

    A WATCH is sent with the next command, in one write, and answered in advance. What Redis says
    against it is raised in the place of that command's answer; that it watches nothing, because the
    connection has gone since, as any other failure of the connection.
    """

    # A WATCH that is to be sent, and whether the answer to one that was is yet to be read.
    _held: tuple[bytes, ...] = ()
    _is_awaited = False

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command, or have it sent with the next."""
        if args[0] == WATCH and self.is_connected:
            self._held = tuple(self.pack_command(*args))
        else:
            await super().send_command(*args, **kwargs)

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        """Send what is packed, after what is held. Raises redis.RedisError."""
        held, self._held = self._held, ()
        if not self.is_connected:
            if held:
                raise NoConnection("the connection went before Redis was told what to watch")
            await super().send_packed_command(command, check_health)
            return
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        if isinstance(command, str):
            command = command.encode()
        parts = [command] if isinstance(command, bytes) else command
        self._is_awaited = bool(held)
        assert self._writer
        self._writer.writelines([*held, *parts])
        if self._writer.transport.get_write_buffer_size():
            await super().send_packed_command([], check_health=False)

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

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close the connection; nothing is held any more."""
        self._held, self._is_awaited = (), False
        await super().disconnect(*args, **kwargs)
