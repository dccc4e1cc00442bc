"""Every function is imported from what Lambda gives it: its zip, its locked libraries, the runtime's SDK."""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from infra.stacks.artefact_zips import locked_requirements, source_files
from infra.stacks.artefacts import ARTEFACTS, HOOKS, SITE, TRANSFORM, Artefact
from tests.shop import SHOP

SDK = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
ENVIRON = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "LAMBDA_TASK_ROOT": "/var/task",
    "PENSTOCK_PSEUDONYM_KEYS": f"k1:{'ab' * 32}",
    "PENSTOCK_STREAM": "web",
    "PENSTOCK_TRACING": "true",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
}


def _link(library: str, folder: Path) -> None:
    """The library as it is installed here, alone in a folder of the search path."""
    found = distribution(library)
    files = [file for file in found.files or () if file.suffix in (".py", ".so") or file.name == "METADATA"]
    for top in {file.parts[0] for file in files} - {".."}:
        (folder / top).symlink_to(Path(str(found.locate_file(top))))


def _in_lambda(artefact: Artefact, folder: Path, code: str, runtime: tuple[str, ...] = ()) -> str:
    function, beside = folder / "function", folder / "runtime"
    for name, content in source_files(artefact, SHOP.folders).items():
        path = function / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for library in re.findall(r"^([\w.-]+)==", locked_requirements(artefact), re.MULTILINE):
        _link(library, function)
    beside.mkdir()
    for library in runtime:
        _link(library, beside)
    search = os.pathsep.join(map(str, (function, beside)))
    # -S: nothing else that is installed here is seen.
    return subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-c", code],
        env={**ENVIRON, "PYTHONPATH": search},
        cwd=function,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("artefact", ARTEFACTS.values(), ids=list(ARTEFACTS))
def test_a_function_needs_no_library_beside_its_locked_ones_and_the_sdk(
    artefact: Artefact, tmp_path: Path
) -> None:
    module, _, name = artefact.handler.rpartition(".")
    assert _in_lambda(artefact, tmp_path, f"from {module} import {name}; print({name}.__name__)", SDK)


def test_the_transformation_answers_traced_and_needs_not_even_the_sdk(tmp_path: Path) -> None:
    code = (
        "from transforms.handler import lambda_handler\n"
        "print(lambda_handler({'invocationId': 'i', 'records': []}, None))"
    )
    assert _in_lambda(TRANSFORM, tmp_path, code).splitlines()[-1] == "{'records': []}"


def test_the_webhooks_worker_maps_a_delivery_with_what_its_zip_has(tmp_path: Path) -> None:
    code = """
from producers.contracts import load_streams
from producers.hooks.handler import PROJECT
from producers.hooks.mapping import Row, SourceMapping
from producers.sources.definition import read_sources
source = read_sources(PROJECT / "sources")["stripe"]
mapping = SourceMapping(source, source.contract(load_streams(PROJECT / "streams")))
print([each.is_failed for each in mapping.mapped([Row({}, "evt_1", "", 1764500000000)]) if each])
"""
    # A delivery without members has no type: WHERE leaves it out, once DuckDB has planned and run the SQL.
    assert _in_lambda(HOOKS, tmp_path, code, SDK).splitlines()[-1] == "[]"


def test_the_site_finds_out_why_records_failed_with_what_its_zip_has(tmp_path: Path) -> None:
    code = """
from infra.site.function.failed import reviewer
from transforms.failed.error_objects import FailedRecord
record = FailedRecord("failed/processing-failed/dt=2026-11-24/a", 1, "processing-failed", "", "", 0, 1, b"x")
print([each.outcome.reason for each in reviewer().events(record, record.raw)])
"""
    assert _in_lambda(SITE, tmp_path, code, SDK).splitlines()[-1] == "['not_json']"
