"""Lambda's Runtime API on loopback, for one process of the real `awslambdaric`.

The benchmark itself serves it, synchronously: nothing else runs in this process while the function works.
"""

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE_SECONDS = 60.0
_READ_BYTES = 1 << 20
_ARN = "arn:aws:lambda:eu-central-1:111122223333:function:benchmark"

_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class FunctionEndedError(RuntimeError):
    """The function's process ended, told of an error, or said nothing for too long."""


class Function:
    """A process of `python -m awslambdaric <handler>` and the Runtime API that it asks for work.

    Attributes:
        ready: seconds from the start of the process until it asked for work.
    """

    def __init__(self, handler: str, paths: Sequence[Path], environ: Mapping[str, str]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._listener, selectors.EVENT_READ)
        address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "AWS_LAMBDA_RUNTIME_API": address,
            "LAMBDA_TASK_ROOT": str(paths[0]),
            **environ,
        }
        started = time.perf_counter()
        # -S: of what is installed here, the function sees nothing but its own folders.
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-s", "-m", "awslambdaric", handler],
            env=environment,
            cwd=paths[0],  # the first place where Python looks for modules
            stdout=subprocess.DEVNULL,
        )
        self._asker, _ = self._request()
        self.ready = time.perf_counter() - started

    def invoke(self, body: bytes) -> tuple[bytes, float]:
        """Give the function this request; its answer, and the seconds until the answer was here."""
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 60_000}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {_ARN}\r\nLambda-Runtime-Trace-Id: {_TRACE}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        self._asker.sendall(head.encode() + body)
        connection, (path, answer) = self._request()
        taken = time.perf_counter() - started
        if not path.endswith("/response"):
            raise FunctionEndedError(f"The function told of an error: {answer[:2000]!r}")
        accepted = b'{"status":"OK"}'
        connection.sendall(
            b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(accepted), accepted)
        )
        self._asker, _ = self._request()
        return answer, taken

    @property
    def cpu_seconds(self) -> float:
        """What the process has taken so far, all threads. Linux only."""
        # clock_getcpuclockid(3), which Python does not have, gives this number for a process.
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for key in list(self._waiting.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._waiting.close()

    def _request(self) -> tuple[socket.socket, tuple[str, bytes]]:
        """The next request that comes, whole: (its connection, (path, body))."""
        while found := self._waiting.select(_PATIENCE_SECONDS):
            for key, _ in found:
                if key.fileobj is self._listener:
                    connection, _ = self._listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._waiting.register(connection, selectors.EVENT_READ)
                    continue
                assert isinstance(key.fileobj, socket.socket)
                request = _read(key.fileobj)
                if request is not None:
                    return key.fileobj, request
                self._waiting.unregister(key.fileobj)
                key.fileobj.close()
        raise FunctionEndedError(f"No request for {_PATIENCE_SECONDS:.0f} s.")


def _read(connection: socket.socket) -> tuple[str, bytes] | None:
    """(path, body) of one request; None when the other side has closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(_READ_BYTES)
        if not more:
            return None
        head += more
    head, _, first = head.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length, body = int(headers.get("content-length", "0")), bytearray(first)
    while len(body) < length:
        body += connection.recv(_READ_BYTES)
    return lines[0].split(" ")[1], bytes(body)
