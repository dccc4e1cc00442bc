"""When the reports are looked at for publishes: when one is announced, or always where none is."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

Publishes = Callable[[Callable[[], None]], Iterator[Any] | None]
"""Gives something whenever reports may have been published, or None where nothing announces that.

Its argument is called when nothing is announced any more, until the next item comes.
"""


class Following:
    """Follows announcements, in a thread of its own. Whatever ends that, looking goes on."""

    def __init__(self, publishes: Publishes | None) -> None:
        self._publishes, self._is_begun = publishes, False
        self._told, self._news = threading.Event(), threading.Event()

    def begin(self) -> None:
        """Follow from now on. May be called again."""
        if self._publishes is None or self._is_begun:
            return
        self._is_begun = True
        threading.Thread(target=self._follow, args=(self._publishes,), name="publishes", daemon=True).start()

    def is_due(self) -> bool:
        """Whether the reports should be looked at: something came since it was asked, or nothing does."""
        if not self._told.is_set():
            return True
        is_news = self._news.is_set()
        self._news.clear()
        return is_news

    def again(self) -> None:
        """The look that was due has failed."""
        self._news.set()

    def _follow(self, publishes: Publishes) -> None:
        try:
            for _ in publishes(self._told.clear) or ():
                self._news.set()
                self._told.set()
        finally:
            self._told.clear()
