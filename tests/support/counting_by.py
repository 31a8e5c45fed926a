"""Runs a command of caseline that counts a log in two processes, each by a program that is given.

Usage: counting_by.py PROGRAM ARGUMENT...
"""

import os
import sys

from snapshots.checking import counters

if __name__ == "__main__":
    counters.WORTH_A_PROCESS = 1
    os.sched_getaffinity = lambda _: {0, 1}
    from streams.cli import main

    counters.COMMAND = (sys.argv[1], *counters.COMMAND[1:])
    sys.argv = ["caseline", *sys.argv[2:]]
    main()
