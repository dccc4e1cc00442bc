"""No query string, user name or address of 1,000 seeded events is found anywhere but among the failed records.

The search decodes what it reads: Parquet, gzip, JSON. Left out are the stream and the error prefix, which keep
whole events on purpose (see docs/security.md).
"""

import gzip
import io
import json
import random
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest

from infra.command.target import Target
from tests.end_to_end.conftest import Shell, shell_in

pytestmark = pytest.mark.cloud

EVENTS = 1_000
_SEEDED = re.compile(r"(tok|mail|pass|frag|user|agent|ref)-seeded-\d{4}|2001:db8:5eed::[0-9a-f]{1,4}\b")


def seeded(number: int) -> bytes:
    """An event that holds a value of its own wherever a person's data can stand. One in five is broken."""
    rng, now = random.Random(number), datetime.now(UTC)
    secret = {
        name: f"{name}-seeded-{number:04d}"
        for name in ("tok", "mail", "pass", "frag", "user", "agent", "ref")
    }
    address = f"2001:db8:5eed::{number + 1:x}"
    query = f"token={secret['tok']}&utm_source=news&email={secret['mail']}%40example.com"
    url = f"https://{secret['user']}:{secret['pass']}@shop.example/p/{number % 7}?{query}#{secret['frag']}"
    payload: dict[str, Any] = {
        "url": url,
        "client_address": address,
        "status": 200,
        "referrer": f"https://mail.example/read?message={secret['ref']}",
        "user_agent": f"Mozilla/5.0 {secret['agent']}",
        "user_id": secret["user"],
    }
    event: dict[str, Any] = {
        "event_type": "page_viewed",
        "event_id": str(UUID(int=rng.getrandbits(128))),
        "schema_version": 1,
        "event_time": f"{(now - timedelta(seconds=number % 60)).isoformat(timespec='milliseconds')[:23]}Z",
        "source": "seeded",
        "producer_id": "seeded-1",
        "epoch": 1,
        "seq": number + 1,
        "payload": payload,
    }
    line = f"{address} - {secret['user']} [-] 'GET {url} HTTP/1.1' {secret['agent']}"
    match number % 25:
        case 0:
            event["event_type"] = "unreadable_line"
            event["payload"] = {"line": line, "position": f"{secret['user']}.log:{number}", "reason": line}
        case 5:
            payload["status"] = url
        case 10:
            return json.dumps(event).encode()[:-20]
        case 15:
            event["event_type"] = secret["user"]
        case 20:
            return line.encode()
    return json.dumps(event).encode()


def decoded(body: bytes) -> str:
    """What an object says, whatever its form."""
    if body[:2] == b"\x1f\x8b":
        return decoded(gzip.decompress(body))
    if body[:4] == b"PAR1":
        return json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), default=str)
    text = body.decode("utf-8", "replace")
    try:
        return f"{text}\n{json.dumps(json.loads(text), ensure_ascii=False)}"
    except ValueError:
        return text


def objects(target: Target) -> Iterator[tuple[str, str]]:
    s3 = target.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for each in page.get("Contents", ()):
                if not each["Key"].startswith("failed/"):
                    body = s3.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"].read()
                    yield f"{bucket['Name']}/{each['Key']}", decoded(body)


def places(shell: Shell, target: Target) -> Iterator[tuple[str, str]]:
    """(what it is, what it says) of everything that people and programs read."""
    for name, text in objects(target):
        yield f"object {name}", text
    logs, dynamodb = target.client("logs"), target.client("dynamodb")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        yield (
            f"log {group['logGroupName']}",
            "\n".join(e["message"] for page in pages for e in page["events"]),
        )
    for file in (shell.directory / ".local" / "run").glob("*.log"):
        yield f"log file {file.name}", file.read_text(errors="replace")
    for table in dynamodb.list_tables()["TableNames"]:
        yield (
            f"table {table}",
            json.dumps(list(dynamodb.get_paginator("scan").paginate(TableName=table)), default=str),
        )
    metrics = target.client("cloudwatch").get_paginator("list_metrics").paginate()
    yield "metrics", json.dumps([page["Metrics"] for page in metrics], default=str)
    for verb in (
        ("failed", "list", "--records"),
        ("failed", "list", "--json"),
        ("reports", "list", "--json"),
        ("reports", "run", "top_pages_by_day", "--day", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("query", "SELECT * FROM page_viewed WHERE event_hour > '2020'"),
        ("reconcile",),
        ("local", "status"),
        ("dlq", "list"),
    ):
        ran = shell.run(*verb, code=None)
        yield f"penstock {' '.join(verb)}", ran.stdout + ran.stderr
    shell.run("dashboards", "export", "traffic", "traffic.html", code=None)
    if (shell.directory / "traffic.html").exists():
        yield "dashboard", (shell.directory / "traffic.html").read_text()
    for path in ("/", "/_status"):
        with urllib.request.urlopen(shell.cloud.context.server_url + path, timeout=60) as answer:
            yield f"page {path}", answer.read().decode()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counter[str]]:
    """Place to how many different seeded values of each kind it shows; and what was read at all."""
    with shell_in(tmp_path_factory.mktemp("seeded")) as shell:
        shell.run("local", "up")
        target = Target("local", {}, directory=shell.directory)
        kinesis = target.client("kinesis")
        for first in range(0, EVENTS, 250):
            records = [{"Data": seeded(n), "PartitionKey": str(n)} for n in range(first, first + 250)]
            assert not kinesis.put_records(StreamName=target.stream_name, Records=records)[
                "FailedRecordCount"
            ]
        shell.run("demo", "--events", "1", code=None)  # delivers all that is in the stream
        shell.run("reports", "refresh", "--wait", "--timeout", "200", code=None)
        seen: dict[str, Counter[str]] = {}
        for place, text in places(shell, target):
            values = {match[0] for match in _SEEDED.finditer(text)}
            seen[place] = Counter(value.partition("-")[0] if "-" in value else "address" for value in values)
            seen[place]["characters"] = len(text)
            seen[place]["marks"] = text.count("shop.example/p/") + text.count("unreadable_line")
        return seen


def test_the_search_reads_lake_results_logs_ledger_listings_and_pages(found: dict[str, Counter[str]]) -> None:
    read = {place for place, counts in found.items() if counts["characters"] > 2}
    for beginning in ("object penstock-lake", "object penstock-reporting", "object penstock-results", "log /aws/lambda",
                      "table penstock-ledger", "penstock failed", "penstock query", "page /_status"):  # fmt: skip
        assert any(place.startswith(beginning) for place in read), (beginning, sorted(read))
    for place in (place for place in found if place.startswith(("penstock query", "penstock failed"))):
        assert found[place]["marks"] >= 2, f"{place} shows no event at all"
    assert sum(counts["marks"] for place, counts in found.items() if "/web_events/" in place) >= EVENTS // 2


def test_no_seeded_value_is_found_anywhere(found: dict[str, Counter[str]]) -> None:
    shown = {place: dict(counts) for place, counts in found.items() if set(counts) - {"characters", "marks"}}
    assert shown == {}
