"""Threads of MiniStack's invocations, used again instead of made anew."""

import contextvars
import threading
from collections.abc import Callable

import pytest

from infra.local.ministack.lent_threads import Crew, LendingThreads

SECONDS = 30.0
"""How long anything here may take; it takes milliseconds."""


def _idents(threads: LendingThreads, times: int) -> list[int]:
    found: list[int] = []
    for _ in range(times):
        lent = threads.Thread(target=lambda: found.append(threading.get_ident()), daemon=True, name="one")
        lent.start()
        lent.join(SECONDS)
    return found


def test_one_task_after_another_needs_one_or_two_threads() -> None:
    # A thread is given back a moment after its task was done: the next may find it still at that.
    assert len(set(_idents(LendingThreads(Crew()), 200))) <= 5


def test_as_many_run_at_once_as_are_asked_for() -> None:
    threads, together = LendingThreads(Crew(most_idle=1)), threading.Barrier(20)
    lent = [threads.Thread(target=together.wait, args=(SECONDS,)) for _ in range(20)]
    for each in lent:
        each.start()
    for each in lent:
        each.join(SECONDS)
    assert not together.broken
    assert not any(each.is_alive() for each in lent)


def test_whoever_waits_too_short_sees_that_it_is_alive() -> None:
    threads, go = LendingThreads(Crew()), threading.Event()
    lent = threads.Thread(target=go.wait, kwargs={"timeout": SECONDS})
    assert not lent.is_alive()
    lent.start()
    lent.join(0.01)
    assert lent.is_alive()
    go.set()
    lent.join()
    assert not lent.is_alive()


def test_what_a_task_raises_is_reported_and_its_thread_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    threads = LendingThreads(Crew())
    for task in (_raising(KeyError("a")), _raising(SystemExit(3))):
        lent = threads.Thread(target=task)
        lent.start()
        lent.join(SECONDS)
    assert len(_idents(threads, 3)) == 3
    assert [each.exc_type for each in told] == [KeyError, SystemExit]


def _raising(error: BaseException) -> Callable[[], None]:
    def task() -> None:
        raise error

    return task


def test_a_task_sees_nothing_of_the_context_of_the_one_before() -> None:
    variable, seen = contextvars.ContextVar[int]("variable", default=0), list[int]()

    def task() -> None:
        seen.append(variable.get())
        variable.set(1)

    threads = LendingThreads(Crew())
    for _ in range(5):
        lent = threads.Thread(target=task)
        lent.start()
        lent.join(SECONDS)
    assert seen == [0] * 5


def test_a_thread_that_cannot_be_made_is_an_error_and_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    lent = LendingThreads(Crew()).Thread(target=lambda: None)
    with pytest.raises(RuntimeError, match="can't start"):
        lent.start()
    assert not lent.is_alive()


def test_all_other_names_are_the_modules_own() -> None:
    threads = LendingThreads(Crew())
    assert threads.Lock is threading.Lock
    assert threads.current_thread() is threading.current_thread()
