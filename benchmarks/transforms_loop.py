"""The transformation in the real `awslambdaric`: invocations beside an echo, and cold starts beside none.

Every option is a process of the runtime with the function's own folders on its path, asked over loopback.
Rounds are interleaved. Milliseconds are CPU time of the function's process, and wall time; the goals are held
against CPU time, which other work on the machine moves less. A cold start is measured with compiled
modules, and without them, as on AWS: the zip has none, and the function's folder cannot be written to.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runtime_api import Function
from benchmarks.transforms_artefact import build
from benchmarks.transforms_batch import request

KEY = "ab" * 32
OURS = {"PENSTOCK_STREAM": "web", "PENSTOCK_PSEUDONYM_KEYS": f"k1:{KEY}"}
HANDLER = "transforms.handler.lambda_handler"
WARM_UPS = 2

# What is compared with. `nothing` shows what the runtime and loopback take by themselves.
BESIDE = """
NOTHING = {"records": []}

def nothing(event, context):
    return NOTHING

def echo(event, context):
    return {
        "records": [
            {"recordId": each["recordId"], "result": "Ok", "data": each["data"]} for each in event["records"]
        ]
    }
"""


@dataclass(frozen=True)
class Option:
    """One function: its handler, the folders that it sees, its environment."""

    handler: str
    paths: tuple[Path, ...]
    environ: dict[str, str]


def options(folder: Path) -> dict[str, Option]:
    """The functions that are measured, made in `folder`."""
    function, runtime = build(folder)
    beside = folder / "beside"
    beside.mkdir()
    (beside / "beside.py").write_text(BESIDE)
    return {
        "nothing": Option("beside.nothing", (beside, runtime), {}),
        "echo": Option("beside.echo", (beside, runtime), {}),
        "Penstock": Option(HANDLER, (function, runtime), OURS),
        "Penstock, stock JSON": Option(
            HANDLER, (function, runtime), {**OURS, "PENSTOCK_RUNTIME_JSON": "true"}
        ),
        "Penstock, traced": Option(HANDLER, (function, runtime), {**OURS, "PENSTOCK_TRACING": "true"}),
    }


def started(option: Option) -> Function:
    """A new process of it."""
    return Function(option.handler, option.paths, option.environ)


Taken = dict[str, list[tuple[float, float]]]
"""Option -> (CPU, wall) milliseconds of each round."""


def invocations(made: dict[str, Option], rounds: int) -> Taken:
    """Invocations with the whole batch, options in turn."""
    body, functions = request(), {name: started(option) for name, option in made.items()}
    taken: Taken = {name: [] for name in made}
    try:
        for number in range(WARM_UPS + rounds):
            for name, function in functions.items():
                before = function.cpu_seconds
                _, wall = function.invoke(body)
                if number >= WARM_UPS:
                    taken[name].append(((function.cpu_seconds - before) * 1000, wall * 1000))
    finally:
        for function in functions.values():
            function.__exit__(None, None, None)
    return taken


def uncompiled(folder: Path, option: Option) -> Option:
    """The same function with a folder of its own in which no module is ever compiled to keep."""
    function, _ = build(folder)
    environ = {**option.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return Option(option.handler, (function, *option.paths[1:]), environ)


def cold_starts(made: dict[str, Option], rounds: int) -> Taken:
    """From a new process to its first answer, to a request of one record."""
    body = request(records=1)
    taken: Taken = {name: [] for name in made}
    for number in range(1 + rounds):
        for name, option in made.items():
            begun = time.perf_counter()
            with started(option) as function:
                function.invoke(body)
                if number:  # the first round writes the modules' compiled forms
                    wall = time.perf_counter() - begun
                    taken[name].append((function.cpu_seconds * 1000, wall * 1000))
    return taken


def main() -> int:
    """Print both tables; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cold", type=int, default=15, help="cold starts of each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = options(Path(scratch))
        beginning = {name: made[name] for name in ("nothing", "Penstock", "Penstock, traced")}
        beginning["Penstock, uncompiled"] = uncompiled(Path(scratch) / "uncompiled", made["Penstock"])
        loop = _table(
            "an invocation with 5,500 records",
            invocations({name: made[name] for name in made if name != "Penstock, traced"}, arguments.rounds),
        )
        cold = _table(
            "a cold start to the first answer",
            cold_starts(beginning, arguments.cold),
        )
    wanted = (
        ("Penstock / echo in the runtime's loop", loop["Penstock"] / loop["echo"], 1.5),
        ("cold start over the runtime, ms", cold["Penstock"] - cold["nothing"], 40.0),
        ("cold start over the runtime, traced, ms", cold["Penstock, traced"] - cold["nothing"], 80.0),
    )
    missed = 0
    for name, found, limit in wanted:
        missed += found > limit
        print(f"{'met   ' if found <= limit else 'MISSED'} {name}: {found:.2f} (at most {limit:g})")
    return 1 if missed else 0


def _table(title: str, taken: Taken) -> dict[str, float]:
    """Print medians; gives those of the CPU time."""
    cpu = {name: statistics.median(each for each, _ in rounds) for name, rounds in taken.items()}
    print(f"{title:34}{'CPU ms':>8}{'least':>8}{'over nothing':>14}{'wall ms':>9}{'least':>8}")
    for name, value in sorted(cpu.items(), key=lambda item: item[1]):
        least, walls = min(each for each, _ in taken[name]), [wall for _, wall in taken[name]]
        print(
            f"{name:34}{value:8.1f}{least:8.1f}{value - cpu['nothing']:14.1f}"
            f"{statistics.median(walls):9.1f}{min(walls):8.1f}"
        )
    return cpu


if __name__ == "__main__":
    sys.exit(main())
