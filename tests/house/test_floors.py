"""The import rules of `setup.cfg`, each shown to refuse an import that breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = (
    "penstock",
    "producers",
    "transforms",
    "queries.handler",
    "queries.service",
    "queries.commands.cli",
    "queries.analysts.frames",
    "dashboards.render",
    "dashboards.model",
    "dashboards.emit",
    "dashboards.declaration",
    "infra",
)
"""What the rules name, empty: an import is added to it."""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for module in MODULES:
        folder = tmp_path
        for part in module.split("."):
            folder /= part
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def _lint(house: Path) -> str:
    program = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [program, "--no-cache"], cwd=house, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    return "".join(line for line in ran.stdout.splitlines(keepends=True) if line.rstrip().endswith("BROKEN"))


def test_packages_without_imports_break_no_rule(house: Path) -> None:
    assert _lint(house) == ""


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("producers", "import transforms", "Data rises, imports fall"),
        ("transforms", "from queries import handler", "Data rises, imports fall"),
        ("queries.handler", "def late():\n    import infra", "Data rises, imports fall"),
        ("dashboards.render", "import dashboards.model", "The preview reads the emitted definition"),
        ("queries.service", "import queries.analysts.frames", "What analysts need"),
        ("dashboards.model", "import pandas", "What analysts need"),
    ],
)
def test_an_import_that_breaks_a_rule_is_refused(house: Path, module: str, line: str, rule: str) -> None:
    (house / module.replace(".", "/") / "__init__.py").write_text(f"{line}\n", encoding="utf-8")
    broken = _lint(house)
    assert broken.startswith(rule)
    assert broken.count("\n") == 1
