"""`make upgrade`: today's code over what an earlier version deployed and filled, on one machine.

Each version is taken from git, installed into an environment of its own, and driven through its own command
line. Today's takes over the same folder. Every report must have the rows that it had, the books must balance,
and what is produced afterwards must be reported too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.processes import free_ports

VERSIONS = ("1914c85", "79c7181", "4aa442e")
REPORTS = (
    "traffic_by_hour", "top_pages_by_day", "orders_by_hour", "funnel_by_day", "sessions_by_day",
    "health_by_hour",
)  # fmt: skip
_REPOSITORY = Path(__file__).parents[1]
_SECONDS = 900


@dataclass(frozen=True)
class Command:
    """The `penstock` of one version, in one working directory."""

    program: Path
    directory: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        """Its stdout. Raises SystemExit with what it said when it fails."""
        ran = subprocess.run(
            [self.program, *arguments], cwd=self.directory, env=self.environment,
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        if ran.returncode:
            sys.exit(f"{self.program} {' '.join(arguments)}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query, in an order of their own."""
        answered = json.loads(self("query", sql, "--json"))
        rows: list[dict[str, Any]] = answered["rows"] if isinstance(answered, dict) else answered
        return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def main() -> None:
    """Upgrade from each version, and say what was compared. Exits with 1 when anything is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--environments", type=Path, default=_REPOSITORY / ".cache" / "upgrade")
    wanted = parser.parse_args()
    failed = [each for each in wanted.versions if not upgraded(each, wanted.events, wanted.environments)]
    sys.exit(f"not whole after the upgrade from {', '.join(failed)}" if failed else 0)


def upgraded(version: str, events: int, environments: Path) -> bool:
    """Whether everything is there once today's code has taken over."""
    with tempfile.TemporaryDirectory(prefix="penstock-upgrade-") as scratch:
        directory = Path(scratch)
        port, server_port = free_ports(2)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))},
            "PENSTOCK_LOCAL_PORT": str(port),
            "PENSTOCK_LOCAL_SERVER_PORT": str(server_port),
        }
        old = Command(installed(version, environments), directory, environment)
        new = Command(Path(sys.executable).with_name("penstock"), directory, environment)
        old("demo", "--events", str(events))
        before = state(old)
        old("local", "down")
        try:
            new("local", "up")
            after = state(new)
            lost = [name for name, rows in before.items() if after[name] != rows]
            for name in lost:
                print(f"{version}: {name}\n  before {before[name][:2]}\n  after  {after[name][:2]}")
            balanced = json.loads(new("reconcile", "--json", "--wait", "60"))
            new("demo", "--events", "1000")
            (now,) = new.rows("SELECT count(*) AS n FROM web_events WHERE event_hour > ''")
            (then,) = before["events"]
            grew = int(now["n"]) - int(then["n"])
            print(
                f"{version}: {len(before) - len(lost)} of {len(before)} equal, "
                f"{sum(map(len, before.values()))} rows compared; balanced: {balanced['balanced']}; "
                f"{grew} rows more after another demo"
            )
            return not lost and bool(balanced["balanced"]) and grew > 0
        finally:
            new("local", "down")


def state(command: Command) -> dict[str, list[dict[str, Any]]]:
    """Every row of every report, and how many events the lake holds."""
    found = {name: command.rows(f"SELECT * FROM {name}") for name in REPORTS}
    found["events"] = command.rows("SELECT count(*) AS n FROM web_events WHERE event_hour > ''")
    return found


def installed(version: str, environments: Path) -> Path:
    """The `penstock` of a version, from git, in an environment that is made once and used again."""
    folder = environments.resolve() / version
    program, done = folder / ".venv" / "bin" / "penstock", folder / ".installed"
    if done.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", version], cwd=_REPOSITORY, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], input=archive.stdout, cwd=folder, check=True)
    subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=folder, check=True)
    pip = [str(folder / ".venv" / "bin" / "pip"), "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run(
        [*pip, "--constraint", "constraints.txt", "--editable", ".[local]"], cwd=folder, check=True
    )
    done.touch()
    return program


if __name__ == "__main__":
    main()
