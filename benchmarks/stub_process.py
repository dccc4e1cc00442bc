"""Starts the Kinesis stub, talks to it, and reads what it dumped."""

import base64
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from producers.packing.aggregation import deaggregate, is_aggregate
from producers.sinks.firehose import firehose_client
from producers.sinks.kinesis import kinesis_client


class Arrival(NamedTuple):
    """One event as it arrived."""

    time: float
    shard: str
    place: int
    shard_count: int
    key: str
    data: bytes


class StubProcess:
    """The stub in a process of its own; ends with the `with` block."""

    def __init__(
        self, shards: int = 8, delay: float = 0.0, throttle: float = 0.0, dump: Path | None = None
    ) -> None:
        command = [sys.executable, "-m", "benchmarks.kinesis_stub", "--shards", str(shards)]
        command += ["--delay", str(delay), "--throttle", str(throttle)]
        command += ["--dump", str(dump)] if dump is not None else []
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._dump = dump

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def control(self, **wanted: Any) -> dict[str, Any]:
        """Changes how the stub behaves; returns its counts from before."""
        request = urllib.request.Request(self.url + "/control", json.dumps(wanted).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def client(self) -> Any:
        """A boto3 client of it, as the producer makes its own."""
        return kinesis_client(**self._settings())

    def firehose_client(self) -> Any:
        """The same for a delivery stream that takes records itself."""
        return firehose_client(**self._settings())

    def _settings(self) -> dict[str, str]:
        return {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "stub",
            "aws_secret_access_key": "stub",
        }

    def arrivals(self) -> list[Arrival]:
        """Every event that the stub took, in order; aggregates taken apart."""
        assert self._dump is not None
        return [arrival for records in self.records() for arrival in _events(*records)]

    def records(self, refused: bool = False) -> Iterator[tuple[float, str, int, int, dict[str, str]]]:
        """(time, shard, its place, number of shards, entry of the request) of every record that was taken.

        With `refused` also of those that the stub refused, whose place is -1.
        """
        assert self._dump is not None
        with self._dump.open("rb") as file:
            while sizes := file.readline():
                told_size, body_size = map(int, sizes.split())
                told, body = json.loads(file.read(told_size)), json.loads(file.read(body_size))
                for shard, place, entry in zip(told["shards"], told["places"], body["Records"], strict=True):
                    if place >= 0 or refused:
                        yield told["time"], shard, place, told["shard_count"], entry


def _events(time: float, shard: str, place: int, count: int, entry: dict[str, str]) -> Iterator[Arrival]:
    data = base64.b64decode(entry["Data"])
    if not is_aggregate(data):
        yield Arrival(time, shard, place, count, entry.get("PartitionKey", ""), data)
        return
    for user in deaggregate(data):
        yield Arrival(time, shard, place, count, user.partition_key, user.data)
