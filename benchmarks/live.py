"""From a mutation to its subscribers, over the local AppSync: 50 of them, 100 mutations a second.

The way from the jobs table to the mutation, through its stream and a function, is in `benchmarks.live_jobs`.

The server has a process of its own. One more subscriber reads nothing: it must delay nobody, and cost no more
memory than is kept for one socket.
"""

import argparse
import asyncio
import base64
import http.client
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from websockets.asyncio.client import ClientConnection, connect

from tests.infra.local.graphql.rig import CHANGE, served

P95_MS, MEMORY_MB = 100.0, 8.0
_WARM_UP_SECONDS = 2.0
_QUERY = "subscription { jobChanged { jobId revision state done note } }"
_PUBLISHERS = 2


@dataclass(frozen=True)
class Place:
    """Where the server answers, and what its callers show."""

    host: str
    token: str
    access_key: str = ""
    secret_key: str = ""
    pid: int = 0


def serve(folder: Path, pipe: Connection) -> None:
    """Serve until something comes; then say what was counted."""
    with served(folder) as rig:
        keys = rig.credentials
        pipe.send(Place(rig.host, rig.token("viewers"), keys.access_key, keys.secret_key, os.getpid()))
        pipe.recv()
        pipe.send(rig.service.counts.as_dict())


async def listen(place: Place, number: int, query: str = _QUERY) -> ClientConnection:
    """A socket with one acknowledged subscription."""
    header = {"host": place.host, "Authorization": place.token}
    encoded = base64.b64encode(json.dumps(header).encode()).decode()
    url = f"ws://{place.host}/graphql/realtime?header={encoded}&payload=e30="
    socket = await connect(url, subprotocols=["graphql-ws"], proxy=None, compression=None)  # type: ignore[list-item]
    await socket.send('{"type":"connection_init"}')
    payload = {"data": json.dumps({"query": query}), "extensions": {"authorization": header}}
    await socket.send(json.dumps({"id": str(number), "type": "start", "payload": payload}))
    while json.loads(await socket.recv())["type"] != "start_ack":
        pass
    return socket


async def waits(socket: ClientConnection, since: float, until_revision: int) -> list[float]:
    """Milliseconds from each change's publication to its arrival here."""
    found = []
    while True:
        message = json.loads(await socket.recv())
        if message["type"] != "data":
            continue
        change, now = message["payload"]["data"]["jobChanged"], time.perf_counter()
        published = json.loads(change["note"])["at"]
        if published >= since:
            found.append((now - published) * 1000)
        if change["revision"] >= until_revision:
            return found


def publish(place: Place, first: int, last: int, rate: float, begun: float) -> None:
    """Publish every `_PUBLISHERS`th of the changes, each at its time whatever the one before took."""
    connection = http.client.HTTPConnection(place.host, timeout=60)
    keys = Credentials(place.access_key, place.secret_key)
    for revision in range(first, last + 1, _PUBLISHERS):
        time.sleep(max(0.0, begun + revision / rate - time.perf_counter()))
        note = json.dumps({"at": time.perf_counter(), "text": "x" * 400})
        change = {
            "jobId": f"job-{revision % 20}",
            "revision": revision,
            "state": "RUNNING",
            "done": 1,
            "note": note,
        }
        body = json.dumps({"query": CHANGE, "variables": {"input": change}}).encode()
        request = AWSRequest("POST", f"http://{place.host}/graphql", data=body)
        SigV4Auth(keys, "appsync", "us-east-1").add_auth(request)
        connection.request("POST", "/graphql", body, dict(request.headers.items()))
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 200, told
    connection.close()


async def measure(place: Place, subscribers: int, rate: float, seconds: float) -> tuple[list[float], float]:
    """(milliseconds of every message after the warm-up, changes a second that were published)."""
    sockets = [await listen(place, number) for number in range(subscribers)]
    slow = await listen(place, subscribers)
    slow.transport.pause_reading()
    last, begun = int(rate * seconds), time.perf_counter() + 0.5
    threads = [
        threading.Thread(target=publish, args=(place, first, last, rate, begun))
        for first in range(1, _PUBLISHERS + 1)
    ]
    for thread in threads:
        thread.start()
    since = begun + _WARM_UP_SECONDS
    found = await asyncio.gather(*(waits(socket, since, last) for socket in sockets))
    took = time.perf_counter() - begun
    for thread in threads:
        await asyncio.to_thread(thread.join)
    slow.transport.abort()
    await asyncio.gather(*(socket.close() for socket in sockets))
    return [each for of_one in found for each in of_one], last / took


def resident_mb(pid: int) -> float:
    """Memory of a process."""
    line = next(
        each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


def report(found: Sequence[float], rate: float, grown: float, slow: int) -> bool:
    """Print the figures (milliseconds, changes a second, MB, sockets); whether every target is met."""
    ordered = sorted(found)
    p95 = ordered[int(len(ordered) * 0.95)]
    rows = [
        (p95 <= P95_MS, f"p95 {p95:.1f} ms (limit {P95_MS:g}), p50 {statistics.median(ordered):.1f}, "
                        f"p99 {ordered[int(len(ordered) * 0.99)]:.1f}, longest {ordered[-1]:.1f}"),
        (grown <= MEMORY_MB, f"memory of the server grew by {grown:.1f} MB (limit {MEMORY_MB:g})"),
        (slow == 1, f"sockets closed as slow: {slow}; one reads nothing"),
    ]  # fmt: skip
    print(f"load {os.getloadavg()[0]:.1f}; {len(ordered):,} messages, {rate:.0f} changes a second")
    for met, text in rows:
        print(f"{'met   ' if met else 'MISSED'} {text}")
    return all(met for met, _ in rows)


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        ours, its = context.Pipe()
        process = context.Process(target=serve, args=(Path(scratch), its))
        process.start()
        try:
            place: Place = ours.recv()
            before = resident_mb(place.pid)
            run = measure(place, arguments.subscribers, arguments.rate, arguments.seconds)
            found, rate = asyncio.run(run)
            grown = resident_mb(place.pid) - before
            ours.send("end")
            counts = ours.recv()
        finally:
            process.join(20)
            process.kill()
    return 0 if report(found, rate, grown, counts["slow"]) else 1


if __name__ == "__main__":
    sys.exit(main())
