"""Work on many things by a few threads, in bounded memory: what is ahead is limited by number and by size."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = 8
"""Calls to S3 that are under way at once."""

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    size: Callable[[T], int] = lambda _: 1,
    ahead: int = THREADS * 4,
) -> Iterator[R]:
    """The results of `work`, in the order of `items`.

    Items are started while the sizes of those that are not yet given out add up to no more than `ahead`, or
    when there is none. An error is raised in its place; nothing is started behind it, and what is under way
    has ended when it is raised.
    """
    waiting: deque[tuple[Future[R], int]] = deque()
    total = 0
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for item in items:
                cost = size(item)
                while waiting and total + cost > ahead:
                    total -= waiting[0][1]
                    yield waiting.popleft()[0].result()
                waiting.append((pool.submit(work, item), cost))
                total += cost
            while waiting:
                yield waiting.popleft()[0].result()
        finally:
            for future, _ in waiting:
                future.cancel()
