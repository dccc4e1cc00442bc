"""What the functions' zips carry of a project."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from infra import placement
from infra.project.project import Folders
from producers.contracts.loading import stream_file

Carried = Literal["streams", "sources", "reports", "reference", "dashboards"]
FOLDER = Path(placement.placed("project"))
"""Folder in a zip; handlers look for it beside their own package."""
CHARTS = "charts.json"
"""File in it with the compiled charts of the project's dashboards."""

_PATTERNS: dict[Carried, str] = {
    "streams": "*.py",
    "sources": "*.sql",
    "reports": "*.sql",
    "reference": "*.toml",
    "dashboards": "*.toml",
}


def project_files(
    folders: Folders, names: Iterable[Carried] = tuple(_PATTERNS), stream: str = ""
) -> Iterator[tuple[Path, Path]]:
    """(name in the zip, file on disk) of these folders: streams with their helpers (`_*.py`),
    sources, reports, declarations of reference tables, dashboards.

    With `stream` that one alone, with the helpers. Raises StreamDefinitionError.
    """
    only = stream_file(folders.streams, stream) if stream else None
    for name in names:
        folder: Path = getattr(folders, name)
        for file in sorted(folder.glob(_PATTERNS[name])):
            if name == "streams" and only is not None and file != only and not file.name.startswith("_"):
                continue
            yield FOLDER / name / file.name, file
