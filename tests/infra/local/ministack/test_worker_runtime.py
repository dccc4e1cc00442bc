"""What a function's process is before its handler is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.ministack import worker_runtime

_SCRIPT = """
import sys
from infra.local.ministack import worker_runtime
worker_runtime.install()
sys.path.insert(0, sys.argv[1])
from infra import carried
import awslambdaric.lambda_runtime_client as client
print(carried.__file__, client.LambdaRuntimeClient.marshaller is not None)
"""


def test_a_handler_finds_a_package_of_our_name_in_its_own_zip(tmp_path: Path) -> None:
    package = tmp_path / "infra"
    package.mkdir()
    for name in ("__init__.py", "carried.py"):
        (package / name).touch()
    root = Path(worker_runtime.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [str(package / "carried.py"), "True"], done.stderr


@pytest.mark.parametrize(("variable", "steps"), [("QUERIES_LEDGER_TABLE", 5), ("QUERIES_ANOTHER", 0)])
def test_the_function_that_makes_reports_lets_others_go_first(variable: str, steps: int) -> None:
    script = (
        "import os; from infra.local.ministack import worker_runtime as it; it.install(); print(os.nice(0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(worker_runtime.__file__).parents[3],
        env={**os.environ, variable: "a"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == os.nice(0) + steps
