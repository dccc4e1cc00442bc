"""An installed wheel: built by pip from the files that this repository holds, and unpacked beside the libraries.

The environments borrow the libraries of the one that runs the tests, unless PENSTOCK_TEST_INSTALL is set: then
pip installs the wheel with what it asks for (`make try-wheel`).
"""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WITHOUT_EXTRAS = ("boto3", "botocore", "dateutil", "jmespath", "msgspec", "s3transfer", "six", "urllib3")
"""What `pip install penstock` brings: boto3 and msgspec, and what boto3 needs."""
FOR_REAL = bool(os.environ.get("PENSTOCK_TEST_INSTALL"))
collect_ignore = ["application"]  # its tests run in the environments below


@dataclass(frozen=True)
class Environment:
    """A virtual environment that knows nothing of the clone.

    Attributes:
        python: its interpreter.
        site: the folder with the unpacked wheel.
    """

    python: Path
    site: Path

    def run(
        self, arguments: Sequence[str], cwd: Path, *, timeout: float = 120, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run its Python with these arguments in a folder."""
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=cwd,
            env={"PATH": f"{self.python.parent}:/usr/bin:/bin", "HOME": str(cwd)} | environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that this checkout builds, from its tracked files alone."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    archive = folder / "source.tar"
    with tarfile.open(archive, "w") as tar:
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                tar.add(ROOT / name, arcname=name)
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "source", filter="data")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, folder / "source"], check=True, capture_output=True)
    (built,) = folder.glob("penstock-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment outside the clone, with the wheel and all that its command and its tests need."""
    folder = tmp_path_factory.mktemp("environment")
    if FOR_REAL:
        return _pip_installed(folder, f"{wheel}[local,dashboards,infra,analyst]", "pytest")
    environment = _unpacked(folder, wheel)
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    # A .pth below a borrowed folder is not read, so an editable installation of the clone stays unknown.
    (environment.site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return environment


@pytest.fixture(scope="session")
def small(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and what it asks for without extras: nothing else can be imported."""
    folder = tmp_path_factory.mktemp("small")
    if FOR_REAL:
        return _pip_installed(folder, str(wheel))
    environment = _unpacked(folder, wheel)
    for name in WITHOUT_EXTRAS:
        found = find_spec(name)
        assert found is not None
        assert found.origin is not None
        place = Path(found.origin)
        place = place.parent if place.name == "__init__.py" else place
        (environment.site / place.name).symlink_to(place)
    return environment


def _unpacked(folder: Path, wheel: Path) -> Environment:
    venv.create(folder, with_pip=False, symlinks=True)
    environment = _environment(folder)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(environment.site)
    return environment


def _pip_installed(folder: Path, *wanted: str) -> Environment:
    venv.create(folder, with_pip=True, symlinks=True)
    environment = _environment(folder)
    command = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = environment.run(
        [*command, "--constraint", str(ROOT / "constraints.txt"), *wanted],
        folder,
        timeout=900,
        **_pip_settings(),
    )
    assert done.returncode == 0, done.stderr
    return environment


def _pip_settings() -> dict[str, str]:
    """Where this machine's pip finds packages, which may be said by a file in the home folder."""
    return {
        "HOME": str(Path.home()),
        **{name: os.environ[name] for name in os.environ if name.startswith("PIP_")},
    }


def _environment(folder: Path) -> Environment:
    (site,) = folder.glob("lib/python*/site-packages")
    return Environment(folder / "bin" / "python", site)
