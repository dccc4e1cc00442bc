"""The reports are looked at when a publish is announced, and all the time where none is."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Event

from dashboards.preview.following import Following


class Teller:
    """Tells what it is given, one by one; `heard` waits until whoever follows has taken everything."""

    def __init__(self) -> None:
        self._given: SimpleQueue[object] = SimpleQueue()
        self.lost: Callable[[], None] = lambda: None
        self.ended = Event()

    def publishes(self, lost: Callable[[], None]) -> Iterator[object]:
        self.lost = lost
        while (item := self._given.get()) is not None:
            if isinstance(item, Event):
                item.set()
            else:
                yield item
        self.ended.set()

    def tell(self) -> None:
        """One publish; returns when it has been taken."""
        taken = Event()
        self._given.put("something")
        self._given.put(taken)
        assert taken.wait(30)

    def end(self) -> None:
        self._given.put(None)
        assert self.ended.wait(30)


def test_where_no_publish_is_announced_the_reports_are_always_looked_at() -> None:
    following = Following(None)
    following.begin()
    silent = Following(lambda _: None)
    silent.begin()
    assert [following.is_due(), following.is_due(), silent.is_due(), silent.is_due()] == [True] * 4


def test_the_reports_are_looked_at_once_for_what_is_announced_until_nothing_is_any_more() -> None:
    teller = Teller()
    following = Following(teller.publishes)
    assert following.is_due()
    following.begin()
    teller.tell()
    assert [following.is_due(), following.is_due()] == [True, False]
    teller.tell()
    teller.tell()
    assert [following.is_due(), following.is_due()] == [True, False]
    following.again()
    assert [following.is_due(), following.is_due()] == [True, False]
    teller.lost()
    assert [following.is_due(), following.is_due()] == [True, True]
    teller.tell()
    assert [following.is_due(), following.is_due()] == [True, False]
    teller.end()
    for _ in range(1_000):
        if following.is_due():
            break
        Event().wait(0.01)
    assert [following.is_due(), following.is_due()] == [True, True]
