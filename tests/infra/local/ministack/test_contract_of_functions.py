"""What MiniStack must do for functions and their mappings before its version may change."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.infra.local.ministack.waiting import until


def _function(client: Callable[[str], Any], name: str, code: str, **options: Any) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", code)
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made = client("lambda").create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": buffer.getvalue()},
        **options,
    )
    return str(made["FunctionArn"])


def _invoke(client: Callable[[str], Any], name: str, event: Any = None) -> tuple[Any, str]:
    answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read()), str(answer.get("FunctionError", ""))


def test_a_function_gets_its_event_its_variables_and_our_libraries(
    client: Callable[[str], Any], name: str
) -> None:
    code = "import os, msgspec\ndef handler(event, context): return [event, os.environ['A'], context.function_name]"
    _function(client, name, code, Environment={"Variables": {"A": "1"}})
    assert _invoke(client, name, {"x": [1, "ü"]}) == ([{"x": [1, "ü"]}, "1", name], "")


def test_a_large_event_and_its_answer_pass_whole(client: Callable[[str], Any], name: str) -> None:
    _function(client, name, "def handler(event, context): return [len(event['x']), event]")
    event = {"x": "ü\n" * 400_000}
    assert _invoke(client, name, event) == ([800_000, event], "")
    pretty = json.dumps(event, indent=1, ensure_ascii=False).encode()
    answer = client("lambda").invoke(FunctionName=name, Payload=pretty)
    assert json.loads(answer["Payload"].read()) == [800_000, event]


def test_a_large_answer_to_a_small_event_passes_whole(client: Callable[[str], Any], name: str) -> None:
    _function(client, name, "def handler(event, context): return event * 400_000")
    assert _invoke(client, name, "é") == ("é" * 400_000, "")


def test_a_mapping_with_a_window_takes_more_than_ten_messages_at_once(
    client: Callable[[str], Any], name: str, queue: str
) -> None:
    _function(client, name, "def handler(event, context): print('took', len(event['Records']))")
    sqs, logs = client("sqs"), client("logs")
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, BatchSize=1000, MaximumBatchingWindowInSeconds=20
    )
    for batch in range(4):
        entries = [{"Id": str(number), "MessageBody": f"{batch} {number}"} for number in range(10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)

    def took() -> list[int]:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="took")[
                "events"
            ]
        except ClientError:
            return []  # no log group before the first call
        counts = [int(event["message"].split()[1]) for event in events if event["message"].startswith("took")]
        return counts if sum(counts) >= 40 else []  # some twice, where the machine is busy

    assert max(until(took)) > 10
    client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_function_that_raises_or_takes_too_long_is_a_function_error(
    client: Callable[[str], Any], name: str
) -> None:
    code = "import time\ndef handler(event, context):\n  time.sleep(9) if event else 1 / 0"
    _function(client, name, code, Timeout=1)
    assert _invoke(client, name, 0)[1] == "Unhandled"
    told, error = _invoke(client, name, 1)
    assert error == "Unhandled"
    assert "timed out" in json.dumps(told)


def test_what_a_function_raised_is_named_by_its_class(client: Callable[[str], Any], name: str) -> None:
    _function(client, name, "def handler(event, context): return {}[event] if event else 1 / 0")
    for event, expected in ((0, "ZeroDivisionError"), ("missing", "KeyError")):
        told, error = _invoke(client, name, event)
        assert (told["errorType"], error) == (expected, "Unhandled")


def test_the_log_of_an_invocation_is_its_own_and_whole(client: Callable[[str], Any], name: str) -> None:
    code = (
        "import sys\n"
        "def handler(event, context):\n"
        "  for number in range(event): print(f'{event} line {number}')\n"
        "  if event == 3: sys.stderr.write('3 without a newline')\n"
        "  if event == 4: raise ValueError('4 is refused')\n"
    )
    _function(client, name, code)
    expected = {}
    for event in (0, 300, 3, 0, 4, 1):
        _invoke(client, name, event)
        expected[event] = [f"{event} line {number}" for number in range(event)]
    expected[3].append("3 without a newline")
    expected[4].append("ValueError: 4 is refused")

    def logged() -> dict[str, list[str]]:
        """The lines of each invocation, without what the runtime adds."""
        pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        found: dict[str, list[str]] = {}
        for event in (event for page in pages for event in page["events"]):
            kept = [line for line in event["message"].splitlines() if re.match(r"\d+ |ValueError", line)]
            found.setdefault(event["logStreamName"], []).extend(kept)
            assert "\x1e" not in event["message"]
        return found

    def is_whole() -> bool:
        return sorted(filter(None, logged().values())) == sorted(filter(None, expected.values()))

    until(is_whole)


def test_new_code_is_used_at_once(client: Callable[[str], Any], name: str) -> None:
    _function(client, name, "def handler(event, context): return 1")
    assert _invoke(client, name)[0] == 1
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 2")
    client("lambda").update_function_code(FunctionName=name, ZipFile=buffer.getvalue())
    assert _invoke(client, name)[0] == 2


def test_an_invocation_under_way_ends_as_it_began_when_its_function_is_changed_or_deleted(
    client: Callable[[str], Any], name: str, tmp_path: Path
) -> None:
    code = """import os, time
def handler(event, context):
    open(event["began"], "w").close()
    while not os.path.exists(event["go_on"]): time.sleep(0.01)
    return os.environ["A"]
"""
    _function(client, name, code, Timeout=60, Environment={"Variables": {"A": "old"}})
    changes: list[tuple[str, Callable[[], Any]]] = [
        (
            "changed",
            lambda: client("lambda").update_function_configuration(
                FunctionName=name, Environment={"Variables": {"A": "new"}}
            ),
        ),
        ("deleted", lambda: client("lambda").delete_function(FunctionName=name)),
    ]
    with ThreadPoolExecutor(1) as pool:
        answers = []
        for what, change in changes:
            began, go_on = tmp_path / f"began-{what}", tmp_path / f"go-on-{what}"
            answer = pool.submit(_invoke, client, name, {"began": str(began), "go_on": str(go_on)})
            until(began.exists)
            change()
            go_on.touch()
            answers.append(answer.result())
    assert answers == [("old", ""), ("new", "")]


def test_a_mapping_hands_messages_to_the_function_and_keeps_those_that_failed(
    client: Callable[[str], Any], name: str, queue: str, bucket: str
) -> None:
    code = (
        "def handler(event, context):\n"
        "  return {'batchItemFailures': [{'itemIdentifier': r['messageId']} for r in event['Records']"
        " if r['body'] == 'bad']}"
    )
    _function(client, name, code)
    sqs = client("sqs")
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> bool:
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=counts)["Attributes"]
        return sum(map(int, found.values())) == 1

    until(left)
    client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
