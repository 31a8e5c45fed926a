"""What a process has taken of the machine, as the kernel counts it."""

import os
import re
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


def processor_seconds(pid: int) -> float:
    """The processor time that a process has used so far; 0 when it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # Of itself and in the kernel, after a name that may have anything in it (proc(5)).
    user, kernel = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")
