"""Replay, refresh and query, as the README has it: readers see every event each time."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from subprocess import PIPE

import pytest

from benchmarks.readme_sequence import moved, one_round, page_views, penstock
from infra.local.cloud import LocalCloud

pytestmark = pytest.mark.cloud

LINES = 150
REFRESH = [sys.executable, "-m", "infra.command.cli", "reports", "refresh", "--wait"]


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


def test_after_refresh_wait_readers_see_all_that_was_on_the_stream(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    folder, log = local_cloud.context.paths.root.parent, tmp_path / "moved.log"
    days = moved(_log(tmp_path / "access.log"), log, 20)
    _faults(local_cloud, {"reading_pauses": {"probability": 1.0}})
    try:
        penstock(folder, "produce", "replay", str(log))
        with subprocess.Popen(
            [*REFRESH, "--json"], cwd=folder, stdout=PIPE, stderr=PIPE, text=True
        ) as refresh:
            assert refresh.stderr is not None
            said = refresh.stderr.readline()
            _faults(local_cloud, None)  # only now that it waits does the delivery go on
            answer = json.loads(refresh.communicate()[0])
    finally:
        _faults(local_cloud, None)
    assert said.startswith("waiting for what was on the stream at")
    assert answer["delivered_until"] >= answer["asked_at"]
    assert page_views(folder, days) == LINES


def test_the_sequence_of_the_readme_shows_every_event(local_cloud: LocalCloud, tmp_path: Path) -> None:
    log = tmp_path / "moved.log"
    days = moved(_log(tmp_path / "access.log"), log, 21)
    assert one_round(local_cloud.context.paths.root.parent, log, days).added == LINES


def test_refresh_wait_ends_with_an_error_when_the_delivery_stands(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    folder, log = local_cloud.context.paths.root.parent, tmp_path / "moved.log"
    moved(_log(tmp_path / "access.log"), log, 22)
    _faults(local_cloud, {"reading_pauses": {"probability": 1.0}})
    try:
        penstock(folder, "produce", "replay", str(log))
        done = subprocess.run(
            [*REFRESH, "--timeout", "4"], cwd=folder, capture_output=True, text=True, check=False
        )
    finally:
        _faults(local_cloud, None)
    assert done.returncode == 1
    assert "After 4 s the lake does not have all that was on the stream at" in done.stderr
    assert done.stdout == ""
