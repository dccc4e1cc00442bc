"""A stream's file imports nothing that its functions lack."""

from pathlib import Path

import pytest

from tests.shop import SHOP
from transforms.schema.carried import carried_findings, undeployed_findings


@pytest.mark.parametrize(
    "line",
    [
        "from datetime import timedelta",
        "from penstock.contracts import Stream",
        "from penstock import contracts",
        "from producers.contracts.fields import Count",
        "import msgspec",
        "from ._units import Metres",
    ],
)
def test_what_the_functions_carry_may_be_imported(tmp_path: Path, line: str) -> None:
    (tmp_path / "rides.py").write_text(f"{line}\n")
    assert list(carried_findings(tmp_path)) == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import pandas", "pandas"),
        ("from penstock import Producer", "penstock.Producer"),
        ("from producers import Producer", "producers"),
        ("import stations", "stations"),
        ("def f():\n    import boto3", "boto3"),
    ],
)
def test_what_they_lack_is_a_finding_with_file_and_line(tmp_path: Path, line: str, name: str) -> None:
    (tmp_path / "rides.py").write_text(f"{line}\n")
    (finding,) = carried_findings(tmp_path)
    assert finding.startswith(f"rides.py:{line.count(chr(10)) + 1}: imports {name}, ")


SIMULATOR = "from penstock.simulation import Happening\n"


def test_a_simulators_file_may_import_the_simulation_as_long_as_no_stream_imports_it(tmp_path: Path) -> None:
    (tmp_path / "_traffic.py").write_text(SIMULATOR)
    (tmp_path / "rides.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._traffic import scans\n"
    )
    assert list(carried_findings(tmp_path)) == []


@pytest.mark.parametrize(
    "files",
    [
        {"rides.py": "from ._traffic import scans\n"},
        {"rides.py": "from . import _traffic\n"},
        {"rides.py": "from ._shared import Metres\n", "_shared.py": "from ._traffic import scans\n"},
    ],
)
def test_a_stream_that_imports_its_simulators_file_would_fail_in_its_function(
    tmp_path: Path, files: dict[str, str]
) -> None:
    for name, text in {**files, "_traffic.py": SIMULATOR}.items():
        (tmp_path / name).write_text(text)
    (finding,) = carried_findings(tmp_path)
    assert finding.startswith("_traffic.py:1: imports penstock.simulation, ")
    assert "traffic=" in finding


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("rides.py", "STREAM = Stream(name='a')\nOTHER = Stream(name='b')\n", 2),
        ("rides.py", "STREAM = Stream(name='a')\nSTREAM: Stream = contracts.Stream(name='b')\n", 1),
        ("_rides.py", "STREAM = Stream(name='a')\n", 1),
        ("bikes/rides.py", "\nSTREAM = Stream(name='a')\n", 2),
    ],
)
def test_a_stream_that_nothing_would_deploy_is_a_finding(
    tmp_path: Path, name: str, text: str, line: int
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    (finding,) = undeployed_findings(tmp_path)
    assert finding.startswith(f"{name}:{line}: declares a stream that would not be deployed. ")


def test_what_is_declared_as_it_must_be_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "rides.py").write_text("STREAM = Stream(name='a')\n")
    for folder in (tmp_path, SHOP.folders.streams):
        assert list(undeployed_findings(folder)) == []


def test_the_shop_imports_what_the_functions_carry() -> None:
    assert list(carried_findings(SHOP.folders.streams)) == []
