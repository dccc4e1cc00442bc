"""Boundaries that follow folders: what decides is pure, and a zip holds what its handler can reach.

The floors themselves are import-linter's (`test_floors.py`). Each rule here is shown to fail by a seeded violation.
"""

from pathlib import Path

import pytest

from infra.stacks.artefact_zips import asset_hash, source_files
from infra.stacks.artefacts import ARTEFACTS, Artefact
from tests.house.imports import cycle, impurities, modules, reachable
from tests.shop import SHOP

ROOT = Path(__file__).parents[2]
PURE = (
    "producers.collector.collector",
    "producers.collector.draining",
    "producers.collector.messages",
    "producers.contracts",
    "producers.hooks.mapping",
    "producers.hooks.putting",
    "producers.hooks.worker",
    "producers.importing.excerpt",
    "producers.inference.event_time",
    "producers.inference.fields",
    "producers.inference.forms",
    "producers.inference.model",
    "producers.inference.names",
    "producers.inference.personal",
    "producers.inference.saying",
    "producers.packing",
    "producers.simulation",
    "producers.sending.batching",
    "producers.sending.envelopes",
    "producers.sending.retry",
    "transforms.contracts",
    "transforms.gate",
    "transforms.function.batch",
    "transforms.function.marshal",
    "queries.contracts",
    "queries.hours",
    "queries.partitions",
    "queries.ledger.restoring",
    "queries.ledger.rules",
    "queries.ledger.state",
    "queries.api.bodies",
    "queries.api.callers",
    "queries.api.presenting",
    "queries.jobs.asking",
    "queries.jobs.import_plan",
    "queries.jobs.imports",
    "queries.jobs.machine",
    "queries.jobs.rules",
    "queries.jobs.running",
    "queries.jobs.scheduled",
    "queries.jobs.state",
    "queries.jobs.steps",
    "queries.lake.notifications",
    "queries.receipts.address",
    "queries.receipts.cell",
    "queries.receipts.cells",
    "queries.receipts.comparing",
    "queries.receipts.composing",
    "queries.receipts.explaining",
    "queries.receipts.html",
    "queries.receipts.page",
    "queries.receipts.statements",
    "queries.receipts.text",
    "queries.receipts.tracing",
    "queries.receipts.versions",
    "queries.store.checks",
    "queries.updates.job_answer",
    "queries.updates.messages",
    "queries.updates.publishing",
    "queries.updates.report_answer",
    "queries.updates.rules",
    "queries.updates.watching.documents",
    "queries.updates.watching.protocol",
    "queries.updates.watching.watching",
    "queries.refresh",
    "dashboards.emit",
    "dashboards.expressions",
    "dashboards.model",
    "dashboards.reading",
    "dashboards.render",
)
"""Packages and modules that decide: no AWS library, clock, environment or chance, not through others either."""

EXCEPTIONS: dict[str, str] = {}
"""Module to the reason why it may be impure all the same."""


def test_what_decides_imports_no_aws_library_and_reads_no_clock_environment_or_chance() -> None:
    assert impurities(modules(ROOT), PURE, EXCEPTIONS) == []


def test_every_exception_and_every_pure_folder_exists() -> None:
    known = modules(ROOT)
    assert [name for name in (*PURE, *EXCEPTIONS) if name not in known] == []


@pytest.mark.parametrize(
    "line",
    [
        "import boto3",
        "from time import monotonic",
        "import os\nFOLDER = os.environ['HOME']",
        "import datetime",
    ],
)
def test_an_impure_line_is_found_through_what_is_imported(tmp_path: Path, line: str) -> None:
    _write(tmp_path, "transforms/gate/gate.py", "from producers.contracts import web\n")
    _write(tmp_path, "producers/contracts/web.py", f"{line}\nNOW = lambda: datetime.datetime.now()\n")
    found = impurities(modules(tmp_path), ("transforms.gate",), {})
    assert len(found) == 1
    assert found[0].startswith("producers/contracts/web.py:")
    assert found[0].endswith("(imported by transforms.gate.gate)")
    assert impurities(modules(tmp_path), ("transforms.gate",), {"producers.contracts.web": "why"}) == []


def test_no_module_imports_itself_through_others() -> None:
    assert cycle(modules(ROOT)) == []


def test_a_circle_of_imports_is_found_inside_functions_too(tmp_path: Path) -> None:
    _write(tmp_path, "queries/a.py", "from queries import b\n")
    _write(tmp_path, "queries/b.py", "def late():\n    import queries.c\n")
    _write(tmp_path, "queries/c.py", "from typing import TYPE_CHECKING\n")
    assert cycle(modules(tmp_path)) == []
    _write(tmp_path, "queries/c.py", "from queries.a import x\n")
    found = cycle(modules(tmp_path))
    assert found[0] == found[-1]
    assert set(found) == {"queries.a", "queries.b", "queries.c"}


@pytest.mark.parametrize("artefact", ARTEFACTS.values(), ids=lambda artefact: artefact.name)
def test_every_file_of_a_zip_is_reachable_from_its_handler_and_nothing_else_is(artefact: Artefact) -> None:
    known = modules(ROOT)
    reached = reachable(known, artefact.handler.rpartition(".")[0])
    if (
        "producers.contracts" in reached
    ):  # a project's contracts, which the zip carries too, import the facade
        reached |= reachable(known, "penstock.contracts")
    wanted = {known[name].path.as_posix() for name in reached}
    ours = {path for path in source_files(artefact, SHOP.folders) if not path.startswith("project/")}
    assert {path for path in ours if path.endswith(".py")} == wanted


@pytest.mark.parametrize("package", ["producers", "transforms", "queries", "dashboards"])
def test_a_changed_file_of_a_command_changes_no_functions_hash(tmp_path: Path, package: str) -> None:
    for artefact in ARTEFACTS.values():
        for file, content in source_files(artefact, SHOP.folders).items():
            _write(tmp_path, file, content.decode())
    before = _hashes(tmp_path)
    for file in (f"{package}/commands/cli.py", f"{package}/cli.py", f"{package}/__main__.py"):
        _write(tmp_path, file, "print('another command')\n")
    assert _hashes(tmp_path) == before
    _write(tmp_path, "queries/refresh/new.py", "")
    assert _hashes(tmp_path)["query"] != before["query"]


def _hashes(root: Path) -> dict[str, str]:
    return {name: asset_hash(artefact, SHOP.folders, root) for name, artefact in ARTEFACTS.items()}


def _write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in file.relative_to(root).parents:
        if folder.name and not (root / folder / "__init__.py").exists():
            (root / folder / "__init__.py").write_text("")
    file.write_text(text, encoding="utf-8")
