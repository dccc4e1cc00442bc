"""The producer's sink on the collector, over a socket: every event is taken once, or said not to be."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from producers.collector.body import MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS
from producers.errors import RequestRefusedError, StreamRefusedError, StreamUnavailableError
from producers.producer import Producer
from producers.sinks import http
from producers.sinks.http import HttpSink
from producers.sinks.port import NotTaken, SinkRecord, Taken
from producers.spool.folder import Spool
from tests.producers.collector.world import KEY, NOW, World


@contextmanager
def serving(world: World, *, lost: list[bool] | None = None) -> Iterator[str]:
    """The address of a collector in this process; `lost` says of each answer whether it gets lost."""
    lock, losses = threading.Lock(), lost if lost is not None else []

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            parts = urlsplit(self.path)
            with lock:
                answer = world.send(
                    body,
                    self.headers["content-type"],
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    x_write_key=self.headers["x-write-key"],
                )
                is_lost = losses.pop(0) if losses else False
            if is_lost:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def envelope(seq: int, **payload: object) -> bytes:
    page = {"url": f"/{seq}", "status": 200, "client_address": "10.1.2.3", **payload}
    when = datetime.fromtimestamp(NOW, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {
            "event_type": "page_viewed", "event_id": f"019ad3d1-8100-7000-8000-{seq:012x}", "schema_version": 1,
            "event_time": when, "source": "till", "producer_id": "till-1", "epoch": 1, "seq": seq, "payload": page,
        }
    ).encode()  # fmt: skip


def records(*data: bytes) -> list[SinkRecord]:
    return [SinkRecord(each, "k") for each in data]


def test_its_limits_are_the_collectors() -> None:
    assert (http.MAX_EVENTS, http.MAX_BODY_BYTES, http.MAX_EVENT_BYTES) == (
        MAX_EVENTS, MAX_BODY_BYTES, MAX_EVENT_BYTES,
    )  # fmt: skip


def test_each_event_is_answered_and_one_that_breaks_its_contract_is_said_to_be_kept() -> None:
    world = World(envelopes=True)
    with serving(world) as url:
        sink = HttpSink(url, KEY, "web")
        answers = sink.put_records(records(envelope(1), envelope(2, status=9), envelope(3)))
        sink.reopen()
    assert answers == [Taken("", ""), Taken("", "kept: invalid"), Taken("", "")]
    assert [(each["producer_id"], each["seq"]) for each in world.events()] == [
        ("till-1", 1), ("till-1", 2), ("till-1", 3),
    ]  # fmt: skip


def test_more_bytes_than_a_request_may_have_become_several_requests() -> None:
    world = World(envelopes=True)
    large = [envelope(seq, url="/" + "u" * 4_000) for seq in range(1, 301)]
    with serving(world) as url:
        sink = HttpSink(url, KEY)
        answers = sink.put_records(records(*large))
        sink.reopen()
    assert answers == [Taken("", "")] * 300
    assert [each["seq"] for each in world.events()] == list(range(1, 301))


def test_a_refusal_says_who_has_to_act() -> None:
    world = World(envelopes=True)
    with serving(world) as url:
        sinks = [HttpSink(url, "pk_nobody"), HttpSink(url, KEY, "rides"), HttpSink(url, KEY)]
        with pytest.raises(StreamRefusedError, match="unknown_key"):
            sinks[0].put_records(records(envelope(1)))
        with pytest.raises(RequestRefusedError, match="no_stream"):
            sinks[1].put_records(records(envelope(1)))
        with pytest.raises(RequestRefusedError, match="event_too_large"):
            sinks[2].put_records(records(envelope(1, url="/" + "u" * 40_000)))
        world.queue.room, world.stream.script = 0, ["refuse"] * 3
        assert sinks[2].put_records(records(envelope(1))) == [
            NotTaken("unavailable", "Nothing was taken. Send it again later.")
        ]
        for sink in sinks:
            sink.reopen()
    sink = HttpSink(url, KEY, seconds=1)
    with pytest.raises(StreamUnavailableError, match="does not answer"):
        sink.put_records(records(envelope(1)))
    sink.reopen()


def test_a_producer_delivers_every_event_through_refusals_and_lost_answers(tmp_path: Path) -> None:
    world = World(envelopes=True)
    world.queue.room, world.stream.script = 0, ["refuse"] * 3
    with serving(world, lost=[False, True]) as url:
        sink = HttpSink(url, KEY)
        producer = Producer(sink=sink, producer_id="till-1", linger=0.01, spool=Spool(tmp_path / "spool"))
        for seq in range(1, 201):
            producer.put_raw(envelope(seq), "k", counted=False)
        stats = producer.close()
        sink.reopen()
    assert stats.delivered == 200
    found = [each["seq"] for each in world.events() if each["event_type"] == "page_viewed"]
    assert set(found) == set(range(1, 201))
