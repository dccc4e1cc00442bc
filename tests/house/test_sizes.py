"""No file is so long that its description needs an "and"."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 350
KINDS = (".py", ".js", ".css", ".html", ".sql", ".toml", ".cfg")
"""What people write and read as code; documents are as long as their subject."""
GENERATED = ("docs/events.html", "infra/assembly/", "infra/locked/", "tests/golden/")


def test_no_file_has_more_than_350_lines_but_for_generated_and_golden_ones() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = {
        name: (ROOT / name).read_bytes().count(b"\n")
        for name in listed.stdout.splitlines()
        if name.endswith(KINDS) and not name.startswith(GENERATED) and (ROOT / name).is_file()
    }
    assert len(lines) > 500
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
