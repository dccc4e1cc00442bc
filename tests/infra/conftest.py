"""One synth for all tests of this folder, in a process that finds no Node but PyPI's."""

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_PROGRAM = """
import sys
from pathlib import Path
from infra.stacks.artefact_folder import source_folder
from infra.stacks.artefact_zips import asset_hash
from infra.stacks.artefacts import ARTEFACTS
from infra.aws.synth import synthesize
from infra.project.loading import SHOP, load
shop = load(SHOP)
print(asset_hash(ARTEFACTS["transform"], shop.folders))
synthesize(shop, shop.default, Path(sys.argv[1]), source_folder)
"""


@dataclass(frozen=True)
class Synth:
    """A synth that was run.

    Attributes:
        folder: where it wrote.
        said: what it printed after the first line, which is `transform_hash`.
        cpu_seconds: of all its processes; on two cores the wall clock shows less.
    """

    folder: Path
    said: str
    transform_hash: str
    cpu_seconds: float


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """The default deployment, synthesized."""
    folder = tmp_path_factory.mktemp("synth") / "assembly"
    environment = {**os.environ, "PATH": "/nowhere"}
    environment.pop("JSII_NODE", None)
    before = _children_seconds()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder)],
        env=environment, cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    transform_hash, _, said = done.stdout.partition("\n")
    return Synth(folder, said + done.stderr, transform_hash, _children_seconds() - before)
