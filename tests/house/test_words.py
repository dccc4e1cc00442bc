"""What people read is in the field's words: `words.toml` lists those that are not, and where they may stand."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("producers", "transforms", "queries", "dashboards", "infra")
WORDS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
PHRASES = [
    (re.compile(rf"(?<!there )\b(?:{each['not']})\b", re.IGNORECASE), each["say"]) for each in WORDS["phrase"]
]
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|\{[^{}]*\}", re.DOTALL)


def findings(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, phrase, what to say instead) of each phrase outside of code."""
    bare = _CODE.sub(lambda code: re.sub(r"[^\n]", "`", code[0]), text)
    for phrase, say in PHRASES:
        for found in phrase.finditer(bare):
            yield bare.count("\n", 0, found.start()) + 1, " ".join(found[0].lower().split()), say


def documents() -> Iterator[Path]:
    """README and the documents, but for what is generated from help, which is read in its source."""
    yield from (ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    yield from (page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "cli.md")


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, help and messages of a module: its texts of several words. With the line of each."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def names_of_tests(source: str) -> Iterator[tuple[int, str]]:
    """Names of tests, as sentences."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def everything() -> Iterator[tuple[str, int, str, str]]:
    """(file, line, phrase, what to say instead), allowed uses left out."""
    read = [(page, [(1, page.read_text(encoding="utf-8"))]) for page in documents()]
    for package in (*PACKAGES, "tests"):
        pick = names_of_tests if package == "tests" else sentences
        files = sorted((ROOT / package).rglob("*.py"))
        read.extend((file, list(pick(file.read_text(encoding="utf-8")))) for file in files)
    for file, texts in read:
        name = file.relative_to(ROOT).as_posix()
        allowed = WORDS["allowed"].get(name, [])
        for start, text in texts:
            for line, phrase, say in findings(text):
                if phrase not in allowed:
                    yield name, start + line - 1, phrase, say


def test_nothing_that_people_read_uses_a_word_of_the_list() -> None:
    assert [f"{file}:{line}: {phrase!r}: say {say!r}" for file, line, phrase, say in everything()] == []


def test_every_allowed_use_is_still_there() -> None:
    used = {
        (name, phrase)
        for name in WORDS["allowed"]
        for text in [(ROOT / name).read_text(encoding="utf-8").replace("_", " ")]
        for _, phrase, _ in findings(text)
    }
    assert [
        (name, one) for name, many in WORDS["allowed"].items() for one in many if (name, one) not in used
    ] == []


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("the partition was set\naside", "set aside"),
        ("'x' is no time", "is no time"),
        ("an alarm rings", "rings"),
        ("Readers never see half a report.", "never see half"),
    ],
)
def test_a_phrase_is_found_across_lines_and_cases(text: str, phrase: str) -> None:
    assert phrase in [found for _, found, _ in findings(text)]


def names_of_tests_in_code_and_other_senses_are_left_alone() -> None:
    assert (
        list(findings("there is no such file; it is no longer read; `set_aside`; [a](reports-set-aside)"))
        == []
    )
