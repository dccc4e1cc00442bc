"""docs/tutorial.md: every command runs, every file is written, and what stands below a command is in its output."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import cloud, processes
from infra.local.paths import LocalPaths

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
NEXT_PART = "\n## A project of your own\n"
"""It has a test of its own, `test_tutorial_project.py`."""
BLOCK = re.compile(
    r"(?:^Write `(?P<file>[^`]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
DONE = ("git clone", "cd penstock", "export PATH", "make setup")
"""What the test has done already, or does through the environment."""


def steps() -> Iterator[tuple[str, str, list[str]]]:
    """("write", path, [content]) and ("run", command, words of its output), in the page's order."""
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8").partition(NEXT_PART)[0]):
        if block["kind"] != "console":
            assert block["file"], f"A block of {block['kind']} says no file: {block['text'][:60]}"
            yield "write", block["file"], [block["text"]]
            continue
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, *expected = part.strip().splitlines()
            yield "run", command, expected


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """The tracked files of this checkout in a folder of their own, with this environment's programs."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(("tests/", "benchmarks/", "docs/images/")) and (ROOT / name).is_file():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv").symlink_to(sys.prefix)
    yield tmp_path
    cloud.down(LocalPaths.of(tmp_path), lambda _: None)


def test_the_tutorial_ends_with_a_report_of_ones_own_on_a_dashboard(clone: Path) -> None:
    ports = processes.free_ports(2)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))},
        "PENSTOCK_LOCAL_PORT": str(ports[0]),
        "PENSTOCK_LOCAL_SERVER_PORT": str(ports[1]),
        "PYTHONPATH": str(clone),
    }
    ran = []
    for kind, what, more in steps():
        if kind == "write":
            (clone / what).write_text(more[0], encoding="utf-8")
            continue
        if what.startswith(DONE):
            continue
        # As if the programs lay in the clone; nothing is installed again.
        name, *rest = shlex.split(what)
        command = {
            "penstock": [sys.executable, "-m", "infra.command.cli", *rest],
            "make": ["make", "--old-file=.venv/.dev", "--old-file=.venv/.local", *rest],
        }[name]
        done = subprocess.run(
            command, cwd=clone, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{what}\n{said}"
        assert [line for line in more if line not in said] == [], f"{what}\n{said}"
        ran.append(what)
    assert len(ran) > 12
    page = (clone / "speed.html").read_text(encoding="utf-8")
    assert "Slowest pages" in page
