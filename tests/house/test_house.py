"""What holds for the repository as a whole: names, packaging, documents."""

import ast
import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("penstock", "producers", "transforms", "queries", "dashboards", "infra")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_top_level_names(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"penstock"}


@pytest.mark.parametrize(
    ("package", "floor_below"),
    [("transforms", "producers"), ("queries", "transforms"), ("dashboards", "queries")],
)
def test_a_stage_reads_only_the_contracts_of_the_floor_below(package: str, floor_below: str) -> None:
    strangers = set(PACKAGES) - {package}
    wrong = []
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            wrong += [
                f"{file.relative_to(ROOT)}:{node.lineno}: {name}"
                for name in names
                if name.split(".")[0] in strangers and name != f"{floor_below}.contracts"
            ]
    assert wrong == []


def test_every_make_target_in_the_documents_exists() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        target
        for document in documents
        for target in re.findall(r"`make ([a-z][a-z-]*)", document.read_text())
    }
    assert named - set(_targets()) == set()


def test_a_submission_runs_the_demo_and_every_check() -> None:
    run = re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert run == ["demo", "check"]
    commands = _targets()["check"]
    assert _targets()["test"].strip() in commands
    for tool in ("ruff format --check", "ruff check", "mypy", "lint-imports", "contracts check", "grammar"):
        assert tool in commands


def _targets() -> dict[str, str]:
    """Target to its commands, of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    return dict(re.findall(r"^([a-z][a-z-]*):.*\n((?:\t.*\n)*)", makefile, re.MULTILINE))


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_no_committed_file_names_a_registry_or_a_folder_of_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    forbidden = re.compile(
        "|".join(
            ("/home/[a-z]+/", "/" + "root/", "/" + "work/", "pypi[.]org/simple", "registry[.]npm" + "js")
        )
    )
    found = [
        name
        for name in listed
        if (ROOT / name).suffix in {".py", ".md", ".json", ".toml", ".cfg", ".txt", ".sql", ".html", ".lock"}
        and (ROOT / name).is_file()
        and forbidden.search((ROOT / name).read_text(errors="replace"))
    ]
    assert found == []


def test_every_command_of_the_readme_is_a_verb_of_the_command() -> None:
    verbs = set(re.findall(r"^### `penstock ([a-z ]+)`", (ROOT / "docs/cli.md").read_text(), re.MULTILINE))
    used = re.findall(r"^\$ penstock ([a-z]+(?: [a-z]+)?)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(used) > 5
    assert [command for command in used if command not in verbs and command.split()[0] not in verbs] == []


def test_thirty_questions_of_newcomers_are_answered_by_files_that_exist() -> None:
    asked = tomllib.loads((ROOT / "tests" / "where_is.toml").read_text())
    assert {name: len(questions) for name, questions in asked.items()} == {
        "behaviour": 10,
        "fact": 10,
        "test": 10,
    }
    answers = [file for questions in asked.values() for files in questions.values() for file in files]
    assert [file for file in answers if not (ROOT / file).is_file()] == []
