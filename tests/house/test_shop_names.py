"""No name of the example shop outside its own folders: the engine knows no domain."""

import re
import subprocess
from pathlib import Path

from tests.shop import CATALOG, STREAMS, TABLES

ROOT = Path(__file__).parents[2]
OWN = (
    "producers/contracts/shop/",
    "producers/simulation/web_traffic.py",
    "producers/sources/shop/",
    "queries/sql/",
    "queries/questions/",
    "dashboards/definitions/",
    "infra/assembly/",
    "infra/project/shop.toml",
)
"""Where the shop is declared, and what is synthesized from it."""
ELSEWHERE = ("docs/", "tests/", "benchmarks/", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile")


def _names() -> set[str]:
    types = {each.payload for stream in STREAMS.values() for each in stream.event_types}
    kinds = {each.name for stream in STREAMS.values() for each in stream.event_types}
    return {*TABLES, *CATALOG, *kinds, *(payload.__name__ for payload in types)} - {"heartbeat", "Heartbeat"}


def _found() -> dict[str, list[str]]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    pattern = re.compile(rf"\b({'|'.join(sorted(_names()))})\b")
    found: dict[str, list[str]] = {}
    for name in listed.stdout.splitlines():
        if name.startswith((*OWN, *ELSEWHERE)) or not name.endswith(
            (".py", ".sql", ".toml", ".cfg", ".html")
        ):
            continue
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1):
            if pattern.search(line):
                found.setdefault(name, []).append(f"{number}: {line.strip()}")
    return found


def test_the_shop_is_named_in_its_own_folders_only() -> None:
    assert _found() == {}
