"""Sharing work between threads: how many there are, and who does what."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LEAST = 1 << 18
"""Elements of a tensor that are worth a thread."""

_threads: list[int] = []
_here = threading.local()


def get_num_threads() -> int:
    """Return how many threads large jobs are split over; at first, the processors allowed."""
    if not _threads:
        allowed = getattr(os, "sched_getaffinity", None)
        _threads.append(len(allowed(0)) if allowed else os.cpu_count() or 1)
    return _threads[0]


def set_num_threads(count: int) -> None:
    """Split large jobs over `count` threads from now on. No result depends on it.

    Raises
    ------
    ValueError
        If `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"number of threads is {count}, expected 1 or more")
    _threads[:] = [count]


def map_tiles(
    work: Callable[[int, int], Any], size: int, tile: int, least: int = LEAST
) -> list[Any]:
    """Call `work(begin, end)` over ranges that cover 0 to `size`, in several threads if it pays.

    Parameters
    ----------
    work : callable
        Does items `begin` to `end` - 1. It must release the GIL to gain anything, as native
        functions and large NumPy operations do.
    size : int
        Number of items; 0 gives one call `work(0, 0)`.
    tile : int
        Ranges begin at multiples of this.
    least : int
        Fewest items worth a thread.

    Returns
    -------
    list
        What the calls returned, in order of the ranges.

    Examples
    --------
    >>> map_tiles(lambda begin, end: (begin, end), 1000, 4)
    [(0, 1000)]
    """
    threads = _count_threads(size, least)
    # More pieces than threads, so that one slow core does not hold up the rest.
    step = size if threads == 1 else -(-size // (threads * 4 * tile)) * tile
    begins = range(0, max(1, size), max(1, step))
    return map_items(lambda begin: work(begin, min(begin + step, size)), begins, size, least)


def map_items(
    work: Callable[[Item], Result], items: Sequence[Item], size: int, least: int = LEAST
) -> list[Result]:
    """Call `work` with each item, in several threads if it pays.

    Threads take the next item when they are done with one, so put large items first. Work that is
    split within an item stays in its thread while others are busy with other items.

    Parameters
    ----------
    work : callable
        As for `map_tiles`.
    items : sequence
        What it is called with.
    size : int
        How much work all items are together.
    least : int
        How much of that is worth a thread.

    Returns
    -------
    list
        What the calls returned, in order of the items. If calls raise, the error is that of the
        first such item, and items after it may be left out.

    Examples
    --------
    >>> map_items(abs, [-3, 2], size=2)
    [3, 2]
    """
    threads = min(len(items), _count_threads(size, least))
    if threads <= 1:
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    queue = _Queue(work, items)
    # A pool kept between calls would be dead in a forked data-loading process.
    with ThreadPoolExecutor(threads - 1) as pool:
        for _ in range(threads - 1):
            pool.submit(queue.drain)
        queue.drain()
    if queue.errors:
        raise queue.errors[min(queue.errors)]
    return [queue.results[number] for number in range(len(items))]


def _count_threads(size: int, least: int) -> int:
    """Return how many threads `size` is worth; one in a thread that has its share already."""
    if getattr(_here, "busy", False):
        return 1
    return max(1, min(get_num_threads(), size // max(least, 1)))


class _Queue:
    """Items that several threads take one after the other."""

    def __init__(self, work: Callable[[Any], Any], items: Sequence[Any]) -> None:
        self.results: dict[int, Any] = {}
        self.errors: dict[int, BaseException] = {}
        self._work = work
        self._items = iter(enumerate(items))
        self._lock = threading.Lock()

    def drain(self) -> None:
        """Do items until there are no more, or an error was met."""
        _here.busy = True
        try:
            while not self.errors:
                with self._lock:
                    number, item = next(self._items, (-1, None))
                if number < 0:
                    return
                try:
                    self.results[number] = self._work(item)
                except BaseException as error:
                    self.errors[number] = error  # map_items raises the first of them
                    return
        finally:
            _here.busy = False
