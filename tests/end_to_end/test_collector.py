"""Events over HTTP through the deployed collector: on its own port, by its own key, into the lake."""

import gzip
import http.client
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from infra.accounting.evidence import Places, gather
from infra.accounting.reconcile import reconcile
from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from infra.local.status import summary
from producers.collector.dynamodb import PROTOCOL, VERSION, DynamoDbKeys
from producers.collector.keys import WriteKey, digest_of, new_key
from producers.collector.signed_calls import SignedCalls
from producers.collector.sqs import SqsQueue, read_message
from producers.keys.store import KeyStore
from producers.packing.aggregation import aggregate_explicit
from producers.sinks.port import SinkRecord
from tests.queries.cloud import Chain
from tests.shop import TABLE

pytestmark = pytest.mark.cloud

HOUR = (datetime.now(UTC) - timedelta(days=23)).replace(minute=7, second=0, microsecond=0)
"""No other test has events in it."""


@dataclass
class Door:
    """The collector of a local cloud, and a key of a test's own."""

    cloud: LocalCloud
    key: str
    source: str

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers, body) of an answer."""
        connection = http.client.HTTPConnection(urlsplit(self.cloud.collector_url).netloc, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def send(self, events: list[Any], media: str = "application/json") -> tuple[int, Any]:
        """(status, document) of the answer to a batch."""
        body = (
            json.dumps({"events": events}).encode()
            if media == "application/json"
            else gzip.compress(b"\n".join(json.dumps(each).encode() for each in events))
        )
        status, _, answer = self.ask(
            "POST", "/v1/batch", body, {"content-type": media, "x-write-key": self.key}
        )
        return status, json.loads(answer)


@pytest.fixture
def outputs(local_cloud: LocalCloud) -> Outputs:
    return Outputs.from_document(local_cloud.outputs)


@pytest.fixture
def door(local_cloud: LocalCloud, outputs: Outputs) -> Door:
    key, source = new_key(secrets.token_bytes(24)), f"door-{secrets.token_hex(4)}"
    store = KeyStore(local_cloud.context.client("dynamodb"), outputs.write_keys_table)
    assert store.put(digest_of(key), WriteKey(source=source, streams=("web",), daily=100_000), is_new=True)
    return Door(local_cloud, key, source)


def page(number: int) -> dict[str, Any]:
    when = HOUR + timedelta(seconds=number)
    return {
        "type": "page_viewed", "event_time": when.isoformat(),
        "payload": {"url": f"/{number}", "status": 200, "client_address": "10.20.30.40"},
    }  # fmt: skip


def until(found: Callable[[], Any], seconds: float = 240.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(1)
    return value


def test_collected_events_land_or_fail_under_the_collectors_name_and_the_account_balances(
    local_cloud: LocalCloud, door: Door
) -> None:
    chain = Chain.of(local_cloud)
    broken = {**page(0), "payload": {"status": 9}}
    assert door.send([page(n) for n in range(40)]) == (200, {"accepted": 40})
    assert door.send([page(n) for n in range(40, 60)], "application/x-ndjson") == (200, {"accepted": 20})
    status, told = door.send([page(60), broken])
    assert (status, told["accepted"], [each["code"] for each in told["kept"]]) == (207, 1, ["invalid"])
    query = f"""
        SELECT producer_id, epoch, count(*), min(page_viewed.path), count(client_key)
        FROM {TABLE.name} WHERE event_hour = '{HOUR:%Y-%m-%d-%H}' AND source = '{door.source}' GROUP BY 1, 2
    """

    chain.deliver()

    def landed() -> Any:
        rows = chain.rows(query).rows
        return rows if sum(int(row[2]) for row in rows) >= 61 else None

    rows = until(landed)
    assert sum(int(row[2]) for row in rows) == sum(int(row[4]) for row in rows) == 61

    def account() -> Any:
        places = Places(
            engine=chain.engine,
            s3=chain.client("s3"),
            logs=chain.client("logs"),
            lake_bucket=chain.outputs.lake_bucket,
            transform_functions=[chain.outputs.transform_function],
            tables=[TABLE.name],
        )
        names = {(str(row[0]), int(row[1])) for row in rows}
        lines = [line for line in reconcile(gather(places)).lines if tuple(line.name) in names]
        return lines if not any(line.missing for line in lines) else None

    lines = until(account)
    assert all(line.is_audited for line in lines)
    assert sum(line.failed for line in lines) >= 1
    assert sum(line.produced for line in lines) == sum(
        line.landed + line.failed + line.dropped for line in lines
    )


def test_pages_of_any_origin_may_ask_the_collector_and_nothing_else(
    local_cloud: LocalCloud, door: Door
) -> None:
    origin = {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "x-write-key"}
    status, headers, _ = door.ask("OPTIONS", "/v1/batch", None, origin | wanted)
    assert (status, headers["access-control-allow-origin"]) == (204, "*")
    assert "x-write-key" in headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in headers
    status, headers, _ = door.ask("GET", "/v1/ready", None, origin)
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    for method, path in (
        ("GET", "/"), ("GET", "/_ministack/health"), ("POST", "/2015-03-31/functions/x/invocations"),
        ("GET", "/v1/../_ministack/health"), ("GET", "/v1/other"), ("GET", "/_penstock/secret?id=a"),
    ):  # fmt: skip
        status, _, body = door.ask(method, path, b"" if method == "POST" else None, origin)
        assert (status, json.loads(body)) == (404, {"message": "Not Found"}), path
    assert door.ask("POST", "/v1/batch", b"x" * (11 << 20))[0] == 413
    assert door.ask("GET", "/v1/ready", None, {"host": "attacker.example"})[0] == 404
    emulator = http.client.HTTPConnection(urlsplit(local_cloud.context.endpoint_url).netloc, timeout=60)
    emulator.request("GET", "/", headers=origin)
    assert emulator.getresponse().status == 403
    emulator.close()


def test_a_spilled_record_is_put_on_its_stream_by_the_same_function(
    local_cloud: LocalCloud, outputs: Outputs, door: Door
) -> None:
    chain = Chain.of(local_cloud)
    data = [
        json.dumps({
            "event_type": "page_viewed", "event_id": f"0193b7a0-0000-7000-8000-{number:012x}", "schema_version": 1,
            "event_time": f"{HOUR:%Y-%m-%dT%H}:30:00.000Z", "source": door.source, "producer_id": "spilled",
            "epoch": int(time.time()), "seq": number, "payload": page(number)["payload"],
        }).encode()
        for number in (1, 2)
    ]  # fmt: skip
    sqs, record = local_cloud.context.client("sqs"), aggregate_explicit(["a", "b"], ["7", "7"], data)
    SqsQueue(lambda: sqs, outputs.collector_queue_url).send("web", SinkRecord(record, "a", "7"))
    query = f"""
        SELECT 1 FROM {TABLE.name} WHERE event_hour = '{HOUR:%Y-%m-%d-%H}' AND source = '{door.source}'
    """
    until(lambda: len(chain.rows(query).rows) == 2)


def test_keys_and_counts_in_a_real_table(local_cloud: LocalCloud, outputs: Outputs) -> None:
    calls = SignedCalls("dynamodb", VERSION, PROTOCOL, environ=local_cloud.environment(), clock=time.time)
    table = DynamoDbKeys(calls, outputs.write_keys_table)
    store = KeyStore(local_cloud.context.client("dynamodb"), outputs.write_keys_table)
    key, source = digest_of(new_key(secrets.token_bytes(24))), f"table-{secrets.token_hex(4)}"
    allows = WriteKey(source=source, streams=("web",), types=("page_viewed",), rate=5)
    assert table.find(key) is None
    assert not store.put(key, allows, is_new=False)
    assert store.put(key, allows, is_new=True)
    assert not store.put(key, allows, is_new=True)
    assert table.find(key) == allows
    assert store.put(key, msgspec.structs.replace(allows, disabled=True), is_new=False)
    assert store.all()[key].disabled
    assert [table.add(source, "2026-11-24", count, 2_000_000_000) for count in (3, 4)] == [3, 7]
    calls.close()


def test_a_message_of_the_queue_is_read_as_it_was_sent(local_cloud: LocalCloud) -> None:
    sqs = local_cloud.context.client("sqs")
    url = sqs.create_queue(QueueName=f"spill-{secrets.token_hex(4)}")["QueueUrl"]
    record = SinkRecord(bytes(range(256)) * 600, "ü", "340282366920938463463374607431768211455")
    SqsQueue(lambda: sqs, url).send("web", record)
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert read_message(message["Body"]) == ("web", record)


def test_the_status_says_where_the_collector_answers_and_what_waits_there(local_cloud: LocalCloud) -> None:
    found = summary.of(local_cloud.context.paths)
    assert found["collector"] == {
        "place": local_cloud.collector_url,
        "stack": "penstock-collector",
        "function": "penstock-collector",
        "queue": found["collector"]["queue"],
        "dead_letter_queue": {"waiting": 0, "in flight": 0, "delayed": 0},
    }
    [line] = [line for line in summary.text(found).splitlines() if line.startswith("Collector")]
    assert f"{local_cloud.collector_url}, stack penstock-collector" in line
    assert "messages waiting" in line


def test_no_key_body_or_address_is_in_a_log_or_the_name_of_a_metric(
    local_cloud: LocalCloud, door: Door
) -> None:
    marks = [door.key, "mark-of-a-body", "10.77.66.55", "pk_mark-of-another-key", "mark-of-an-agent"]
    payload = {"url": "/mark-of-a-body", "status": 200, "client_address": "10.77.66.55"}
    body = json.dumps(
        {"events": [{"type": "page_viewed", "payload": payload}, {"type": "mark-of-a-body", "payload": 5}]}
    ).encode()
    for key, query, expected in (
        (door.key, "", 207),
        (door.key, f"?k={door.key}&stream=mark-of-a-body", 400),
        ("pk_mark-of-another-key", "", 401),
    ):
        headers = {"content-type": "application/json", "x-write-key": key, "user-agent": "mark-of-an-agent"}
        assert door.ask("POST", f"/v1/batch{query}", body, headers)[0] == expected
    logs, metrics = local_cloud.context.client("logs"), local_cloud.context.client("cloudwatch")
    groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    written = [
        event["message"]
        for group in groups
        if group.endswith("collector")
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    ]
    assert any("REPORT" in line for line in written)
    pages = metrics.get_paginator("list_metrics").paginate()
    listed = json.dumps([each for page in pages for each in page["Metrics"]])
    assert "Invocations" in listed
    text = "\n".join([*written, listed])
    assert [mark for mark in marks if mark in text] == []
