"""Writes a new project: a copy of the template, under the project's own name."""

from collections.abc import Iterator
from pathlib import Path

TEMPLATE = Path(__file__).parent / "template"
TEMPLATE_NAME = "my-project"
_RENAMED = {"gitignore": ".gitignore"}  # under its own name it would hide files of the template


class ExistingFilesError(ValueError):
    """Files of a new project are there already."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        named = ", ".join(str(file) for file in files[:5]) + (", ..." if len(files) > 5 else "")
        super().__init__(
            f"{folder}: there already: {named}. Nothing was written. Choose another folder, or overwrite "
            "them with --force."
        )
        self.folder, self.files = folder, files


def create(folder: Path, name: str, *, force: bool = False) -> list[Path]:
    """Write the project `name` into `folder`; returns its files, relative to it.

    Raises ExistingFilesError, before anything is written, unless `force`; OSError.
    """
    files = list(_files(name))
    present = [target for target, _ in files if (folder / target).exists()]
    if present and not force:
        raise ExistingFilesError(folder, present)
    for target, content in files:
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_bytes(content)
    return [target for target, _ in files]


def _files(name: str) -> Iterator[tuple[Path, bytes]]:
    """(path in the project, content) of every file of the template."""
    for file in sorted(TEMPLATE.rglob("*")):
        relative = file.relative_to(TEMPLATE)
        if file.is_file() and "__pycache__" not in relative.parts:
            target = relative.with_name(_RENAMED.get(relative.name, relative.name))
            yield target, file.read_bytes().replace(TEMPLATE_NAME.encode(), name.encode())
