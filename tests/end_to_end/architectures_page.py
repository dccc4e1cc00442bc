"""docs/architectures.md as a terminal has it: its commands, and the words that stand below each."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architectures.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COLLECTOR, SITE = "http://127.0.0.1:4810", "http://127.0.0.1:5010"
"""As the page has them; a test's cloud has others."""


@dataclass(frozen=True)
class Documented:
    """A command of the page, the architecture that it is below, and what it prints at least."""

    architecture: int
    command: str
    expected: tuple[str, ...]


def commands() -> Iterator[Documented]:
    """The commands in the page's order."""
    for section in re.split(r"^## (?=\d)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        for block in BLOCK.findall(section):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *expected = part.strip().splitlines()
                yield Documented(int(section[0]), command, tuple(expected))


def ran(
    documented: list[Documented], directory: Path, environment: Mapping[str, str], places: Mapping[str, str]
) -> str:
    """What the commands print in one shell, one after the other; `places` are put for those of the page.

    Fails when one of them fails.
    """
    programs = directory / "programs"
    programs.mkdir(exist_ok=True)
    penstock = programs / "penstock"
    penstock.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m infra.command.cli "$@"\n')
    penstock.chmod(0o755)
    script = "\n".join(each.command for each in documented)
    for shown_place, place in places.items():
        script = script.replace(shown_place, place.rstrip("/"))
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=directory,
        env={**environment, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{script}\n{said}"
    return said


def missing(documented: list[Documented], said: str) -> list[str]:
    """Lines of the page that are not in the output; `...` stands for anything."""
    wanted = [line for each in documented for line in each.expected]
    patterns = {line: re.escape(line).replace(re.escape("..."), ".+") for line in wanted}
    return [line for line, pattern in patterns.items() if not re.search(pattern, said)]


def shown(
    documented: list[Documented], directory: Path, environment: Mapping[str, str], places: Mapping[str, str]
) -> None:
    """Run the commands, again while something is still on its way; fail when it does not come."""
    deadline = time.monotonic() + 120
    while lacking := missing(documented, said := ran(documented, directory, environment, places)):
        assert time.monotonic() < deadline, f"{lacking}\n{said}"
