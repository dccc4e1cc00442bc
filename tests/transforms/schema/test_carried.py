"""A stream's file imports nothing that its functions lack."""

from pathlib import Path

import pytest

from tests.shop import SHOP
from transforms.schema.carried import carried_findings


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


def test_the_shop_imports_what_the_functions_carry() -> None:
    assert list(carried_findings(SHOP.folders.streams)) == []
