"""What the functions carry: small, the same on every build, quick to import."""

import io
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from infra.stacks.artefact_folder import ArtefactError, folder_zip, full_folder, source_folder
from infra.stacks.artefact_zips import locked_requirements, source_files, source_zip, zip_bytes
from infra.stacks.artefacts import (
    ARTEFACTS,
    EXTRACT,
    HOOKS,
    IMPORTER,
    QUERY,
    READER,
    SITE,
    TRANSFORM,
    Artefact,
)
from tests.shop import SHOP

MB = 1_000_000


@pytest.mark.parametrize("artefact", ARTEFACTS.values(), ids=list(ARTEFACTS))
def test_source_zips_are_equal_on_every_build_and_hold_ours_alone(artefact: Artefact) -> None:
    assert source_zip(artefact, SHOP.folders) == source_zip(artefact, SHOP.folders)
    names = set(zipfile.ZipFile(io.BytesIO(source_zip(artefact, SHOP.folders))).namelist())
    ours = {"penstock", "producers", "transforms", "queries", "dashboards", "infra", "project"}
    assert {name.partition("/")[0] for name in names} <= ours
    assert not [name for name in names if name.endswith(("cli.py", "__main__.py", ".pyc", "analyst.py"))]


def test_a_zip_does_not_depend_on_the_order_or_the_time_of_its_files() -> None:
    entries = [("b.py", b"2"), ("a.py", b"1")]
    assert zip_bytes(entries) == zip_bytes(reversed(entries))
    assert {info.date_time for info in zipfile.ZipFile(io.BytesIO(zip_bytes(entries))).infolist()} == {
        (1980, 1, 1, 0, 0, 0)
    }


def test_the_transform_carries_nothing_of_the_queries() -> None:
    assert not [name for name in source_files(TRANSFORM, SHOP.folders) if name.startswith("queries/")]
    assert "producers/producer.py" not in source_files(TRANSFORM, SHOP.folders)


@pytest.mark.parametrize("artefact", ARTEFACTS.values(), ids=list(ARTEFACTS))
def test_every_library_is_locked_to_one_wheel(artefact: Artefact) -> None:
    lines = [line for line in locked_requirements(artefact).splitlines() if not line.startswith("#")]
    assert lines
    assert all("==" in line and line.count("--hash=sha256:") == 1 for line in lines)
    heavy = {"pyarrow", "pandas", "numpy", "duckdb", "awswrangler", "boto3", "botocore"}
    if artefact in (HOOKS, IMPORTER):  # nobody waits for it: docs/decisions/0114
        heavy -= {"pyarrow", "duckdb"}
    if artefact in (READER, EXTRACT, SITE):  # loaded for the first row: docs/decisions/0132, 0155
        heavy -= {"duckdb"}
    assert not heavy & {line.partition("==")[0].lower() for line in lines}


@pytest.fixture(scope="module")
def query_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return full_folder(QUERY, SHOP.folders, tmp_path_factory.mktemp("artefact"))
    except ArtefactError as error:
        pytest.skip(f"no package index is reachable: {error}")


def test_the_larger_function_is_far_below_its_limit(query_folder: Path) -> None:
    # The transform carries a part of the same libraries, so it is smaller.
    assert set(_libraries(TRANSFORM)) <= set(_libraries(QUERY))
    assert len(folder_zip(query_folder)) < 15 * MB


@pytest.mark.parametrize("artefact", [EXTRACT, SITE, READER], ids=lambda each: each.name)
def test_functions_that_carry_duckdb_are_far_below_their_limit(artefact: Artefact) -> None:
    # By the libraries as they are installed here; those for the processor of Lambda are as large.
    names = [line.partition("==")[0] for line in _libraries(artefact)]
    files = [
        file.locate() for name in names for file in distribution(name).files or () if file.suffix != ".pyc"
    ]
    libraries = sum(Path(str(file)).stat().st_size for file in files)
    ours = source_files(artefact, SHOP.folders)
    assert libraries + sum(map(len, ours.values())) < 120 * MB, "250 MB are the limit of Lambda"
    assert len(zip_bytes(ours.items())) < MB / 2


def test_the_full_artefact_has_libraries_for_arm_and_nothing_of_this_machine(query_folder: Path) -> None:
    libraries = [path.name for path in query_folder.rglob("*.so*")]
    assert libraries
    assert all("aarch64" in name for name in libraries)
    for path in query_folder.rglob("*"):
        assert "__pycache__" not in path.parts
        assert path.name not in ("RECORD", "INSTALLER", "direct_url.json")
    assert (query_folder / "project" / "reports" / "orders_by_hour.sql").is_file()


def test_two_folders_with_the_same_content_give_the_same_zip(tmp_path: Path) -> None:
    first, second = (source_folder(QUERY, SHOP.folders, tmp_path / name) for name in "ab")
    (second / "queries" / "handler.py").touch()
    assert folder_zip(first) == folder_zip(second)


def _imported(module: str) -> set[str]:
    """What is imported with it. How long that takes is measured in `benchmarks`."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_transform_imports_without_the_sdk() -> None:
    names = _imported("transforms.handler")
    assert not names & {"boto3", "botocore.session", "pyarrow", "pandas", "pyathena", "aws_cdk", "typer"}


def test_the_query_function_imports_without_pandas() -> None:
    names = _imported("queries.handler")
    assert not names & {"pyarrow", "pandas", "awswrangler", "duckdb", "sqlglot", "aws_cdk", "typer", "rich"}


def _libraries(artefact: Artefact) -> list[str]:
    return [line for line in locked_requirements(artefact).splitlines() if line and not line.startswith("#")]
