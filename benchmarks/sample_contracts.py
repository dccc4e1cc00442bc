"""Contracts inferred from sample files, beside those that were written down before anything inferred them.

    python -m benchmarks.sample_contracts

Fetches the packages that the expectations name, by pip and without what they depend on, into
`.local/samples`, once. Prints how many fields are as expected, and how many rows of its own sample each
contract refuses. Exit code 1 below nine fields of ten, or where a row is refused.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from infra.project.adding.adding import prepare
from tests.producers.inference.expectations import Expected, expected_files, score
from tests.producers.inference.generated import FILES

PLACE = Path(".local/samples")
WANTED = 0.9


def main() -> int:
    """Score every file; the exit code."""
    PLACE.mkdir(parents=True, exist_ok=True)
    files = list(expected_files())
    _fetch({each.package for each in files if each.package})
    right = fields = refused = 0
    for expected in files:
        path = _path(expected)
        found = score(expected, path)
        right, fields = right + found.right, fields + found.all
        rows = ""
        if not expected.refused:
            trial = prepare(expected.name, str(path)).trial
            refused += trial.failures
            rows = f"{trial.events:,} rows are events, {trial.failures:,} are refused"
        print(f"{expected.name:<22} {found.right:>3} of {found.all:<3} {rows}", flush=True)
        for wrong in found.wrong:
            print(f"    {wrong}")
    share = right / fields
    print(
        f"{right} of {fields} fields are as expected ({share:.1%}); {refused:,} rows of samples are refused"
    )
    return int(share < WANTED or refused > 0)


def _fetch(packages: Iterable[str]) -> None:
    """Unpack each package, of its version, into a folder called like both."""
    for package in sorted(packages):
        folder = PLACE / package
        if folder.is_dir():
            continue
        with tempfile.TemporaryDirectory(dir=PLACE) as scratch:
            content = f"{scratch}/content"
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
            subprocess.run([*command, "--target", content, package], check=True)
            Path(content).rename(folder)


def _path(expected: Expected) -> Path:
    if not expected.package:
        return FILES[expected.name](PLACE)
    path = PLACE / expected.package / expected.path
    if path.suffix != ".zip":
        return path
    with zipfile.ZipFile(path) as content:
        content.extractall(path.parent)
    return path.with_suffix("")


if __name__ == "__main__":
    sys.exit(main())
