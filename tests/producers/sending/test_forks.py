"""A forked process puts events of its own, whatever the parent's threads were doing at that moment."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from urllib3 import PoolManager

from benchmarks.stub_process import StubProcess
from producers.producer import Producer
from producers.sinks.http import HttpSink

PATIENCE_SECONDS = 20.0


def _exit_code(work: Callable[[], None]) -> int:
    """Of a forked process that does this; 255 when it does not end."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 255


def _with_locks_held(pools: PoolManager, work: Callable[[], None]) -> int:
    """As `_exit_code`, forked while another thread holds the locks of all connections."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        lock: Any = pools.pools.lock
        with lock:
            held.set()
            release.wait(PATIENCE_SECONDS * 2)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        return _exit_code(work)
    finally:
        release.set()
        holder.join()


def test_a_fork_while_a_thread_holds_the_locks_of_the_connections_delivers(tmp_path: Path) -> None:
    with StubProcess(4, dump=tmp_path / "dump") as stub:
        client = stub.client()
        producer = Producer("stub", client=client)
        producer.put_json({"n": 1}, "a")
        assert producer.flush(PATIENCE_SECONDS) == 0

        def put() -> None:
            producer.put_json({"n": 2}, "b")
            if producer.close(PATIENCE_SECONDS).pending:
                raise RuntimeError("not delivered")

        assert _with_locks_held(client._endpoint.http_session._manager, put) == 0
        producer.put_json({"n": 3}, "a")
        assert producer.close(PATIENCE_SECONDS).pending == 0
        assert len(stub.arrivals()) == 3


def test_a_sink_over_http_is_reopened_without_those_locks() -> None:
    sink = HttpSink("http://127.0.0.1:1", "key")
    assert _with_locks_held(sink._pool, sink.reopen) == 0
