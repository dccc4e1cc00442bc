"""Reads a project's streams: each `*.py` of a folder declares one, as `STREAM`.

A stream's file is imported from its path. So its folder need not be on `sys.path`, and its files clash with
nobody's modules: each folder is a package of its own, whose name follows from the folder's path and from what
its files say. Files whose names begin with `_` declare no stream; the others import what they share from them
(`from ._money import Money`).
"""

import re
import sys
from collections.abc import Mapping
from hashlib import blake2b
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType

from producers.contracts.stream import Stream

_NAME = re.compile(r"[a-z](?:[a-z0-9_]{0,22}[a-z0-9])?")
STREAM = "STREAM"
"""The name under which a file declares its stream."""


class StreamDefinitionError(ValueError):
    """A project's streams cannot be read. `file` says where, the message also what and what to do."""

    def __init__(self, file: Path, message: str) -> None:
        super().__init__(f"{file}: {message}")
        self.file, self.message = file, message


def load_streams(folder: Path) -> Mapping[str, Stream]:
    """The streams that the files of `folder` declare, by name, in order of file name. Reads nothing else.

    The same files give the same classes, however often they are loaded in a process. Raises
    StreamDefinitionError.
    """
    files = stream_files(folder)
    package = _package(folder)
    found: dict[str, Stream] = {}
    where: dict[str, Path] = {}
    for file in files:
        stream = _stream(file, f"{package}.{file.stem}")
        if stream.name in found:
            raise StreamDefinitionError(
                file, f"The stream {stream.name!r} is declared in {where[stream.name]} already. Rename one."
            )
        if same := next((each for each in found.values() if each.table == stream.table), None):
            raise StreamDefinitionError(
                file, f"The streams {stream.name!r} and {same.name!r} have one table. Rename one."
            )
        if stream.plain_names and (same := next((each for each in found.values() if each.plain_names), None)):
            raise StreamDefinitionError(
                file,
                f"The streams {stream.name!r} and {same.name!r} both have plain_names: their views and "
                "functions would have the same names. Leave it to the older one.",
            )
        found[stream.name], where[stream.name] = stream, file
    return MappingProxyType(found)


def stream_file(folder: Path, name: str) -> Path:
    """The file that declares the stream of that name. Raises StreamDefinitionError."""
    package = _package(folder)
    for file in stream_files(folder):
        if _stream(file, f"{package}.{file.stem}").name == name:
            return file
    raise StreamDefinitionError(folder, f"No file here declares the stream {name!r}.")


def stream_files(folder: Path) -> list[Path]:
    """The files that declare a stream each, in order of name. Raises StreamDefinitionError."""
    if not folder.is_dir():
        raise StreamDefinitionError(
            folder, "This folder of streams does not exist. Create it, with a file for each stream."
        )
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    if not files:
        raise StreamDefinitionError(
            folder, f"No file here declares a stream. Add one that assigns {STREAM} = Stream(...)."
        )
    for file in files:
        if not file.stem.isidentifier():
            raise StreamDefinitionError(
                file, "The file's name cannot be imported. Use letters, digits and _, no digit in front."
            )
    return files


def _stream(file: Path, name: str) -> Stream:
    try:
        module = sys.modules.get(name) or _imported(file, name)
    except Exception as error:
        raise StreamDefinitionError(file, _why(file, error)) from error
    stream = getattr(module, STREAM, None)
    if stream is None:
        raise StreamDefinitionError(
            file, f"The file declares no {STREAM}. Add {STREAM} = Stream(...), or begin its name with _."
        )
    if not isinstance(stream, Stream):
        raise StreamDefinitionError(
            file, f"{STREAM} is of type {type(stream).__name__}. It must be a producers.contracts.Stream."
        )
    if not _NAME.fullmatch(stream.name):
        raise StreamDefinitionError(
            file,
            f"{stream.name!r} is not a valid stream name. Use 1 to 24 lower-case letters, digits and _, a "
            "letter in front: tables, functions and stacks are named after it.",
        )
    return stream


def _why(file: Path, error: Exception) -> str:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == str(file):
        line = error.lineno or 0
    at = f"line {line}: " if line else ""
    return f"The file cannot be imported: {at}{type(error).__name__}: {error}"


class _Loader(SourceFileLoader):
    """Compiles the source every time: a user's folder gets no `__pycache__`, and no stale one is believed."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - importlib passes it
        return self.source_to_code(self.get_data(self.path), self.path)


def _imported(file: Path, name: str) -> ModuleType:
    spec = spec_from_loader(name, _Loader(name, str(file)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _package(folder: Path) -> str:
    """Name of the package that the folder's files are modules of: so they can import from one another."""
    place = folder.resolve()
    digest = blake2b(str(place).encode(), digest_size=8)
    for file in sorted(place.glob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)} ".encode() + content)
    name = f"penstock_streams_{digest.hexdigest()}"
    if name not in sys.modules:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        sys.modules[name] = module_from_spec(spec)
    return name
