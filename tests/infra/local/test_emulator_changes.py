"""What we change in MiniStack's process for speed means the same as before."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import msgspec
import pytest

from infra.local import kinesis_answers, mappings, worker_pipes
from infra.local.fast_json import LARGE, FastBase64, FastJson, Parcel, unopened
from infra.local.kept_records import Keeper, Packed, Plain, restored, written
from infra.local.mappings import Collecting, windows_of

INVOCATION = "/2015-03-31/functions/f/invocations"


@pytest.mark.parametrize("size", [0, 1, 4000, 4001, 4002, 60_000])
def test_quick_base64_gives_what_base64_gives(size: int) -> None:
    data = os.urandom(size)
    text = base64.b64encode(data).decode()
    assert FastBase64().b64decode(text) == FastBase64().b64decode(text, validate=True) == data


def test_quick_base64_is_as_lenient_and_as_strict_as_base64() -> None:
    text = base64.b64encode(os.urandom(9000)).decode()
    broken = text[:50] + "\n*" + text[50:]
    assert FastBase64().b64decode(broken) == base64.b64decode(broken)
    for refused, options in ((broken, {"validate": True}), (text[:-1], {})):
        with pytest.raises(ValueError, match=r"base64|padding"):
            FastBase64().b64decode(refused, **options)


def _stream() -> dict[str, Any]:
    return {"shards": {"shard-0": {"records": []}, "shard-1": {"records": []}}}


def _put(stream: dict[str, Any], given: Sequence[Any], keeper: Keeper) -> list[Any]:
    """Puts records as MiniStack would, in turn on both shards; what is kept, in order."""

    def put_records(request: dict[str, Any]) -> None:
        for number, record in enumerate(request["Records"]):
            stream["shards"][f"shard-{number % 2}"]["records"].append(dict(record))

    keeper.keeping(put_records, lambda _: stream)({"Records": [{"Data": each} for each in given]})
    both = (shard["records"] for shard in stream["shards"].values())
    return [record["Data"] for pair in zip_longest(*both) for record in pair if record is not None]


def test_large_records_are_kept_packed_and_others_as_they_came() -> None:
    large = b'{"event_type":"page_viewed"}' * 400
    given = [base64.b64encode(large).decode(), "AAE=", "*" * 9000, b"raw"]
    kept = _put(_stream(), given, Keeper(plain_bytes=0))
    assert kept[1:] == given[1:]
    assert isinstance(kept[0], Packed)
    assert len(kept[0]) < len(large) / 10
    assert kept[0].unpacked() == large
    assert FastBase64().b64encode(kept[0]).decode() == given[0]


def test_the_newest_records_stay_as_they_are_until_newer_ones_come() -> None:
    stream, keeper = _stream(), Keeper(plain_bytes=25_000)
    for number in range(5):
        kept = _put(stream, [base64.b64encode(bytes([number]) * 9000).decode()] * 2, keeper)
        assert [type(each) for each in kept] == [Packed] * (2 * number) + [Plain] * 2
    assert [FastBase64().b64decode(FastBase64().b64encode(each))[0] for each in kept] == sorted(
        [*range(5)] * 2
    )


def test_packed_records_survive_a_state_file() -> None:
    stream, data = _stream(), [os.urandom(9000), b"x" * 9000]
    given = [base64.b64encode(each).decode() for each in data] + ["AAE="]
    before = _put(stream, given, Keeper(plain_bytes=0))
    written([stream])
    read = json.loads(json.dumps(stream))
    restored([read])
    first, last, other = (record["Data"] for shard in read["shards"].values() for record in shard["records"])
    assert [first, other, last] == before
    assert [first.unpacked(), other.unpacked()] == data


def test_a_stream_that_is_not_there_is_the_emulators_business() -> None:
    assert Keeper().keeping(lambda _: "no such stream", lambda _: None)({"Records": None}) == "no such stream"


def _handed_on(body: bytes, headers: Mapping[str, str] | None = None, path: str = INVOCATION) -> Any:
    seen: list[Any] = []

    async def handle(method: str, path: str, headers: Any, body: Any, query_params: Any) -> None:
        seen.append(body)

    asyncio.run(unopened(handle)("POST", path, headers or {}, body, {}))
    return seen[0]


def test_a_large_invocation_is_handed_on_unopened_and_whole() -> None:
    body = json.dumps({"records": ["ü" * LARGE]}, ensure_ascii=False).encode()
    parcel = _handed_on(body)
    assert isinstance(parcel, Parcel)
    fast = FastJson()
    assert fast.loads(parcel) is parcel
    assert json.loads(fast.dumps({"event": parcel, "ctx": {"a": 1}})) == {
        "event": json.loads(body),
        "ctx": {"a": 1},
    }


@pytest.mark.parametrize(
    ("body", "headers", "path"),
    [
        (b'"' + b"x" * 100 + b'"', {}, INVOCATION),
        (b'"' + b"x" * LARGE + b'"', {"X-Amz-Invocation-Type": "Event"}, INVOCATION),
        (b'"' + b"x" * LARGE + b'"', {}, "/2015-03-31/functions"),
        (b'["' + b"x" * LARGE + b'",\n1]', {}, INVOCATION),
        (b'"' + b"x" * LARGE, {}, INVOCATION),
        (b'"' + b"\xff" * LARGE + b'"', {}, INVOCATION),
    ],
    ids=["small", "asynchronous", "another call", "several lines", "not JSON", "not text"],
)
def test_every_other_body_is_opened_as_before(body: bytes, headers: dict[str, str], path: str) -> None:
    assert _handed_on(body, headers, path) is body


def test_a_workers_large_answer_stays_closed_until_it_is_written() -> None:
    result = {"records": ["ü" * LARGE]}
    line = json.dumps({"status": "ok", "result": result}, ensure_ascii=False)
    answer = FastJson().loads(line)
    assert answer["status"] == "ok"
    assert isinstance(answer["result"], Parcel)
    assert json.loads(FastJson().dumps(answer["result"], ensure_ascii=False)) == result
    with pytest.raises(json.JSONDecodeError):
        FastJson().loads(line[:-1])


def _answer(body: bytes, status: int = 200) -> tuple[dict[str, Any], dict[str, Any]]:
    response, parsed = {"status_code": status, "body": body}, dict[str, Any]()
    kinesis_answers._parse(response_dict=response, customized_response_dict=parsed)
    return response, parsed


def test_records_are_parsed_as_botocore_parses_them() -> None:
    record = {
        "SequenceNumber": "49",
        "PartitionKey": "k",
        "Data": "AAE=",
        "ApproximateArrivalTimestamp": 1764333225.125,
        "EncryptionType": "NONE",
    }
    body = msgspec.json.encode({"Records": [record], "NextShardIterator": "i", "MillisBehindLatest": 7})
    response, parsed = _answer(body)
    assert response["body"] == b"{}"
    arrival = datetime(2025, 11, 28, 12, 33, 45, 125_000, UTC)
    wanted = {
        "SequenceNumber": "49",
        "PartitionKey": "k",
        "Data": b"\x00\x01",
        "ApproximateArrivalTimestamp": arrival,
    }
    assert parsed == {"Records": [wanted], "NextShardIterator": "i", "MillisBehindLatest": 7}


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"__type": "X"}', 400), (b"{", 200), (b'{"Records": 1}', 200)]
)
def test_answers_that_are_none_are_left_to_botocore(body: bytes, status: int) -> None:
    assert _answer(body, status) == ({"status_code": status, "body": body}, {})


def test_the_last_answer_of_a_closed_shard_names_no_iterator() -> None:
    assert "NextShardIterator" not in _answer(b'{"Records": []}')[1]


class _Queue:
    def __init__(self, messages: int) -> None:
        self.left, self.now = messages, 0.0

    def take(self, _: str, most: int) -> list[dict[str, Any]]:
        taken = min(most, self.left)
        self.left -= taken
        return [{}] * taken

    def collecting(self, *windows: tuple[str, float]) -> Collecting:
        return Collecting(self.take, lambda url: f"arn:{url}", lambda: windows, 0.5, lambda: self.now)


def test_a_mapping_with_a_window_takes_many_and_then_waits() -> None:
    queue = _Queue(40)
    receive = queue.collecting(("arn:q", 2.0))
    assert len(receive("q", 1000)) == 40
    queue.left, queue.now = 3, 0.9
    assert receive("q", 1000) == []
    queue.now = 1.0
    assert len(receive("q", 1000)) == 3
    assert receive("q", 1000) == []


def test_a_mapping_that_found_nothing_does_not_wait() -> None:
    queue = _Queue(0)
    receive = queue.collecting(("arn:q", 2.0))
    assert receive("q", 1000) == []
    queue.left = 1
    assert len(receive("q", 1000)) == 1


def test_a_mapping_without_a_window_takes_ten_at_once() -> None:
    queue = _Queue(15)
    receive = queue.collecting(("arn:other", 2.0))
    assert [len(receive("q", 1000)) for _ in range(3)] == [10, 5, 0]


def test_windows_are_those_of_mappings_that_have_one() -> None:
    given: list[dict[str, Any]] = [
        {"EventSourceArn": "a", "MaximumBatchingWindowInSeconds": 20},
        {"EventSourceArn": "b"},
    ]
    assert windows_of(given) == [("a", 20.0)]


def test_mappings_receive_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import sqs

    monkeypatch.setattr(sqs, "_receive_messages_for_esm", sqs._receive_messages_for_esm)  # undone afterwards
    monkeypatch.setenv(mappings.SCALE, "0.05")
    mappings.install()
    assert sqs._receive_messages_for_esm.scale == 0.05


@pytest.mark.skipif(sys.platform != "linux", reason="pipes have a size of their own on Linux only")
def test_a_workers_pipes_take_a_batch_at_once() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        worker_pipes.widen(process)
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        process.stdin.write(b"x" * 300_000)  # a full pipe would raise BlockingIOError
        process.stdin.close()
