"""What is in the wheel, and that it works where the clone is unknown and other people have taken our names."""

import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from infra.wheel.placing import PACKAGES
from tests.infra.wheel.conftest import ROOT, Environment

IMPORT_ALL = """
import importlib, pkgutil, sys
import penstock
left_out = {"__main__"}
names = [found.name for found in pkgutil.walk_packages(penstock.__path__, "penstock.")]
for name in names:
    if name.rpartition(".")[2] not in left_out and not name.endswith(".handler"):
        importlib.import_module(name)
print(len(names))
print(sorted(set(sys.modules) & {"producers", "transforms", "queries", "dashboards", "infra"}))
"""


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_adds_one_top_level_name_and_no_tests(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in _names(wheel) if not name.startswith("penstock-")}
    assert tops == {"penstock"}
    below = {
        name.split("/")[1] for name in _names(wheel) if name.startswith("penstock/") and name.count("/") > 1
    }
    assert below == set(PACKAGES)


def test_the_wheel_holds_every_data_file_that_the_packages_read(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    data = {name for name in tracked.stdout.splitlines() if not name.endswith((".py", ".md", ".gitignore"))}
    assert {f"penstock/{name}" for name in data} - _names(wheel) == set()


def test_the_wheel_alone_asks_for_two_libraries(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    wanted = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split(">")[0].split("<")[0] for line in wanted) == ["boto3", "msgspec"]


def test_every_module_of_the_wheel_imports_where_its_packages_names_belong_to_somebody_else(
    installed: Environment, tmp_path: Path
) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"raise RuntimeError('not {package} of Penstock')\n")
    done = installed.run(["-c", IMPORT_ALL], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    count, ours = done.stdout.splitlines()
    assert int(count) > 300
    assert ours == "[]"


@pytest.mark.parametrize("command", [["-m", "penstock"], ["-m", "penstock.infra.command.cli"]])
def test_the_command_runs_as_a_module(installed: Environment, tmp_path: Path, command: list[str]) -> None:
    done = installed.run([*command, "contracts", "check"], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == "0 findings.\n"


ZIPS = """
import pathlib, zipfile
from penstock.infra.project.loading import SHOP, load
from penstock.infra.stacks.artefact_zips import source_zip
from penstock.infra.stacks.artefacts import ARTEFACTS
for name, artefact in ARTEFACTS.items():
    file = pathlib.Path(f"{name}.zip")
    file.write_bytes(source_zip(artefact, load(SHOP).folders))
    zipfile.ZipFile(file).extractall(name)
    print(name, artefact.handler)
"""

# As Lambda does: the function's folder comes first on the path, libraries after it.
HANDLER = """
import importlib, sys
folder, module = sys.argv[1:]
sys.path.insert(0, folder)
loaded = importlib.import_module(module)
places = [getattr(found, "__file__", None) or "" for name, found in sys.modules.items() if name.split(".")[0] == "penstock"]
print([place for place in places if not place.startswith(folder)])
if module.startswith("penstock.transforms"):
    print(*loaded.load_streams(loaded.STREAMS))
"""


def test_a_zip_from_the_wheel_holds_what_its_handler_imports_and_the_streams(
    installed: Environment, tmp_path: Path
) -> None:
    done = installed.run(["-c", ZIPS], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    handlers = dict(line.split() for line in done.stdout.splitlines())
    assert handlers["transform"] == "penstock.transforms.handler.lambda_handler"
    for name, handler in handlers.items():
        assert [folder.name for folder in (tmp_path / name).iterdir()] == ["penstock"]
        ran = installed.run(["-c", HANDLER, str(tmp_path / name), handler.rpartition(".")[0]], tmp_path)
        assert ran.returncode == 0, ran.stderr[-2000:]
        assert ran.stdout.splitlines() == (["[]", "web"] if name == "transform" else ["[]"])
