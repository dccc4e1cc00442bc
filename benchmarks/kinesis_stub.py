"""A Kinesis that only knows PutRecords, ListShards and DescribeStreamSummary, and a Firehose that only knows
PutRecordBatch, made to be cheap and to misbehave.

It places records as the service does (MD5 of the key, or the explicit hash key), refuses what the service
refuses,
and on request answers late, throttles records, reshards, or is down. It runs as a process of its own, on
127.0.0.1: `python -m benchmarks.kinesis_stub --shards 8 --delay 0.015`; its first line of output is its port.
"""

import argparse
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from hashlib import md5
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

LARGEST_REQUEST = 10 << 20
HASH_KEYS = 1 << 128
_RECORD = re.compile(rb'"PartitionKey": ?"((?:[^"\\]|\\.)*)"(?:, ?"ExplicitHashKey": ?"(\d+)")?')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"x-amz-target: *(?:Kinesis|Firehose)_\d+\.(\w+)", re.IGNORECASE)
LARGEST_BATCH, LARGEST_FIREHOSE_RECORD = 4 << 20, 1_000 << 10
_BUSY = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
_THROTTLED = '{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard"}'


class Stub:
    """The stream's state, shared by the connections' threads."""

    def __init__(self, shards: int, delay: float, throttle: float, seed: int, dump: BinaryIO | None) -> None:
        self.delay = delay
        self.throttle = throttle
        self.is_down = False
        self.ignores_keys = False
        self.refusal: tuple[str, str] | None = None
        self._random = Random(seed)
        self._dump = dump
        self._lock = threading.Lock()
        self._number = 0
        self._placed: dict[bytes, int] = {}
        self.counts: Counter[str] = Counter()
        self._first_shard = 0
        self.reshard(shards)

    def reshard(self, count: int) -> None:
        """Closes every shard and opens `count` new ones with higher numbers."""
        with self._lock:
            self._first_shard += getattr(self, "shards", 0)
            self.shards = count
            self._placed = {}

    def shard_name(self, place: int) -> str:
        return f"shardId-{self._first_shard + place:012d}"

    def _place(self, key: bytes, explicit: bytes) -> int:
        place = self._placed.get(explicit or key)
        if place is None:
            hashed = int(explicit) if explicit else int.from_bytes(md5(_unescaped(key)).digest(), "big")
            place = min(hashed * self.shards // HASH_KEYS, self.shards - 1)
            self._placed[explicit or key] = place
        return place

    def put_records(self, body: bytes) -> tuple[int, bytes]:
        records = _RECORD.findall(body)
        if not 0 < len(records) <= 500 or len(body) > LARGEST_REQUEST * 4 // 3:
            self.counts["refused_requests"] += 1
            return _refusal("ValidationException", f"{len(records)} records, {len(body)} bytes")
        if self.delay:
            time.sleep(self.delay)
        with self._lock:
            return self._answer(body, records)

    def _answer(self, body: bytes, records: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
        entries, places, failed = [], [], 0
        for key, explicit in records:
            if self.throttle and self._random.random() < self.throttle:
                entries.append(_THROTTLED)
                places.append(-1)
                failed += 1
                continue
            place = self._random.randrange(self.shards) if self.ignores_keys else self._place(key, explicit)
            self._number += 1
            number = f'{{"SequenceNumber":"{self._number:056d}","ShardId":"{self.shard_name(place)}"}}'
            entries.append(number)
            places.append(place)
        self.counts["requests"] += 1
        self.counts["records"] += len(records) - failed
        self.counts["throttled"] += failed
        self.counts["bytes"] += len(body)
        if self._dump is not None:
            names = [self.shard_name(place) if place >= 0 else None for place in places]
            told = json.dumps(
                {"time": time.monotonic(), "shards": names, "places": places, "shard_count": self.shards}
            ).encode()
            self._dump.write(b"%d %d\n" % (len(told), len(body)) + told + body)
            self._dump.flush()
        return 200, f'{{"FailedRecordCount":{failed},"Records":[{",".join(entries)}]}}'.encode()

    def put_record_batch(self, body: bytes) -> tuple[int, bytes]:
        records = json.loads(body)["Records"]
        sizes = [len(record["Data"]) * 3 // 4 - record["Data"].count("=") for record in records]
        if not 0 < len(records) <= 500 or sum(sizes) > LARGEST_BATCH or max(sizes) > LARGEST_FIREHOSE_RECORD:
            self.counts["refused_requests"] += 1
            return _refusal("InvalidArgumentException", f"{len(records)} records, {sum(sizes)} bytes")
        if self.delay:
            time.sleep(self.delay)
        with self._lock:
            taken = [not self.throttle or self._random.random() >= self.throttle for _ in records]
            first, self._number = self._number, self._number + len(records)
            self.counts["requests"] += 1
            self.counts["records"] += sum(taken)
            self.counts["throttled"] += len(records) - sum(taken)
            self.counts["bytes"] += len(body)
            if self._dump is not None:
                places = [0 if is_taken else -1 for is_taken in taken]
                told = json.dumps(
                    {
                        "time": time.monotonic(),
                        "shards": [""] * len(taken),
                        "places": places,
                        "shard_count": 1,
                    }
                ).encode()
                self._dump.write(b"%d %d\n" % (len(told), len(body)) + told + body)
                self._dump.flush()
        answers = [
            {"RecordId": f"{first + place:056d}"} if is_taken else _BUSY
            for place, is_taken in enumerate(taken)
        ]
        answer = {"FailedPutCount": taken.count(False), "Encrypted": False, "RequestResponses": answers}
        return 200, json.dumps(answer).encode()

    def list_shards(self) -> dict[str, Any]:
        shards = []
        for place in range(self.shards):
            start, end = (-(-HASH_KEYS * edge // self.shards) for edge in (place, place + 1))
            shards.append(
                {
                    "ShardId": self.shard_name(place),
                    "HashKeyRange": {"StartingHashKey": str(start), "EndingHashKey": str(end - 1)},
                    "SequenceNumberRange": {"StartingSequenceNumber": "0"},
                }
            )
        return {"Shards": shards}

    def summary(self) -> dict[str, Any]:
        return {
            "StreamDescriptionSummary": {
                "StreamName": "stub",
                "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/stub",
                "StreamStatus": "ACTIVE",
                "RetentionPeriodHours": 24,
                "StreamCreationTimestamp": 0,
                "EnhancedMonitoring": [],
                "OpenShardCount": self.shards,
                "MaxRecordSizeInKiB": 1024,
                **({"RecordDistributionStrategy": "AUTO"} if self.ignores_keys else {}),
            }
        }

    def control(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """`shards`, `delay`, `throttle`, `is_down`, `ignores_keys`, `refusal`, `reset`: any of them.

        `refusal`: error code and message that every call is answered with; None for no refusal.
        """
        if wanted.pop("reset", False):
            self.counts.clear()
        if "shards" in wanted:
            self.reshard(wanted.pop("shards"))
        for name, value in wanted.items():
            setattr(self, name, value)
        return dict(self.counts) | {"cpu": time.process_time()}

    def answer(self, target: bytes, path: bytes, body: bytes) -> tuple[int, bytes]:
        if self.refusal is not None and path != b"/control":
            self.counts["refusals"] += 1
            return _refusal(*self.refusal)
        if target == b"PutRecords":
            return self.put_records(body)
        if target == b"PutRecordBatch":
            return self.put_record_batch(body)
        if target == b"PutRecord":
            status, answer = self.put_records(body)
            return status, answer[answer.index(b"[") + 1 : -2] if status == 200 else answer
        if target == b"ListShards":
            self.counts["list_shards"] += 1
            return 200, json.dumps(self.list_shards()).encode()
        if target == b"DescribeStreamSummary":
            return 200, json.dumps(self.summary()).encode()
        if target == b"DescribeStream":
            description = (
                self.summary()["StreamDescriptionSummary"] | self.list_shards() | {"HasMoreShards": False}
            )
            return 200, json.dumps({"StreamDescription": description}).encode()
        if path == b"/control":
            return 200, json.dumps(self.control(json.loads(body or b"{}"))).encode()
        return _refusal("UnknownOperationException", target.decode())


def _refusal(code: str, message: str) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": code, "message": message}).encode()


def _unescaped(key: bytes) -> bytes:
    return json.loads(b'"' + key + b'"').encode() if b"\\" in key else key


def _serve(connection: socket.socket, stub: Stub) -> None:
    with suppress(ConnectionError):
        _converse(connection, stub)


def _converse(connection: socket.socket, stub: Stub) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray()
    with connection:
        while True:
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                chunk = connection.recv(1 << 18)
                if not chunk:
                    return
                buffer += chunk
            head = bytes(buffer[:end])
            found = _LENGTH.search(head)
            need = end + 4 + (int(found[1]) if found else 0)
            have = len(buffer)
            if have < need:
                buffer += bytes(need - have)
                view = memoryview(buffer)
                while have < need:
                    got = connection.recv_into(view[have:])
                    if not got:
                        return
                    have += got
                view.release()
            body = bytes(buffer[end + 4 : need])
            del buffer[:need]
            target = _TARGET.search(head)
            path = head.split(b" ", 2)[1]
            if stub.is_down and path != b"/control":
                stub.counts["requests_while_down"] += 1
                return
            status, answer = stub.answer(target[1] if target else b"", path, body)
            reason = b"OK" if status == 200 else b"Bad Request"
            connection.sendall(
                b"HTTP/1.1 %d %s\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n"
                % (status, reason, len(answer))
                + answer
            )


def main() -> None:
    """Serves until its standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--throttle", type=float, default=0.0, help="share of records that are refused")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dump", type=Path, help="file for every request that was answered")
    arguments = parser.parse_args()
    dump = arguments.dump.open("ab") if arguments.dump else None
    stub = Stub(arguments.shards, arguments.delay, arguments.throttle, arguments.seed, dump)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener, stub), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket, stub: Stub) -> None:
    while True:
        connection, _ = listener.accept()
        stub.counts["connections_while_down" if stub.is_down else "connections"] += 1
        threading.Thread(target=_serve, args=(connection, stub), daemon=True).start()


if __name__ == "__main__":
    main()
