"""Our modules' imports, read from their source: who imports whom, what is impure, what a handler reaches.

Nothing is executed. An import below `if TYPE_CHECKING:` is not an import: it is not there when the code runs.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGES = ("penstock", "producers", "transforms", "queries", "dashboards", "infra")
AWS_LIBRARIES = frozenset(
    {"boto3", "botocore", "aws_lambda_powertools", "awswrangler", "pyathena", "aws_cdk", "constructs"}
)
IMPURE_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "time": frozenset({"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"}),
    "os": frozenset({"environ", "getenv", "urandom", "getpid"}),
    "random": frozenset({"random", "randint", "randrange", "choice", "shuffle", "uniform", "getrandbits"}),
    "uuid": frozenset({"uuid1", "uuid4"}),
    "secrets": frozenset({"token_bytes", "token_hex", "token_urlsafe", "randbelow"}),
    "datetime": frozenset({"now", "utcnow", "today"}),
}
"""What reads a clock, the environment or chance, by the module (or class) that it is asked of."""


@dataclass(frozen=True)
class Module:
    """One source file.

    Attributes:
        name: dotted, `transforms.gate.gate`.
        path: the file, relative to the root.
        imports: dotted names of ours that it imports when it is loaded or when its functions run, with lines.
        at_load: those of them that are imported when it is loaded.
        outside: top-level names of other people's packages, with lines.
        impure: readings of clock, environment or chance, as `time.time`, with lines.
    """

    name: str
    path: Path
    imports: Mapping[str, int]
    at_load: frozenset[str]
    outside: Mapping[str, int]
    impure: Mapping[str, int]


@dataclass
class _Reading:
    known: frozenset[str]
    imports: dict[str, int] = field(default_factory=dict)
    at_load: set[str] = field(default_factory=set)
    outside: dict[str, int] = field(default_factory=dict)
    impure: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def read(self, node: ast.AST, *, loading: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and _is_type_checking(child.test):
                for other in child.orelse:
                    self.read(other, loading=loading)
                continue
            inner = loading and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            self._take(child, loading=loading)
            self.read(child, loading=inner)

    def _take(self, node: ast.AST, *, loading: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._imported(alias.name, node.lineno, loading=loading)
                self.aliases[alias.asname or alias.name.split(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                self._imported(whole if whole in self.known else node.module, node.lineno, loading=loading)
                self.aliases[alias.asname or alias.name] = whole
                if alias.name in IMPURE_ATTRIBUTES.get(node.module, ()):
                    self.impure.setdefault(whole, node.lineno)
        elif isinstance(node, ast.Attribute):
            owner = self._owner(node.value)
            if node.attr in IMPURE_ATTRIBUTES.get(owner, ()):
                self.impure.setdefault(f"{owner}.{node.attr}", node.lineno)

    def _owner(self, node: ast.expr) -> str:
        """The last name of an imported module or class, as `datetime` of `datetime.datetime`; else nothing."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, "").split(".")[-1]
        return node.attr if isinstance(node, ast.Attribute) and self._owner(node.value) else ""

    def _imported(self, name: str, line: int, *, loading: bool) -> None:
        if name.split(".", maxsplit=1)[0] not in PACKAGES:
            self.outside.setdefault(name.split(".", maxsplit=1)[0], line)
            return
        # Importing a module runs the `__init__` of each package above it.
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            above = ".".join(parts[:length])
            if above in self.known:
                self.imports.setdefault(above, line)
                if loading:
                    self.at_load.add(above)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def modules(root: Path) -> dict[str, Module]:
    """Every module of ours below `root`, by dotted name."""
    paths = {
        _dotted(path.relative_to(root)): path for package in PACKAGES for path in _sources(root / package)
    }
    known = frozenset(paths)
    found = {}
    for name, path in paths.items():
        reading = _Reading(known)
        reading.read(ast.parse(path.read_text(encoding="utf-8")), loading=True)
        reading.imports.pop(name, None)
        found[name] = Module(
            name,
            path.relative_to(root),
            reading.imports,
            frozenset(reading.at_load - {name}),
            reading.outside,
            reading.impure,
        )
    return found


def _sources(folder: Path) -> Iterator[Path]:
    # What a local cloud keeps below the working directory is not a source.
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def cycle(of: Mapping[str, Module]) -> list[str]:
    """One circle of imports, its first module again at the end; nothing if there is none.

    A package's `__init__` is left out as the target of its own modules: each of them runs it first anyway.
    """
    graph = {
        module.name: {name for name in module.imports if not module.name.startswith(f"{name}.")}
        for module in of.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reachable(of: Mapping[str, Module], start: str) -> set[str]:
    """Every module of ours that `start` may come to import, itself included, and the packages around them."""
    found: set[str] = set()
    waiting = [start, *(".".join(start.split(".")[:length]) for length in range(1, start.count(".") + 1))]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += of[name].imports
    return found


def impurities(
    of: Mapping[str, Module], folders: tuple[str, ...], exceptions: Mapping[str, str]
) -> list[str]:
    """What makes modules below `folders` impure, themselves or by what they import: `file:line: what (by whom)`.

    Args:
        of: every module.
        folders: dotted names of modules or packages that must be pure.
        exceptions: dotted module to the reason why it may be impure; what it imports is not looked at either.
    """
    wrong = []
    for name in sorted(of):
        if not any(name == folder or name.startswith(f"{folder}.") for folder in folders):
            continue
        if name in exceptions:
            continue
        for reached in sorted(_pure_reach(of, name, exceptions)):
            module = of[reached]
            what = {library: line for library, line in module.outside.items() if library in AWS_LIBRARIES}
            for said, line in {**what, **module.impure}.items():
                by = "" if reached == name else f" (imported by {name})"
                wrong.append(f"{module.path}:{line}: {said}{by}")
    return wrong


def _pure_reach(of: Mapping[str, Module], start: str, exceptions: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in exceptions:
            found.add(name)
            waiting += of[name].imports
    return found
