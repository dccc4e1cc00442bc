"""Contracts keep what they promised, and what is declared can be deployed. Run with: pytest"""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.mark.parametrize("verbs", ["contracts check", "reports lint", "dashboards lint"])
def test_the_project_is_sound(verbs: str) -> None:
    command = [sys.executable, "-m", "penstock", *verbs.split()]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
