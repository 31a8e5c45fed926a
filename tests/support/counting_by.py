"""Runs a command of caseline that counts a log in two processes, each by a program that is given.

Usage: counting_by.py PROGRAM ARGUMENT...
"""

import os
import signal
import sys

from snapshots.checking import counters

if __name__ == "__main__":
    # As at a terminal, also where whoever runs the tests has Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counters.WORTH_A_PROCESS = 1
    os.sched_getaffinity = lambda _: {0, 1}
    from streams.cli import main

    counters.COMMAND = (sys.argv[1], *counters.COMMAND[1:])
    sys.argv = ["caseline", *sys.argv[2:]]
    main()
