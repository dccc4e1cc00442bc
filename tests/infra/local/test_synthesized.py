"""The assembly of a project's local cloud."""

import subprocess
import sys
from pathlib import Path

from infra.local.deploy.synthesized import _hash
from infra.project.loading import load
from tests.infra.project.rides import write

WITHOUT_THE_CDK = """
import sys
from pathlib import Path
sys.modules["aws_cdk"] = None
from infra.command.mounts import PartMissingError
from infra.local.deploy.synthesized import assembly_of
from infra.local.paths import LocalPaths
from infra.project.loading import load
try:
    assembly_of(load(Path(sys.argv[1])), LocalPaths.of(Path(sys.argv[1])), lambda _: None)
except PartMissingError as error:
    print(error)
"""


def test_without_the_cdk_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_THE_CDK, str(write(tmp_path))]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False, timeout=60
    )
    assert "pip install 'penstock[infra]'" in done.stdout, done.stderr


def test_a_reference_table_that_is_declared_needs_other_templates_and_its_rows_do_not(tmp_path: Path) -> None:
    project = load(write(tmp_path))
    project.folders.reference.mkdir(exist_ok=True)
    before = _hash(project)
    (project.folders.reference / "towns.csv").write_text("town\n")
    assert _hash(project) == before
    (project.folders.reference / "towns.toml").write_text('title = "Towns"\n')
    assert _hash(project) != before
