"""Names of modules below `penstock`: imports, names in texts, and what has no such form."""

import ast
from pathlib import Path

import pytest

from infra.wheel.placing import PACKAGES, PlacingError, place_names, place_source
from infra.wheel.staging import stage
from tests.infra.wheel.conftest import ROOT

MODULES = {"queries", "queries.contracts", "queries.handler", "infra.local", "infra.local.server"}


@pytest.mark.parametrize(
    ("written", "placed"),
    [
        ("from queries import contracts\n", "from penstock.queries import contracts\n"),
        ("from queries.contracts import Report\n", "from penstock.queries.contracts import Report\n"),
        (
            "if x:\n    from queries.contracts import Report as R\n",
            "if x:\n    from penstock.queries.contracts import Report as R\n",
        ),
        (
            "from queries.contracts import (\n    A,\n    B,\n)\n",
            "from penstock.queries.contracts import (\n    A,\n    B,\n)\n",
        ),
        ('run("-m", "infra.local.server")\n', 'run("-m", "penstock.infra.local.server")\n'),
        ('h = "queries.handler.lambda_handler"\n', 'h = "penstock.queries.handler.lambda_handler"\n'),
        ('files("queries").joinpath("sql")\n', 'files("penstock.queries").joinpath("sql")\n'),
        ('text = "from queries to reports"\n', 'text = "from queries to reports"\n'),
        ("queries = []\nqueries.append(1)\n", "queries = []\nqueries.append(1)\n"),
        ('path = "queries/contracts.py"\n', 'path = "queries/contracts.py"\n'),
        ('other = "their.queries.contracts"\n', 'other = "their.queries.contracts"\n'),
        ("from . import queries\n", "from . import queries\n"),
    ],
)
def test_a_source_names_our_modules_below_penstock_and_nothing_else_changes(
    written: str, placed: str
) -> None:
    assert place_source(written, "a.py", MODULES) == placed


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("import os\nimport queries.contracts\n", "a.py:2: `import queries.contracts` binds a name"),
        ("import queries.contracts as c\n", "Write: from queries import contracts"),
        ("import queries\n", "Write: from queries import ..."),
        ("queries = load()\nqueries.handler.start()\n", "a.py:2: `queries` is a variable"),
    ],
)
def test_what_has_no_form_below_penstock_is_refused_with_its_line(written: str, remedy: str) -> None:
    with pytest.raises(PlacingError) as refused:
        place_source(written, "a.py", MODULES)
    assert remedy in str(refused.value)


def test_names_in_templates_are_those_of_the_handlers() -> None:
    assert place_names('"Handler": "queries.handler.lambda_handler"', MODULES) == (
        '"Handler": "penstock.queries.handler.lambda_handler"'
    )


def test_every_source_keeps_its_lines_and_imports_nothing_from_the_old_places(tmp_path: Path) -> None:
    stage(ROOT, tmp_path)
    seen = 0
    for file in (tmp_path / "penstock").rglob("*.py"):
        relative = file.relative_to(tmp_path / "penstock")
        original = ROOT / relative if (ROOT / relative).is_file() else ROOT / "penstock" / relative
        text = file.read_text()
        assert text.count("\n") == original.read_text().count("\n")
        imported = [
            node.module
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ImportFrom) and not node.level
        ]
        assert [name for name in imported if (name or "").partition(".")[0] in PACKAGES] == []
        seen += 1
    assert seen > 300
