"""`penstock produce` run in this process, against a stub of Kinesis."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner, Result

from benchmarks.stub_process import Arrival
from producers.commands.cli import app
from producers.simulation.simulator import Simulation
from tests.shop import WEB

SHARDS = 4


def _environment(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "stub",
        "AWS_SECRET_ACCESS_KEY": "stub",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PRODUCERS_STREAM_NAME": "stub",
    }


def produced(*words: str) -> tuple[int, dict[str, Any]]:
    """(exit code, summary) of a verb."""
    result: Result = CliRunner().invoke(app, [*words, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    summary: dict[str, Any] = json.loads(result.stdout)
    return result.exit_code, summary


def whole_events(path: Path, count: int) -> Path:
    simulation = Simulation(WEB, 7, count, datetime(2026, 11, 24, 10, tzinfo=UTC), timedelta(hours=1))
    path.write_bytes(b"".join(record.data + b"\n" for record in simulation.records()))
    return path


def documents(path: Path, count: int) -> Path:
    """Page views without an envelope, which get their place in the sequence from the replay."""
    lines = (
        {
            "event_type": "page_viewed",
            "event_time": f"2026-11-24T10:{n // 60 % 60:02}:{n % 60:02}Z",
            "url": f"/{n}",
            "client_address": "192.0.2.1",
            "status": 200,
        }
        for n in range(count)
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def places(arrivals: list[Arrival]) -> dict[str, tuple[int, int]]:
    """Event id -> (epoch, seq). Raises AssertionError when one event has two places."""
    found: dict[str, tuple[int, int]] = {}
    for event in (msgspec.json.decode(arrival.data) for arrival in arrivals):
        if event["event_type"] != "producer_audited":
            place = event["epoch"], event["seq"]
            assert found.setdefault(event["event_id"], place) == place
    return found


def ids(arrivals: list[Arrival]) -> Counter[str]:
    """How often every event arrived; what producers say of themselves left out."""
    events = [msgspec.json.decode(arrival.data) for arrival in arrivals]
    return Counter(event["event_id"] for event in events if event["event_type"] != "producer_audited")
