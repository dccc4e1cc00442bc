"""The assembly that a local cloud deploys: the shipped one, or the project's, synthesized when needed.

A synthesis takes seconds and needs Node and the CDK, so it is kept, under the hash of all that decides it.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from infra import placement
from infra.command.mounts import PartMissingError
from infra.local.paths import LocalPaths
from infra.project.project import Project

_DECIDING = ("producers", "transforms", "queries", "dashboards", "infra")
"""Packages of ours from whose sources templates and functions are made."""
_SUFFIXES = frozenset({".py", ".sql", ".toml", ".txt"})


def assembly_of(project: Project, paths: LocalPaths, progress: Callable[[str], None]) -> Path:
    """Folder of the assembly.

    Raises PartMissingError, NodeMissingError, ArtefactError, and what reading the project raises.
    """
    if project.assembly is not None:
        return project.assembly
    kept = paths.assemblies / _hash(project)
    if not (kept / "manifest.json").is_file():
        from infra.aws.synth import synthesize
        from infra.stacks.artefact_folder import source_folder

        progress("synthesizing the project")
        shutil.rmtree(paths.assemblies, ignore_errors=True)
        try:
            made = synthesize(project, project.default, paths.assemblies / "new", source_folder)
        except ModuleNotFoundError as error:
            raise PartMissingError("local up", error.name or "aws_cdk", "infra") from error
        made.rename(kept)
    return kept


def _hash(project: Project) -> str:
    digest = hashlib.sha256()
    for name, file in _files(project):
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:20]


def _files(project: Project) -> Iterator[tuple[str, Path]]:
    yield project.file.name, project.file
    folders = project.folders
    declared = (folders.streams, folders.sources, folders.reports, folders.reference)
    for folder in (*declared, folders.questions, folders.dashboards):
        for file in sorted(folder.glob("*")):
            if file.suffix in _SUFFIXES:
                yield f"{folder.name}/{file.name}", file
    for package in _DECIDING:
        for file in sorted((placement.root() / placement.placed(package)).rglob("*")):
            if file.suffix in _SUFFIXES and "__pycache__" not in file.parts:
                yield file.relative_to(placement.root()).as_posix(), file
