"""What a client gives up is trouble like another, and no order to end."""

import asyncio
from typing import cast

import pytest

from streams.alerts import elected_jobs
from streams.alerts.elected_jobs import Job, keep_doing
from streams.failures import GivenUp, given_up
from streams.state.election import Term
from streams.terminal.stopping import run_until_asked


async def give_up() -> None:
    """Wait for what its client cancels, as aiokafka's clients do."""
    waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waited.cancel()
    await waited


class Lasting:
    """A term that nothing ends."""

    async def check(self) -> None:
        pass


def test_a_job_goes_on_after_what_it_waited_for_was_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elected_jobs, "TROUBLE_SECONDS", 0.0)
    turns: list[int] = []
    third = asyncio.Event()

    async def turn() -> bool:
        turns.append(len(turns))
        if len(turns) < 3:
            await give_up()
        third.set()
        return False

    async def run() -> None:
        jobs = asyncio.create_task(keep_doing([Job("tell", turn)], cast(Term, Lasting())))
        await third.wait()
        assert not jobs.done()
        jobs.cancel()
        await asyncio.wait([jobs])
        assert jobs.cancelled()

    asyncio.run(run())
    assert len(turns) >= 3


def test_whoever_is_cancelled_is_and_whoever_is_not_says_why() -> None:
    async def waiting() -> None:
        with given_up():
            await asyncio.sleep(60)

    async def run() -> None:
        with pytest.raises(GivenUp), given_up():
            await give_up()
        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(run())


def test_a_process_that_nobody_asked_to_end_does_not_end_as_if_it_were() -> None:
    with pytest.raises(GivenUp):
        run_until_asked(give_up())
