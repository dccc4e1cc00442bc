"""The transformation beside its peers: one Firehose request of 5,500 events, the whole invocation.

Interleaved rounds, each option in a process of its own as on Lambda, CPU time, medians. Every option is given
the request's bytes and gives the answer's bytes, the runtime's own JSON included; what options remember is
emptied before each round. The processes are started anew several times: how memory happens to lie in one is
worth several per cent. Results are compared record by record before anything is measured.
"""

import argparse
import base64
import contextlib
import io
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.shop import SHOP, TABLES, WEB
from benchmarks.transforms_batch import RECORDS, request

KEY = bytes.fromhex("ab" * 32)
Invocation = Callable[[bytes], bytes]

TARGETS = (
    ("blueprint", 1 / 6),
    ("data classes + schema", 1 / 6),
    ("parser + pydantic", 1 / 5.5),
    ("orjson, tuned", 1 / 2.3),
    ("echo", 1.4),
    ("C floor", 2.4),
)


def options() -> dict[str, Callable[[], Invocation]]:
    """Name -> what makes a fresh invocation with nothing remembered."""
    from benchmarks import transforms_peers, transforms_pydantic

    peers = {
        "echo": transforms_peers.echo,
        "blueprint": transforms_peers.blueprint,
        "data classes + schema": transforms_peers.data_classes,
        "parser + pydantic": transforms_pydantic.parser,
        "orjson, tuned": transforms_peers.tuned,
    }
    made = {name: (lambda make=make: _stock(make(KEY))) for name, make in peers.items()}
    return {"Penstock": _penstock, "Penstock, stock runtime": _penstock_stock, "C floor": _floor, **made}


def _penstock() -> Invocation:
    handle = _fresh_handler()
    return lambda request: handle(request, None)


def _penstock_stock() -> Invocation:
    handle = _fresh_handler()
    return _stock(lambda event: handle(event, None))


def _fresh_handler() -> Callable[..., Any]:
    from transforms import handler

    # In the function's zip the project lies beside our packages; here it is the shop's own folder.
    handler.STREAMS = Path(str(SHOP.folders.streams))
    handler._handle.cache_clear()
    handler.lambda_handler({"records": []}, None)
    return handler.lambda_handler


def _stock(handle: Callable[[dict[str, object]], object]) -> Invocation:
    from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

    marshaller = LambdaMarshaller()

    def invoke(body: bytes) -> bytes:
        answer, _ = marshaller.marshal_response(
            handle(marshaller.unmarshal_request(body, "application/json"))
        )
        return answer if isinstance(answer, bytes) else answer.encode()

    return invoke


class _Raw(msgspec.Struct, gc=False):
    recordId: str  # noqa: N815
    data: bytes


class _Request(msgspec.Struct, gc=False):
    records: list[_Raw]


class _Answer(msgspec.Struct, gc=False):
    recordId: str  # noqa: N815
    result: str
    data: bytes


def _floor() -> Invocation:
    """Both levels of JSON in C, nothing looked at: decode request and events, encode events and answer."""
    from transforms.gate.rows import decoder, row_plan

    table = TABLES[WEB.table]
    outer, encode = msgspec.json.Decoder(_Request), msgspec.json.Encoder().encode
    inner = decoder([row_plan(table, each) for each in table.stream.all_types]).decode

    def one(record: _Raw) -> _Answer:
        try:
            return _Answer(record.recordId, "Ok", encode(inner(record.data)))
        except Exception:
            return _Answer(record.recordId, "ProcessingFailed", record.data)

    return lambda body: encode({"records": [one(record) for record in outer.decode(body).records]})


def results(answer: bytes) -> list[tuple[str, str, object]]:
    """(record id, result, row) of an answer, comparable between options."""
    compared = []
    for record in json.loads(answer)["records"]:
        row = json.loads(base64.b64decode(record["data"])) if record["result"] == "Ok" else None
        compared.append((record["recordId"], record["result"], row and {**row, "user_agent_class": None}))
    return compared


def check(made: dict[str, Callable[[], Invocation]], body: bytes) -> None:
    """Raise AssertionError when an option that does the whole job gives other results than Penstock does."""
    expected = results(made["Penstock"]()(body))
    for name in ("Penstock, stock runtime", *(name for name, _ in TARGETS[:4])):
        found = results(made[name]()(body))
        differing = [(mine, theirs) for mine, theirs in zip(expected, found, strict=True) if mine != theirs]
        assert not differing, f"{name}: {len(differing)} records differ, the first: {differing[0]}"


def measure(names: Iterable[str], starts: int, rounds: int) -> dict[str, list[float]]:
    """CPU microseconds per record of each round, options in turn."""
    taken: dict[str, list[float]] = {name: [] for name in names}
    context = multiprocessing.get_context("spawn")
    for _ in range(starts):
        with contextlib.ExitStack() as stack:
            asked = {name: stack.enter_context(_serving(context, name)) for name in taken}
            for _ in range(rounds):
                for name, connection in asked.items():
                    connection.send(True)
                    taken[name].append(connection.recv())
    return taken


@contextlib.contextmanager
def _serving(context: SpawnContext, name: str) -> Iterator[Connection]:
    """A process that measures one option each time it is asked. The first time, which warms up, is over."""
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(name, theirs), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    try:
        ours.recv()
        yield ours
    finally:
        ours.close()
        process.join()


def _serve(name: str, connection: Connection) -> None:
    # Loggers keep the stdout of the moment in which they are made.
    with contextlib.redirect_stdout(io.StringIO()):
        make, body = options()[name], request()
        with contextlib.suppress(EOFError):
            while True:
                connection.send(_cpu(make, body))
                connection.recv()


def _cpu(make: Callable[[], Invocation], body: bytes) -> float:
    invoke = make()
    started = time.process_time()
    invoke(body)
    return (time.process_time() - started) / RECORDS * 1e6


def main() -> int:
    """Print the table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5, help="processes of each option")
    parser.add_argument("--rounds", type=int, default=3, help="of each process")
    arguments = parser.parse_args()
    os.environ["PENSTOCK_STREAM"], os.environ["PENSTOCK_PSEUDONYM_KEYS"] = "web", f"k1:{KEY.hex()}"
    body = request()
    with contextlib.redirect_stdout(io.StringIO()):
        made = options()
        check(made, body)
    taken = measure(made, arguments.starts, arguments.rounds)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    print(
        f"{RECORDS} records, request {len(body) / 1e6:.2f} MB, {arguments.starts} processes of each with "
        f"{arguments.rounds} rounds, Python {sys.version.split()[0]}"
    )
    print(f"{'option':26}{'us/record':>10}{'min':>8}{'max':>8}{'Penstock / it':>16}")
    for name, value in sorted(medians.items(), key=lambda item: item[1]):
        low, high, ratio = min(taken[name]), max(taken[name]), medians["Penstock"] / value
        print(f"{name:26}{value:10.2f}{low:8.2f}{high:8.2f}{ratio:16.3f}")
    return _verdict(medians)


def _verdict(medians: dict[str, float]) -> int:
    wanted = [(f"Penstock / {name}", medians["Penstock"] / medians[name], limit) for name, limit in TARGETS]
    fallback = medians["Penstock, stock runtime"] / medians["blueprint"]
    missed = 0
    for name, ratio, limit in [*wanted, ("stock runtime / blueprint", fallback, 1 / 3)]:
        missed += ratio > limit
        print(f"{'met   ' if ratio <= limit else 'MISSED'} {name}: {ratio:.3f} (at most {limit:.3f})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
