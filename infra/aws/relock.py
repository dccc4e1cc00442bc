"""Writes the functions' locked libraries anew, in the versions that are installed here: `python -m
infra.aws.relock`.

A lock names every library with its version and the hash of the one wheel that Lambda's Python and processor
get. The SDK (boto3, botocore) is left to the runtime, which has it.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from infra.stacks.artefact_zips import PLATFORMS, PYTHON_VERSION
from infra.stacks.artefacts import ARTEFACTS

_COMMON = ("msgspec", "aws-lambda-powertools", "aws-xray-sdk", "wrapt")
LIBRARIES = {
    "transform": _COMMON,
    "refresh": (*_COMMON, "jmespath", "typing_extensions"),
    "collector": ("msgspec",),
    "keys": (*_COMMON, "jmespath", "typing_extensions"),
    "hooks": ("msgspec", "duckdb", "pyarrow"),
    "jobs": (*_COMMON, "jmespath", "typing_extensions", "tzdata"),
    "importer": ("msgspec", "duckdb", "pyarrow", "tzdata"),
    "updates": (*_COMMON, "jmespath", "typing_extensions", "tzdata"),
    "api": (*_COMMON, "jmespath", "typing_extensions", "tzdata"),
    "reader": (*_COMMON, "jmespath", "typing_extensions", "tzdata", "duckdb"),
    "extract": (*_COMMON, "jmespath", "typing_extensions", "tzdata", "duckdb", "iso4217"),
    "site": (*_COMMON, "jmespath", "typing_extensions", "tzdata", "duckdb", "iso4217"),
    "query": (*_COMMON, "jmespath", "typing_extensions", "PyAthena", "fsspec", "tenacity", "tzdata"),
}
"""What is imported, with what that needs in turn. msgspec imports `typing_extensions` where it finds it."""

HEADER = "# Written by `python -m infra.aws.relock`. Wheels for Lambda's Python on arm64.\n"


def lock(libraries: Sequence[str]) -> str:
    """The lock's text. Raises PackageNotFoundError for what is not installed, CalledProcessError when pip
    fails.
    """
    wanted = [f"{library}=={version(library)}" for library in libraries]
    platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
    command = [
        *(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--report",
            "-",
        ),
        *("--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", PYTHON_VERSION, "--target", "unused", *platforms, *wanted),
    ]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    lines = [
        f"{each['metadata']['name']}=={each['metadata']['version']}"
        f" --hash=sha256:{each['download_info']['archive_info']['hashes']['sha256']}\n"
        for each in report["install"]
    ]
    return HEADER + "".join(sorted(lines, key=str.lower))


def main() -> None:
    """Write every lock."""
    for name, artefact in ARTEFACTS.items():
        path = Path(__file__).parents[1] / "locked" / artefact.lock
        path.write_text(lock(LIBRARIES[name]), encoding="utf-8")
        sys.stderr.write(f"written {path.name}\n")


if __name__ == "__main__":
    main()
