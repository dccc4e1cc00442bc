"""The usual questions, one SQL file each in a project's `questions`; Athena lists them as saved queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import PurePath

from queries.contracts import ReportDefinitionError, report_texts


@dataclass(frozen=True)
class Question:
    """A saved query: its file's name, its title, one sentence on it, and the SQL."""

    name: str
    title: str
    says: str
    sql: str


def parse_question(text: str, file: str) -> Question:
    """A question from its file's text. Raises ReportDefinitionError when a line of its header is missing."""
    lines = text.strip().splitlines()
    header: dict[str, str] = {}
    for wanted in ("title", "says"):
        start, _, value = lines.pop(0).partition(":") if lines else ("", "", "")
        if start != f"-- {wanted}" or not value.strip():
            raise ReportDefinitionError(file, len(header) + 1, f"Write '-- {wanted}: ...' here.")
        header[wanted] = value.strip()
    return Question(PurePath(file).stem, header["title"], header["says"], "\n".join(lines))


def read_questions(folder: Traversable) -> Sequence[Question]:
    """Every question of a folder, in order of name. Raises ReportDefinitionError, EncodingError."""
    return tuple(parse_question(text, file) for file, text in report_texts(folder).items())
