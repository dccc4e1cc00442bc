"""One process that runs one execution at a time: what it may use, and its loop.

It is forked by the nursery, so nothing here may run before the fork but imports.
"""

import ctypes
import json
import logging
import resource
import secrets
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import rmtree
from typing import Any

from infra.local.athena.at_hand import AtHand
from infra.local.athena.engine import Engine, Run
from infra.local.athena.errors import SYSTEM, QueryError, exhausted
from infra.local.athena.execution import Execution
from infra.local.athena.objects import CACHE_BYTES, ObjectCache
from infra.local.athena.results import ResultFiles
from infra.local.athena.runner import StatementRunner
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.store import Store
from infra.local.parts.context import LocalContext

THREADS = 2
MEMORY = "1500MB"
"""What DuckDB may hold before it spills."""
PROCESS_BYTES = 2_500_000_000
"""What the process may allocate: much of what DuckDB and Python take is not in DuckDB's own count."""
FILE_BYTES = 4 << 30
"""Of one file that it writes."""
_PR_SET_PDEATHSIG = 1
_LIMITS = {
    resource.RLIMIT_DATA: PROCESS_BYTES,
    resource.RLIMIT_FSIZE: FILE_BYTES,
    resource.RLIMIT_CORE: 0,
}


def serve(connection: Connection, context: LocalContext, folder: Path) -> None:
    """Answer one execution after another until the server closes the connection, or kills the process."""
    _bound()
    sandbox = Sandbox(folder, threads=THREADS, memory=MEMORY)
    paths = context.paths
    engine = Engine(
        context.client("glue"),
        context.client("s3"),
        sandbox=sandbox,
        cache=ObjectCache(paths.root / "cache" / "athena", CACHE_BYTES),
        local=AtHand(paths.objects / context.account_id),
        new_name=_names(context.clock),
    )
    results = ResultFiles(paths.state / "athena-results", context.client("s3"), folder / "results")
    run = StatementRunner(engine, results, Store(paths.database("athena")))
    with suppress(EOFError, ConnectionError):
        while True:
            job = json.loads(connection.recv_bytes())
            connection.send_bytes(json.dumps(_answer(run, Execution(**job))).encode())
            sandbox.renew()
            rmtree(results.scratch, ignore_errors=True)  # half a result of one that failed


def _bound() -> None:
    for kind, most in _LIMITS.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))
    # Linux: whoever kills the nursery leaves no execution behind that nobody can end.
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Where the machine itself runs out of memory, this process goes first, and neither server nor emulator.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _answer(runner: StatementRunner, execution: Execution) -> dict[str, Any]:
    submitted = datetime.fromtimestamp(execution.submitted, UTC).replace(tzinfo=None)
    run = Run(execution.id, execution.database, submitted, execution.parameters, execution.cutoff)
    answer: dict[str, Any] = {}
    try:
        answer["outcome"] = asdict(runner(execution, run))
    except QueryError as error:
        answer["failure"] = asdict(error)
    except RecursionError:
        text = "statement is too large (stack overflow while parsing)"
        answer["failure"] = asdict(QueryError("SYNTAX_ERROR", text, 1, 1))
    except (MemoryError, OSError) as error:
        logging.getLogger(__name__).warning("Execution %s: %s", execution.id, error)
        answer["failure"] = asdict(exhausted())
    except Exception as error:  # a defect of ours ends the query, and is told to who asked
        logging.getLogger(__name__).exception("Execution %s", execution.id)
        text = f"{type(error).__name__}: {error}"
        answer["failure"] = asdict(QueryError("GENERIC_INTERNAL_ERROR", text, category=SYSTEM))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return answer | {
        "bytes_scanned": run.bytes_scanned,
        "planning_ms": run.planning_ms,
        "peak_bytes": peak,
    }


def _names(clock: Callable[[], float]) -> Callable[[], str]:
    def name() -> str:
        moment = datetime.fromtimestamp(clock(), UTC)
        return f"{moment:%Y%m%d_%H%M%S}_{secrets.randbelow(100_000):05}_{secrets.token_hex(3)}_{secrets.token_hex(16)}"

    return name
