"""An installed wheel: built by pip from the files that this repository holds, and unpacked beside the libraries.

The environments borrow the libraries of the one that runs the tests: `make try-wheel` installs them for real.
"""

import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
collect_ignore = ["application"]  # its tests run in an environment of its own


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
            env={"PATH": f"{self.python.parent}:/usr/bin:/bin", "HOME": str(cwd), **environ},
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
    """An environment outside the clone, with the wheel and the libraries that the tests have."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    # A .pth below a borrowed folder is not read, so an editable installation of the clone stays unknown.
    (site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return Environment(folder / "bin" / "python", site)
