"""The tutorial's part on a project of one's own, run as it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

from infra.local import processes

ROOT = Path(__file__).parents[2]
HEADING = "## A project of your own\n"
_BLOCK = re.compile(r"(?:Write `(?P<file>[\w./]+)`:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def _blocks() -> list[tuple[str | None, str, str]]:
    """(file to write, kind, text) of every block of the part, in order; a block below `name`: is that file."""
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    part = text[text.index(HEADING) + len(HEADING) :].split("\n## ")[0]
    return [(found["file"], found["kind"], found["text"]) for found in _BLOCK.finditer(part)]


def test_every_command_of_the_part_on_projects_works(tmp_path: Path) -> None:
    port, server_port = processes.free_ports(2)
    script = ["set -eu"]
    for file, kind, text in _blocks():
        if file is not None:
            script.append(f"cat > {file} <<'END'\n{text}END")
        else:
            assert kind == "console"
            script += [line.removeprefix("$ ") for line in text.splitlines()]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "penstock").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m penstock "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PENSTOCK_LOCAL_PORT": str(port),
        "PENSTOCK_LOCAL_SERVER_PORT": str(server_port),
    }
    try:
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    finally:
        if (tmp_path / "helpdesk").is_dir():
            subprocess.run(
                [programs / "penstock", "local", "down"],
                cwd=tmp_path / "helpdesk",
                env=environ,
                capture_output=True,
                check=False,
            )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert "balanced: 2,000 produced" in done.stdout
