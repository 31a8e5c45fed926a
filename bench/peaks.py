"""What a process has taken of the machine, as the kernel counts it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

KIB_A_MEGABYTE = 1024


def peak_memory(pid: int) -> float:
    """A process's peak memory so far, in MB; 0 when it has ended.

    The kernel's other account of it, `ru_maxrss`, begins with what the parent had.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / KIB_A_MEGABYTE if found else 0.0


def tree_memory(pid: int) -> float:
    """The memory that a process and all that it has started take now, in MB.

    What several share, such as the interpreter, is counted once.
    """
    return sum(_shared_out(it) for it in _tree(pid)) / KIB_A_MEGABYTE


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        started = [child for it in threads for child in (it / "children").read_text().split()]
    except OSError:
        return
    for child in started:
        yield from _tree(int(child))


def _shared_out(pid: int) -> int:
    """A process's memory in kB, of what is shared its part; 0 when it has ended."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
    return int(found[1]) if found else 0


def processor_seconds(pid: int) -> float:
    """The processor time that a process has used so far; 0 when it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # Of itself and in the kernel, after a name that may have anything in it (proc(5)).
    user, kernel = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")
