"""The process that workers are forked from: everything is imported here, once, and no thread runs.

`python -m infra.local.athena.nursery <file descriptor> <JSON of Setup>`. Imports take more than a second of a
processor and 140 MB; a fork takes milliseconds and shares them.
"""

import gc
import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from infra import without_pandas
from infra.local import process_memory
from infra.local.athena import worker
from infra.local.athena.nursery_messages import MESSAGE, Setup
from infra.local.athena.sql.parse import parse_query
from infra.local.parts.context import LocalContext


def main() -> None:
    """Fork and kill as the server says, until it closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends at Ctrl-C, and this with it
    control = socket.socket(fileno=int(sys.argv[1]))
    setup = Setup(**json.loads(sys.argv[2]))
    without_pandas.keep_out()
    context = setup.context()
    for service in ("glue", "s3"):
        context.client(service)
    parse_query("SELECT count(*) FROM t WHERE a = 'x'")
    process_memory.settle()
    workers: set[int] = set()
    dying: set[int] = set()

    def reap(*_: object) -> None:
        dying.difference_update([process for process in tuple(dying) if _is_gone(process)])

    signal.signal(signal.SIGCHLD, reap)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE.size, 1)
        if not message:
            break
        kind, number = MESSAGE.unpack(message)
        if kind == b"K" and number in workers:
            _kill(number)
            workers.discard(number)
            dying.add(number)
            reap()  # it may have ended before, and then tells of it no more
        elif kind == b"F":
            process = _fork(control, descriptors[0], context, Path(setup.folder) / str(number))
            workers.add(process)
            control.sendall(MESSAGE.pack(b"F", process))
    for process in workers:
        _kill(process)
    os._exit(0)  # DuckDB's module complains of what a plain exit leaves behind


def _fork(control: socket.socket, descriptor: int, context: LocalContext, folder: Path) -> int:
    process = os.fork()
    if process:
        os.close(descriptor)
        return process
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        gc.enable()
        worker.serve(Connection(descriptor), context, folder)
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        traceback.print_exc()
    finally:
        os._exit(0)


def _kill(process: int) -> None:
    # Nobody waits here: a process of gigabytes takes a while to be gone, and others want to be forked meanwhile.
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _is_gone(process: int) -> bool:
    """Whether the killed process has ended; its number is free for others then."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return True


if __name__ == "__main__":
    main()
