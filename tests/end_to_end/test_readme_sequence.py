"""Replay, refresh and query, as the README has it: readers see every event each time."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.readme_sequence import moved, one_round, penstock
from infra.local.cloud import LocalCloud

pytestmark = pytest.mark.cloud

LINES = 150


@pytest.fixture
def slow_reading(local_cloud: LocalCloud) -> Iterator[None]:
    """A delivery that begins to read late."""
    _faults(local_cloud, {"reading_pauses": {"probability": 1.0, "times": 12}})
    yield
    _faults(local_cloud, None)


def _faults(cloud: LocalCloud, switches: dict[str, object] | None) -> None:
    request = urllib.request.Request(
        f"{cloud.context.server_url}/_faults",
        method="POST" if switches else "DELETE",
        data=json.dumps(switches).encode() if switches else None,
        headers=cloud.context.keys.bearer,
    )
    urllib.request.urlopen(request, timeout=10).close()


def _log(path: Path) -> Path:
    """An access log of several hours and days."""
    line = '192.0.2.{host} - - [{day:02d}/May/2013:{hour:02d}:00:07 +0000] "GET /p{number} HTTP/1.1" 200 5 "-" "x"\n'
    path.write_text(
        "".join(
            line.format(host=number % 9 + 1, day=17 + number % 3, hour=number % 5, number=number)
            for number in range(LINES)
        )
    )
    return path


@pytest.mark.usefixtures("slow_reading")
@pytest.mark.parametrize("number", [200, 201])
def test_after_refresh_wait_readers_see_all_that_was_on_the_stream(
    local_cloud: LocalCloud, tmp_path: Path, number: int
) -> None:
    log = tmp_path / "moved.log"
    days = moved(_log(tmp_path / "access.log"), log, number)
    found = one_round(local_cloud.context.paths.root.parent, log, days)
    assert found.added == LINES
    assert "waiting for what was on the stream at" in found.waited_for


def test_refresh_wait_ends_with_an_error_when_the_delivery_stands(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    folder, log = local_cloud.context.paths.root.parent, tmp_path / "moved.log"
    moved(_log(tmp_path / "access.log"), log, 202)
    _faults(local_cloud, {"reading_pauses": {"probability": 1.0}})
    try:
        penstock(folder, "produce", "replay", str(log))
        command = [sys.executable, "-m", "infra.cli", "reports", "refresh", "--wait", "--timeout", "4"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    finally:
        _faults(local_cloud, None)
    assert done.returncode == 1
    assert "After 4 s the lake does not have all that was on the stream at" in done.stderr
    assert done.stdout == ""
