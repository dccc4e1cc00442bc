"""A working directory whose local cloud the command itself brings up, on ports of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.aws.outputs import Outputs
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.status.asking import Asking

TIMEOUT = float(os.environ.get("PENSTOCK_TEST_TIMEOUT", "240"))
"""Seconds that one command may take."""


@dataclass(frozen=True)
class Shell:
    """Runs `penstock` as somebody at a terminal does, in a directory and environment of its own."""

    directory: Path
    environment: dict[str, str]

    def run(self, *arguments: str, code: int | None = 0, said: str = "") -> subprocess.CompletedProcess[str]:
        """Run it and answer its questions with `said`; fail unless it exits with `code` (None: any)."""
        ran = subprocess.run(
            [sys.executable, "-m", "infra.command.cli", *arguments],
            cwd=self.directory,
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert code is None or ran.returncode == code, (
            f"{arguments}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        )
        return ran

    def json(self, *arguments: str, code: int | None = 0) -> Any:
        """Its one JSON document on stdout."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    @property
    def cloud(self) -> LocalCloud:
        """The local cloud that a command has started."""
        attached = cloud.attach(LocalPaths.of(self.directory))
        assert attached is not None
        return attached

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query, asked as any client of Athena would."""
        outputs = Outputs.from_document(self.cloud.outputs)
        asking = Asking(self.cloud.context, database=outputs.database, work_group=outputs.analyst_work_group)
        found = asking.rows(sql)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


@contextmanager
def shell_in(directory: Path) -> Iterator[Shell]:
    """A shell in an empty directory, and a local cloud that nobody else uses once a command has started it."""
    ports = processes.free_ports(2)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))}
    named = {"PENSTOCK_LOCAL_PORT": str(ports[0]), "PENSTOCK_LOCAL_SERVER_PORT": str(ports[1])}
    found = {"PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        yield Shell(directory, {**kept, **named, **found})
    finally:
        cloud.down(LocalPaths.of(directory), lambda _: None)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell that the tests of this folder share."""
    with shell_in(tmp_path_factory.mktemp("demo")) as found:
        yield found
