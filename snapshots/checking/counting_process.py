"""A process that counts a part of a log: `python -m snapshots.checking.counting_process`.

Its argument is the descriptor of a connection. On it come a ReadOrder and a CountOrder; it answers
with LaidOut and LogSums, and tells how it goes meanwhile; an error that a user can do something
about is the answer as well. It ends with the process at the other end, whatever that died of.
"""

import gc
import os
import sys
import threading
import traceback
from itertools import chain
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from snapshots.checking.causes import Moves
from snapshots.checking.counters import CountOrder, HasCounted, HasRead, ReadOrder
from snapshots.checking.log_findings import count, lay_out
from snapshots.recount.disk import Spill, read_pieces
from snapshots.releases.release_failures import ReleaseError

# What is made of a bucket's records goes with it, and forms no cycles: looking through it again and
# again for garbage takes a tenth of the time.
GC_THRESHOLDS = (200_000, 20, 100)


def run(connection: Connection) -> None:
    """Do what is ordered, and answer."""
    orders: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_take_in, args=(connection, orders), daemon=True).start()

    def has_read(records: int) -> None:
        connection.send(HasRead(records))

    def has_counted(records: int, moves: Moves | None) -> None:
        connection.send(HasCounted(records, moves))

    try:
        order: ReadOrder = orders.get()
        with open(order.file, "wb", closefd=False) as file:
            spill = Spill(file, order.buckets)
            connection.send(lay_out(order.log, order.cut, spill, has_read))
        del spill
        what: CountOrder = orders.get()
        buckets = (
            list(chain.from_iterable(map(read_pieces, what.files, pieces)))
            for pieces in what.buckets
        )
        connection.send(count(buckets, order.question, has_counted))
    except (ReleaseError, OSError) as error:
        connection.send(error)


def _take_in(connection: Connection, orders: "SimpleQueue[Any]") -> None:
    """Have orders queue up; end this process at once when the other one has ended.

    So too for an order that cannot be read, such as one of another version of Caseline.
    """
    try:
        while True:
            orders.put(connection.recv())
    except (EOFError, OSError):
        os._exit(1)
    except BaseException as error:
        _tell(error)
        os._exit(1)


def _tell(error: BaseException) -> None:
    """Where an error was and what it was called; its own text may be of a child."""
    traceback.print_tb(error.__traceback__)
    print(f"{type(error).__name__} in a process that counts the log", file=sys.stderr, flush=True)


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        run(Connection(int(sys.argv[1])))
    except BrokenPipeError:
        os._exit(1)  # the other process has ended
    except Exception as error:
        _tell(error)
        sys.exit(1)
