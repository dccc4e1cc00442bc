"""New code for the functions of the local cloud, as soon as a source file is saved."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from infra.aws.outputs import Outputs
from infra.local.deploy import packages
from infra.local.parts.context import LocalContext
from infra.project.project import Project

_PAUSE_SECONDS = 0.2


def watch_sources(
    context: LocalContext,
    outputs: Outputs,
    project: Project,
    say: Callable[[str], None],
    *,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Hand changed sources to both functions until `goes_on()` is false."""
    folders = [packages.home(name) for name in packages.FUNCTION_PACKAGES]
    folders += [project.folders.streams, project.folders.reports]
    known = changes(folders)
    say(f"Watching {', '.join(packages.FUNCTION_PACKAGES)}. Ctrl-C stops it.")
    while goes_on():
        time.sleep(_PAUSE_SECONDS)
        now = changes(folders)
        changed = sorted({path for path, _ in now ^ known})
        if changed:
            known, begun = now, time.monotonic()
            _hand_over(context, outputs, project)
            say(f"{', '.join(path.name for path in changed)}: running after {time.monotonic() - begun:.2f} s")


def changes(folders: Iterable[Path]) -> frozenset[tuple[Path, int]]:
    """Every source file and when it was written last."""
    found = set()
    for folder in folders:
        for file in folder.rglob("*"):
            if file.suffix in {".py", ".sql", ".json"}:
                try:
                    found.add((file, file.stat().st_mtime_ns))
                except FileNotFoundError:  # an editor replaces a file by another one of the same name
                    continue
    return frozenset(found)


def _hand_over(context: LocalContext, outputs: Outputs, project: Project) -> None:
    code = packages.sources(project.folders)
    for name in outputs.functions:
        context.client("lambda").update_function_code(FunctionName=name, ZipFile=code)
