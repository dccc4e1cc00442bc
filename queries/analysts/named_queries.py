"""The usual questions, one SQL file each in `queries/questions/`; Athena lists them as saved queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from queries.contracts import ReportDefinitionError, file_text


@dataclass(frozen=True)
class Question:
    """A saved query: its file's name, its title, one sentence on it, and the SQL."""

    name: str
    title: str
    says: str
    sql: str


def parse_question(text: str, name: str) -> Question:
    """A question from its file's text. Raises ReportDefinitionError when a line of its header is missing."""
    lines = text.strip().splitlines()
    header: dict[str, str] = {}
    for wanted in ("title", "says"):
        start, _, value = lines.pop(0).partition(":") if lines else ("", "", "")
        if start != f"-- {wanted}" or not value.strip():
            raise ReportDefinitionError(
                f"queries/questions/{name}.sql", len(header) + 1, f"Write '-- {wanted}: ...' here."
            )
        header[wanted] = value.strip()
    return Question(name, header["title"], header["says"], "\n".join(lines))


@cache
def questions() -> Sequence[Question]:
    """Every question, in order of name. Raises ReportDefinitionError."""
    found = sorted(files("queries").joinpath("questions").iterdir(), key=lambda entry: entry.name)
    return tuple(
        parse_question(file_text(entry.read_bytes(), entry.name), entry.name.removesuffix(".sql"))
        for entry in found
        if entry.name.endswith(".sql")
    )
