"""What we change in MiniStack's process for speed means the same as before."""

import asyncio
import base64
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.local.ministack import conditions, execution_starts, mappings, worker_pipes
from infra.local.ministack.fast_json import LARGE, FastBase64, FastJson, Parcel, unopened
from infra.local.ministack.mappings import Collecting, windows_of
from infra.local.parts import kinesis_answers

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


def test_an_expression_is_read_once_and_gives_what_it_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import dynamodb

    changed = ("_tokenize", "_check_redundant_parens", "_check_reserved_keyword_usage")
    read: list[str] = []
    plain = dynamodb._tokenize
    monkeypatch.setattr(dynamodb, "_condition_syntax_error", dynamodb._condition_syntax_error)
    for name in changed:
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))  # undone afterwards
    items = [{"n": {"N": str(n)}, "s": {"S": "ab" if n % 2 else "b"}} for n in range(50)]
    expressions = ["begins_with(s, :s) AND n BETWEEN :lo AND :hi", "#n = :lo OR attribute_not_exists(x)"]
    values = {":s": {"S": "a"}, ":lo": {"N": "3"}, ":hi": {"N": "30"}}

    def answers() -> list[list[bool]]:
        evaluate = dynamodb._evaluate_condition
        return [
            [evaluate(e, item, values, {"#n": "n"}, slot="FilterExpression") for item in items]
            for e in expressions
        ]

    before = answers()

    def tokenize(text: str) -> Any:
        read.append(text)
        return plain(text)

    monkeypatch.setattr(dynamodb, "_tokenize", tokenize)
    conditions.install()
    assert answers() == before
    assert read == expressions


@pytest.mark.parametrize("expression", ["((n = :lo))", "status = :lo", "n = = :lo", "n BETWEEN :hi AND :lo"])
def test_a_wrong_expression_is_refused_each_time_in_the_same_words(
    monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    from ministack.services import dynamodb

    values = {":lo": {"N": "3"}, ":hi": {"N": "30"}}

    def refusal(slot: str) -> str:
        with pytest.raises(ValueError, match="Invalid") as caught:
            dynamodb._evaluate_condition(expression, {}, values, {}, slot=slot)
        return str(caught.value)

    slots = ["FilterExpression", "ConditionExpression"] * 2
    before = [refusal(slot) for slot in slots]
    for name in (
        "_tokenize",
        "_check_redundant_parens",
        "_check_reserved_keyword_usage",
        "_condition_syntax_error",
    ):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))  # undone afterwards
    conditions.install()
    assert [refusal(slot) for slot in slots] == before


def test_comparisons_joined_by_and_give_what_ministack_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import dynamodb

    values = {":g": {"S": "due"}, ":now": {"N": "30"}}
    items: list[dict[str, Any]] = [
        {"g": {"S": group}, "due_at": at}
        for group in ("due", "dud")
        for at in ({"N": "3"}, {"N": "30.0"}, {"S": "3"})
    ]
    items += [{"due_at": {"N": "1E1"}}, {"g": {"S": "due"}}, {}]
    expressions = [
        *(f"g = :g AND due_at {operator} :now" for operator in ("=", "<", "<=", ">", ">=", "<>")),
        "#n = :g",
        "g = :g and due_at <= :now",
        "g = :g OR due_at <= :now",
        "g = :g AND NOT due_at <= :now",
        "g = :g AND attribute_exists(due_at)",
        "g = :missing",
    ]

    def answers() -> list[bool]:
        evaluate = dynamodb._evaluate_condition
        return [evaluate(each, item, values, {"#n": "g"}) for each in expressions for item in items]

    before = answers()
    for name in (
        "_tokenize",
        "_check_redundant_parens",
        "_check_reserved_keyword_usage",
        "_condition_syntax_error",
        "_evaluate_condition",
    ):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))  # undone afterwards
    conditions.install()
    assert answers() == before == answers()
    assert True in before

    def parse(*given: Any) -> Any:
        raise AssertionError(f"read again for an item: {given}")

    monkeypatch.setattr(dynamodb, "_ExprEval", parse)
    for expression in ("#n = :g", *expressions[:5]):
        assert dynamodb._evaluate_condition(expression, items[0], values, {"#n": "g"}) in (True, False)


def test_executions_begin_without_the_pause_and_other_waits_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    clock = execution_starts.WithoutPause()
    for seconds in (execution_starts.PAUSE_SECONDS, 0.5, 0.0):
        clock.sleep(seconds)
    assert waited == [0.5, 0.0]
    assert clock.monotonic is time.monotonic
    found = importlib.util.find_spec("ministack.services.stepfunctions")
    assert found is not None
    source = Path(str(found.origin)).read_text(encoding="utf-8")
    begins = source.index("def _run_execution(")
    pause = f"time.sleep({execution_starts.PAUSE_SECONDS})"
    assert source.count(pause) == source[begins : source.index("\ndef ", begins)].count(pause) == 1
