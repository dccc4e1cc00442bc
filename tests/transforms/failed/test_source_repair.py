"""Rows that a source could not read, repaired by the changed source with `penstock failed replay --source`."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from infra.aws.outputs import Outputs
from infra.command.target import Target
from infra.local.cloud import LocalCloud
from tests.golden.poison.corpus import ARRIVAL_MS
from tests.producers.sources.malformed import KINDS, REFUSING, REPAIRING
from tests.producers.sources.test_malformed_rows import failed_records
from tests.shop import SHOP, TABLES
from tests.transforms.failed.console import Console
from tests.transforms.failed.memory_bucket import error_line
from transforms.failed.repair import Repair

pytestmark = pytest.mark.cloud
FOLDER = "failed/processing-failed/dt=2026-11-24/"


class SourceConsole(Console):
    """A console in a folder with sources."""

    folder: Path

    def source_repair(self, name: str) -> Repair:
        """As the command finds it."""
        return Target.choose(None, environ={}, directory=self.folder).source_repair(name)


@pytest.fixture
def console(local_cloud: LocalCloud, tmp_path: Path) -> SourceConsole:
    outputs = Outputs.from_document(local_cloud.outputs)
    made = SourceConsole(local_cloud, f"failed-{uuid4().hex}", outputs.pseudonym_secrets)
    made.folder = tmp_path
    (tmp_path / "sources").mkdir()
    project = f'[project]\nname = "visits"\n[folders]\nstreams = "{SHOP.folders.streams}"\n'
    (tmp_path / "penstock.toml").write_text(project)
    made.client("s3").create_bucket(Bucket=made.lake_bucket)
    lines = [error_line(record, ARRIVAL_MS) for record in failed_records(tmp_path)]
    made.put(f"{FOLDER}a", b"".join(lines[:120]))
    made.put(f"{FOLDER}b", b"".join(lines[100:]))  # 20 of them arrived twice
    return made


def _source(console: SourceConsole, text: str) -> None:
    (console.folder / "sources" / "visits.sql").write_text(text)


def _ids(console: SourceConsole) -> list[str]:
    from transforms.failed.arrow import read_parquet

    table = TABLES["web_events"]
    return [
        row["event_id"]
        for body in console.objects(table.prefix).values()
        for row in read_parquet(body, table).to_pylist()
    ]


def test_a_changed_source_repairs_every_row_once(console: SourceConsole) -> None:
    found = console.told("list")
    assert found["failed"] == 220
    listed: list[dict[str, Any]] = found["unreadable_lines"]
    assert listed
    _source(console, REFUSING)
    assert console.told("replay", "--source", "visits")["replayed"] == 0
    _source(console, REPAIRING)
    told = console.told("replay", "--source", "visits")
    assert told["replayed"] == 220
    assert told["still_failed"] == {}
    assert len(set(_ids(console))) == 200
    before = console.objects("web_events/")
    assert console.told("replay", "--source", "visits")["objects_written"] == 0
    assert console.objects("web_events/") == before


def test_a_record_is_explained_with_file_row_column_and_reason(console: SourceConsole) -> None:
    records = [each["record_id"] for each in console.told("list")["records"]]
    said = [console.run("explain", record).stdout for record in records[: len(KINDS)]]
    for number, ((column, _), text) in enumerate(zip(KINDS.values(), said, strict=True)):
        assert f"visits.csv:{2 * number + 2}" in text
        assert column in text


def test_repair_and_source_cannot_be_given_together(console: SourceConsole) -> None:
    from transforms.failed.cli import failed_app

    ran = CliRunner().invoke(failed_app, ["replay", "--repair", "a:b", "--source", "visits"], obj=console)
    assert ran.exit_code == 2
