"""The build backend that `pyproject.toml` names: setuptools, with the packages placed below `penstock`.

An editable installation, which is the clone's, and a source distribution keep the repository's layout.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
)

from infra.wheel.staging import stage

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
]

Settings = Mapping[str, str | list[str] | None] | None


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel of the repository that is the working directory, and return its file name.

    Called by pip and build (PEP 517). Raises PlacingError.
    """
    repository, target = Path.cwd(), Path(wheel_directory).resolve()
    with tempfile.TemporaryDirectory() as folder:
        stage(repository, Path(folder))
        os.chdir(folder)
        try:
            return str(build_meta.build_wheel(str(target), config_settings, metadata_directory))
        finally:
            os.chdir(repository)
