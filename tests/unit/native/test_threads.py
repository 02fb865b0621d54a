import os
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from freezepack import native


@pytest.fixture
def threads() -> Iterator[None]:
    before = native.get_num_threads()
    yield
    native.set_num_threads(before)


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 4096, 4097])
@pytest.mark.usefixtures("threads")
def test_ranges_cover_everything_once_and_begin_at_tiles(size: int) -> None:
    native.set_num_threads(3)
    ranges = native.map_tiles(lambda begin, end: (begin, end), size, tile=8, least=50)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert all(begin % 8 == 0 for begin, _ in ranges)


@pytest.mark.usefixtures("threads")
def test_small_work_stays_in_the_calling_thread() -> None:
    native.set_num_threads(4)
    found = native.map_tiles(lambda *_: threading.get_ident(), 99, tile=1, least=50)
    assert found == [threading.get_ident()]


@pytest.mark.usefixtures("threads")
def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def fail(begin: int, end: int) -> None:
        raise ValueError(f"no {begin} {end}")

    native.set_num_threads(2)
    with pytest.raises(ValueError, match="no 0 "):
        native.map_tiles(fail, 1000, tile=1, least=1)


def test_the_number_of_threads_begins_with_the_processors_allowed() -> None:
    assert 1 <= native.get_num_threads() <= (os.cpu_count() or 1)


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="number of threads is 0, expected 1 or more"):
        native.set_num_threads(0)


@pytest.mark.usefixtures("threads")
def test_items_are_shared_and_results_keep_their_order() -> None:
    native.set_num_threads(2)
    both = threading.Barrier(2, timeout=10)

    def work(item: int) -> tuple[int, int]:
        if item < 2:
            both.wait()  # passes only if two threads are at work
        return item, threading.get_ident()

    found = native.map_items(work, range(6), size=6, least=1)
    assert [item for item, _ in found] == [0, 1, 2, 3, 4, 5]
    assert len({thread for _, thread in found}) == 2


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("size", "least"), [(6, 6), (0, 1)])
def test_items_that_are_little_work_stay_in_the_calling_thread(size: int, least: int) -> None:
    native.set_num_threads(4)
    found = native.map_items(lambda _: threading.get_ident(), range(3), size, least)
    assert found == [threading.get_ident()] * 3
    assert native.map_items(abs, [], size, least) == []


@pytest.mark.usefixtures("threads")
def test_of_several_errors_the_first_in_order_is_raised() -> None:
    native.set_num_threads(3)
    both = threading.Barrier(2, timeout=10)

    def fail(item: int) -> None:
        if item in (1, 2):
            both.wait()
            time.sleep(0.05 * (item == 1))  # the later item fails earlier
            raise ValueError(f"no {item}")

    for _ in range(3):
        with pytest.raises(ValueError, match="no 1"):
            native.map_items(fail, range(9), size=9, least=1)


@pytest.mark.usefixtures("threads")
def test_work_within_an_item_stays_in_its_thread() -> None:
    native.set_num_threads(2)

    def split(_: int) -> bool:
        inner = native.map_tiles(lambda *_: threading.get_ident(), 100, tile=1, least=1)
        return inner == [threading.get_ident()]

    assert native.map_items(split, range(4), size=4, least=1) == [True] * 4
    assert len(native.map_tiles(lambda begin, _: begin, 100, tile=1, least=1)) == 8
