"""Source files with one fault each: refused with the line and the reason, which the case's first line has."""

from pathlib import Path

import pytest

from producers.sources.definition import SourceDefinitionError, parse_source
from producers.sources.files import SourceError
from tests.producers.sources.flights import read

CASES = sorted((Path(__file__).parent / "faulty").glob("*.txt"))


def test_there_are_forty_cases_or_more() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_faulty_source_is_refused_with_line_and_reason(case: Path, tmp_path: Path) -> None:
    expected, rest = case.read_text().split("\n=== source\n")
    text, content = rest.split("=== file\n")
    place, reason = expected.split(": ", 1)
    said = _said(text, content, tmp_path)
    assert said.startswith(f"{place}: "), said
    assert reason in said


def _said(text: str, content: str, folder: Path) -> str:
    try:
        _, failures = read(parse_source(text, "sources/flights.sql"), folder, content)
    except SourceDefinitionError as error:
        return f"line {error.line}: {error.message}"
    except SourceError as error:
        return f"file: {error}"
    assert failures, "nothing was refused"
    return f"row {failures[0].row}: {failures[0].column}: {failures[0].reason}"
