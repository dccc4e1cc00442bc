"""docs/seams.md lists every place that reaches into another package's private code, at the version in use."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("producers", "transforms", "queries", "dashboards", "infra")
DOCUMENTED = frozenset({"os._exit"})
"""Public in spite of the underscore."""
PAGE = (ROOT / "docs" / "seams.md").read_text(encoding="utf-8")


def private_uses(source: str) -> list[str]:
    """Imports of private modules and names of other packages, and private attributes of imported modules."""
    tree, outside, found = ast.parse(source), set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] not in PACKAGES:
            names = [alias.name for alias in node.names]
            outside |= {alias.asname or alias.name for alias in node.names}
            if any(_is_private(part) for part in (*node.module.split("."), *names)):
                found.append(node.module)
        elif isinstance(node, ast.Import):
            outside |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            found += [a.name for a in node.names if any(map(_is_private, a.name.split(".")))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and isinstance(node.value, ast.Name):
            use = f"{node.value.id}.{node.attr}"
            found += [use] if node.value.id in outside and use not in DOCUMENTED else []
    return found


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize(
    "line",
    [
        "from typer._click import X",
        "import a._b",
        "from a import _b",
        "import a\na._b = 1",
        "from a import b\nb._c",
    ],
)
def test_a_private_use_is_found(line: str) -> None:
    assert len(private_uses(line)) == 1


def test_every_file_that_reaches_into_another_package_is_listed() -> None:
    users = {
        file.relative_to(ROOT)
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if private_uses(file.read_text(encoding="utf-8"))
    }
    assert len(users) > 10
    missing = [f"{user}" for user in users if f"`{user}`" not in PAGE and f"`{user.name}`" not in PAGE]
    assert missing == []


def test_versions_are_those_in_use() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    pinned = {name.lower(): version for name, version in pinned.items()}
    named = re.findall(r"\| `([\w-]+)` (\d[\d.]*)", PAGE) + re.findall(r"In (MiniStack) (\d[\d.]*)", PAGE)
    assert len(named) > 7
    assert {name: version for name, version in named if pinned[name.lower()] != version} == {}


def test_every_named_test_and_file_exists() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in re.findall(r"`(test_\w+)`", PAGE) if f"def {name}(" not in tests] == []
    files = re.findall(r"`([\w/]+\.(?:py|cfg|txt))`", PAGE)
    places = (ROOT, ROOT / "infra" / "local" / "ministack")
    assert [name for name in files if not any((place / name).is_file() for place in places)] == []
