"""The collector and its peers as functions: each a process of the real Lambda runtime beside a stub of AWS.

What a function's process takes is its CPU time; the whole path adds what the stub and this process take.
"""

import json
import random
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.runtime_api import Function
from benchmarks.shop import SHOP
from benchmarks.stub_process import StubProcess
from infra.stacks.artefact_zips import source_files
from infra.stacks.artefacts import COLLECTOR
from producers.collector.keys import WriteKey, digest_of

KEY = "pk_0123456789abcdef0123456789abcdef"
OURS, EACH, TOGETHER = "Penstock", "Powertools, pydantic, put_record", "Powertools, pydantic, put_records"
NOTHING = "nothing"
_AWS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "stub", "AWS_SECRET_ACCESS_KEY": "stub"}
_NOTHING = """
def lambda_handler(event, context):
    return {"statusCode": 200, "body": "{}"}
"""
_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def request(count: int, seed: int = 7) -> bytes:
    """A request of so many events as API Gateway hands it to a function."""
    body = json.dumps({"events": events(count, seed)}, separators=(",", ":"))
    return json.dumps(
        {
            "version": "2.0",
            "routeKey": "POST /v1/batch",
            "rawPath": "/v1/batch",
            "rawQueryString": "",
            "headers": {
                "content-type": "application/json",
                "content-length": str(len(body)),
                "host": "events.shop.example",
                "user-agent": _AGENT,
                "x-forwarded-for": "203.0.113.9",
                "x-write-key": KEY,
            },
            "requestContext": {
                "accountId": "111122223333",
                "apiId": "a1b2c3",
                "http": {
                    "method": "POST",
                    "path": "/v1/batch",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.9",
                    "userAgent": _AGENT,
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "POST /v1/batch",
                "stage": "$default",
                "timeEpoch": int(time.time() * 1000),
            },
            "body": body,
            "isBase64Encoded": False,
        }
    ).encode()


def events(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Page views and views of products, about 300 bytes each."""
    rng = random.Random(seed)
    made: list[dict[str, Any]] = []
    for _ in range(count):
        product = f"sku-{rng.randrange(500):05d}"
        who = {
            "client_address": f"198.51.{rng.randrange(100)}.{rng.randrange(20)}",
            "user_id": f"user-{rng.randrange(2_000):06d}",
        }
        if rng.random() < 0.15:
            price = {"price_minor": rng.randrange(100_000), "currency": "EUR", "category": "garden/tools"}
            made.append({"type": "product_viewed", "payload": {"product_id": product, **who, **price}})
            continue
        page = {
            "url": f"https://shop.example/products/{product}?page={rng.randrange(40)}",
            "status": rng.choice((200, 200, 304, 404)),
            "referrer": "https://search.example/",
            "user_agent": _AGENT,
            "bytes_sent": rng.randrange(100_000),
            "duration_ms": rng.randrange(2_000),
        }
        made.append({"type": "page_viewed", "payload": {**page, **who}})
    return made


class Lab:
    """The folders of the functions, and what they call: a Kinesis stub, and a table with one key."""

    def __init__(self, folder: Path, kinesis: StubProcess, table_url: str) -> None:
        self.kinesis = kinesis
        self._environ = {
            **_AWS,
            "AWS_ENDPOINT_URL_KINESIS": kinesis.url,
            "AWS_ENDPOINT_URL_DYNAMODB": table_url,
        }
        self._libraries = Path(str(distribution("boto3").locate_file("")))
        self._ours, self._peers, self._nothing = (folder / name for name in ("ours", "peers", "nothing"))
        for name, content in source_files(COLLECTOR, SHOP.folders).items():
            path = self._ours / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._peers.mkdir()
        shutil.copyfile(Path(__file__).with_name("collector_peers.py"), self._peers / "peer.py")
        self._nothing.mkdir()
        (self._nothing / "nothing.py").write_text(_NOTHING)

    def started(self, name: str, **more: str) -> Function:
        """A new process of a function."""
        if name == OURS:
            settings = {
                "PENSTOCK_COLLECTOR_STREAM_PREFIX": "penstock",
                "PENSTOCK_COLLECTOR_KEYS_TABLE": "keys",
                "PENSTOCK_COLLECTOR_QUEUE_URL": "http://127.0.0.1:1/none",
            }
            folder, handler = self._ours, COLLECTOR.handler
        elif name == NOTHING:
            settings, folder, handler = {}, self._nothing, "nothing.lambda_handler"
        else:
            puts = "all" if name == TOGETHER else "each"
            settings = {"PEER_STREAM": "penstock-web", "PEER_TABLE": "keys", "PEER_PUTS": puts}
            folder, handler = self._peers, "peer.lambda_handler"
        return Function(handler, (folder, self._libraries), {**self._environ, **settings, **more})


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """A lab in this folder; its processes end with the block."""
    with ExitStack() as stack:
        kinesis = stack.enter_context(StubProcess(shards=4))
        yield Lab(folder, kinesis, stack.enter_context(_table()))


@contextmanager
def _table() -> Iterator[str]:
    """A DynamoDB that knows one key, for one call a minute of each function."""
    allows = msgspec.json.encode(WriteKey(source="bench", streams=("web",))).decode()
    pk = f"key#{digest_of(KEY)}"
    body = json.dumps({"Item": {"pk": {"S": pk}, "allows": {"S": allows}}}).encode()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def accepted(answer: bytes) -> int:
    """How many events an answer says were taken. Raises AssertionError for any other answer."""
    told: Mapping[str, Any] = json.loads(answer)
    assert told["statusCode"] == 200, told
    return int(json.loads(told["body"])["accepted"])
