"""Ports that tests choose are nobody else's until their process ends."""

import subprocess
import sys

from tests.support.ports import free_port, hold

HOLD = "from tests.support.ports import free_port, hold; print(hold({port}), free_port())"


def test_a_port_that_was_chosen_is_chosen_by_nobody_else_until_the_process_ends() -> None:
    port = free_port()
    assert not hold(port)
    command = [sys.executable, "-c", HOLD.format(port=port)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    is_theirs, chosen = done.stdout.split()
    assert is_theirs == "False"
    assert int(chosen) != port
    assert hold(int(chosen))
