"""A worker that is `caseline worker`, but that reads all records by one connection.

It is one of the pool's, in use for as long as the worker runs, as any connection is while something
waits for an answer. So it is still to whichever server was the master when it was made, also when
the others are to another. Redis knows it by its name. No record stays in memory longer than needed.
"""

import asyncio
import copy
from typing import Any

from schemas.settings import load_settings
from streams.state.store import ShardStore
from streams.terminal.logs import set_up_logs
from streams.worker import worker

NAME = "records"


def main() -> None:
    """Run it until a signal asks it to stop."""
    settings = load_settings().model_copy(update={"records_in_memory": 0})
    set_up_logs(settings.log_level)
    children, clients = ShardStore.children, list[Any]()

    async def by_one_connection(self: ShardStore, *arguments: Any, **options: Any) -> Any:
        if not clients:
            clients.append(self._redis.client())
            await clients[0].client_setname(NAME)
        own = copy.copy(self)
        own._redis = clients[0]
        return await children(own, *arguments, **options)

    setattr(ShardStore, "children", by_one_connection)  # noqa: B010 - a method replaced
    asyncio.run(worker.run(settings))


if __name__ == "__main__":
    main()
