"""The collector over its port, through the emulator: events a second, CPU an event, and waiting times.

It starts a local cloud of its own and stops its delivery, so that what is measured is the way in: the port,
the HTTP API, the function with its key checked, and the stream. CPU is that of the emulator and of the
function's processes; the client's own is left out.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.collector_functions import events
from benchmarks.local import roles
from benchmarks.shop import SHOP
from infra.aws.outputs import Outputs
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from producers.collector.keys import WriteKey, digest_of, new_key
from producers.keys.store import KeyStore

CONNECTIONS = 2
RATE, CPU_US, P50_MS, P99_MS = 20_000, 40.0, 4.0, 20.0
_WARM_UPS = 20


class Client:
    """Requests of so many events over one connection."""

    def __init__(self, address: str, key: str, size: int) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._body = json.dumps({"events": events(size)}, separators=(",", ":")).encode()
        self._headers = {"content-type": "application/json", "x-write-key": key}
        self._size = size

    def send(self) -> float:
        """Seconds until the answer. Raises AssertionError unless all were taken."""
        started = time.perf_counter()
        self._connection.request("POST", "/v1/batch", self._body, self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        assert (answer.status, json.loads(told)) == (200, {"accepted": self._size}), told
        return time.perf_counter() - started

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


def cpu_seconds(folder: Path) -> float:
    """Of the emulator and its functions so far."""
    found = 0.0
    for pid, role in roles(folder, os.getpid()):
        if role.startswith(("emulator", "ministack", "function penstock-collector")):
            # clock_getcpuclockid(3), which Python does not have, gives this number for a process.
            found += time.clock_gettime((~pid << 3) | 2)
    return found


def throughput(folder: Path, address: str, key: str, size: int, requests: int) -> tuple[float, float]:
    """(events a second, CPU microseconds an event) of requests over a few connections at once."""
    clients = [Client(address, key, size) for _ in range(CONNECTIONS)]
    for client in clients:
        client.send()
    each = requests // CONNECTIONS
    threads = [
        threading.Thread(target=lambda client=client: [client.send() for _ in range(each)])
        for client in clients
    ]
    before, started = cpu_seconds(folder), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, spent = time.perf_counter() - started, cpu_seconds(folder) - before
    for client in clients:
        client.close()
    count = each * CONNECTIONS * size
    return count / wall, spent / count * 1e6


def waiting(address: str, key: str, rate: float, requests: int) -> list[float]:
    """Milliseconds from the moment at which each request of one event was due, at `rate` a second."""
    client, found = Client(address, key, 1), []
    for _ in range(_WARM_UPS):
        client.send()
    begun = time.perf_counter()
    for number in range(requests):
        due = begun + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        client.send()
        found.append((time.perf_counter() - due) * 1000)
    client.close()
    return found


def measure(local: LocalCloud, folder: Path, rounds: int, requests: int) -> dict[str, Any]:
    """Medians of interleaved rounds, with delivery stopped."""
    key = new_key(secrets.token_bytes(24))
    table = Outputs.from_document(local.outputs).write_keys_table
    store = KeyStore(local.context.client("dynamodb"), table)
    store.put(digest_of(key), WriteKey(source="bench", streams=("web",)), is_new=True)
    address = urlsplit(local.collector_url).netloc
    rates, spent, waits = [], [], []
    for _ in range(rounds):
        rate, cpu = throughput(folder, address, key, 100, requests)
        rates.append(rate)
        spent.append(cpu)
        waits.append(waiting(address, key, 100.0, requests))
    return {
        "events_per_second": statistics.median(rates),
        "cpu_us": statistics.median(spent),
        "p50_ms": statistics.median(statistics.median(each) for each in waits),
        "p99_ms": statistics.median(sorted(each)[int(len(each) * 0.99)] for each in waits),
    }


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        port, server_port, collector_port, jobs_port, site_port = processes.free_ports(5)
        settings = LocalSettings(
            port=port,
            server_port=server_port,
            collector_port=collector_port,
            jobs_port=jobs_port,
            site_port=site_port,
        )
        environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        paths = LocalPaths.of(folder)
        try:
            local = cloud.up(paths, settings, lambda _: None, environ=environ, project=SHOP)
            pause(local)
            found = measure(local, folder, arguments.rounds, arguments.requests)
        finally:
            cloud.down(paths, lambda _: None)
    print(f"load {os.getloadavg()[0]:.1f}; the middle of {arguments.rounds} rounds")
    is_met = True
    for name, limit in (
        ("events_per_second", RATE),
        ("cpu_us", CPU_US),
        ("p50_ms", P50_MS),
        ("p99_ms", P99_MS),
    ):
        met = found[name] >= limit if name == "events_per_second" else found[name] <= limit
        is_met &= met
        print(f"{'met   ' if met else 'MISSED'} {name}: {found[name]:,.1f} (limit {limit:,g})")
    return 0 if is_met else 1


def pause(local: LocalCloud) -> None:
    """Stop delivery: the stream is not read."""
    request = urllib.request.Request(
        f"{local.context.server_url}/_faults",
        json.dumps({"reading_pauses": {"probability": 1.0}}).encode(),
        local.context.keys.bearer,
        method="POST",
    )
    urllib.request.urlopen(request, timeout=10).close()


if __name__ == "__main__":
    sys.exit(main())
