"""What came to stay is not looked through for garbage, and what goes is given back all the same."""

import gc
from collections.abc import Iterator
from weakref import WeakSet

import pytest

from streams.worker.garbage import YOUNG, Garbage


class Kept:
    """An object that may be known to be gone."""


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    """A worker's, with nothing set apart yet; the way of the tests is restored after."""
    before = gc.get_threshold()
    gc.unfreeze()
    yield Garbage()
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def test_what_came_is_set_apart_once_it_is_much(garbage: Garbage) -> None:
    gc.collect()
    few = [Kept() for _ in range(10)]
    garbage.spare()
    assert gc.get_freeze_count() == 0
    many = [Kept() for _ in range(YOUNG)]
    garbage.spare()
    assert gc.get_freeze_count() >= len(few) + len(many)
    assert gc.get_count()[0] < YOUNG


def test_what_is_set_apart_goes_when_nothing_holds_it(garbage: Garbage) -> None:
    many, alive = [Kept() for _ in range(YOUNG)], WeakSet[Kept]()
    alive.update(many[:10])
    garbage.spare()
    many.clear()
    assert not alive
