"""Report rows on disk, a board over them, a preview server on a port of its own, and Chromium."""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from dashboards import emit
from dashboards.board.board import Board
from dashboards.preview.server import Preview, Watch
from tests.dashboards import rows
from tests.shop import DASHBOARDS, REPORTS

PLACE: dict[str, Any] = {
    "prefix": "penstock", "account": "123456789012", "region": "eu-west-1", "database": "reports",
    "work_group": "penstock-reports",
}  # fmt: skip


def resources(**more: Any) -> dict[str, emit.Resource]:
    """What would be deployed from the package's own definitions."""
    owner = "arn:aws:quicksight:eu-west-1:123456789012:group/default/owners"
    return dict(emit.resources(REPORTS, DASHBOARDS, **{**PLACE, "owners": [owner], **more}))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one Parquet file per report."""
    found = tmp_path_factory.mktemp("reports")
    rows.write(rows.report_rows(), found)
    return found


def board_over(folder: Path) -> Board:
    """A board over the Parquet files of a folder, at the tests' own time."""
    stale_after = {s.report: s.stale_after_seconds for d in DASHBOARDS.values() for s in d.sources.values()}
    board = Board(resources, rows.athena(folder), stale_after=stale_after, clock=lambda: rows.NOW)
    assert board.rebuild(), board.error
    board.load()
    page_errors = {name: fresh.error for page in board.pages for name, fresh in board.freshness(page).items()}
    assert not any(page_errors.values()), page_errors
    return board


@pytest.fixture(scope="session")
def board(folder: Path) -> Board:
    """A board that nobody changes."""
    return board_over(folder)


@dataclass
class Served:
    """A preview that runs: its address, its folder of reports, its board and what it watches."""

    url: str
    folder: Path
    board: Board
    token: list[str]


@pytest.fixture(scope="session")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A preview over a copy of the reports, which tests may publish to."""
    own = tmp_path_factory.mktemp("published")
    for file in folder.glob("*.parquet"):
        shutil.copy(file, own)
    board, token = board_over(own), ["1"]

    def versions() -> dict[str, dict[str, str]]:
        return {file.stem: {"all": str(file.stat().st_mtime_ns)} for file in own.glob("*.parquet")}

    with served_at(board, Watch(versions, lambda: token[0], every=0.1)) as url:
        yield Served(url, own, board, token)


@contextlib.contextmanager
def served_at(board: Board, watch: Watch) -> Iterator[str]:
    """The address of a preview over a board, while it runs."""
    app = Preview(board, watch).application()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error",
                                           timeout_graceful_shutdown=1))  # fmt: skip
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started, "the preview did not start within a minute"
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
