"""What is expected of inferred contracts, and how much of it was inferred."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from producers.inference.inferring import infer
from producers.inference.model import InferenceError, Inferred
from producers.inference.sample import read_sample

FOLDER = Path(__file__).parent / "expected"


@dataclass(frozen=True)
class Expected:
    """One file: its package and path there (empty for generated ones), columns with kind and role, or why it
    is refused.
    """

    name: str
    package: str = ""
    path: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Score:
    """How many of the fields are as expected, and those that are not."""

    right: int
    all: int
    wrong: tuple[str, ...]


def expected_files() -> Iterator[Expected]:
    """Every file, in order."""
    for file in sorted(FOLDER.glob("*.toml")):
        for each in tomllib.loads(file.read_text(encoding="utf-8"))["file"]:
            yield Expected(**{**each, "nulls": tuple(each.get("nulls", ()))})


def said_of(made: Inferred) -> dict[str, str]:
    """Each column of the file as `expected/` writes it."""
    found = {}
    for column in made.profiles:
        if column in made.time.columns:
            text = "event_time"
        else:
            one = next((each for each in made.fields if each.column == column), None)
            text = "left out" if one is None else one.kind + ("?" if one.is_optional else "")
            text += " personal" if one is not None and one.is_personal else ""
        found[column] = text + (" key" if column in made.key else "")
    return found


def score(expected: Expected, path: Path) -> Score:
    """How the file's contract is inferred."""
    try:
        made = infer(read_sample(str(path)))
    except InferenceError as error:
        if expected.refused:
            is_right = expected.refused == "no time" and "is a time" in str(error)
            return Score(int(is_right), 1, () if is_right else (str(error),))
        return Score(0, len(expected.fields), (str(error),))
    if expected.refused:
        return Score(0, 1, (f"not refused, event time {made.time.columns}",))
    found = said_of(made)
    wrong = [
        f"{column}: expected {text}, inferred {found.get(column)}"
        for column, text in expected.fields.items()
        if found.get(column) != text
    ]
    return Score(len(expected.fields) - len(wrong), len(expected.fields), tuple(wrong))
