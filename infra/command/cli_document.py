"""`docs/cli.md`, made of the commands themselves: `python -m infra.command.cli_document` writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.command.cli import MOUNTS
from infra.command.exits import Exit
from producers.commands.cli import Exit as ProduceExit

FILE = Path("docs/cli.md")
_HEAD = """# The command

Made of the commands' own help by `python -m infra.command.cli_document`; a test compares them.

Results go to stdout, progress and messages to stderr. Every verb takes `--help`. Three options stand before
the verb: `--target local|aws` (or `PENSTOCK_TARGET`) says where the pipeline runs, by default the local cloud
when one is up; `--deployment` (or `PENSTOCK_DEPLOYMENT`) names the one that is meant on AWS; `--json` gives
results as JSON for every verb that has them.

| exit code | what it means |
|---|---|
"""


def document() -> str:
    """The whole page."""
    codes = {
        Exit.OK: "done",
        Exit.FAILED: "it could not be done; the message says what, where and what to do next",
        Exit.USAGE: "the command line is not understood",
        Exit.UNBALANCED: "`demo`, `reconcile`: events are missing, or a producer has not reported its total; "
        "`produce`: events were refused",
        Exit.NO_TARGET: "no local cloud is up, and no deployment was named",
        Exit.UNEXPECTED: "a defect of Penstock itself; `PENSTOCK_DEBUG=1` shows where",
        ProduceExit.NOT_DELIVERED: "`produce`: not everything was taken by the stream",
        Exit.INTERRUPTED: "stopped by Ctrl-C",
        ProduceExit.TERMINATED: "`produce`: stopped by SIGTERM",
    }
    lines = [f"| {int(code)} | {meaning} |" for code, meaning in codes.items()]
    parts = [_HEAD + "\n".join(lines)]
    panel = ""
    for mount in MOUNTS:
        if mount.panel != panel:
            panel = mount.panel
            parts.append(f"## {panel}")
        parts += _sections(mount.load(), f"penstock {mount.verb}")
    return "\n\n".join(parts) + "\n"


def _sections(command: Any, path: str) -> Iterator[str]:
    nested = getattr(command, "commands", None)
    if nested:
        for name, each in nested.items():
            yield from _sections(each, f"{path} {name}")
        return
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [
        param for param in command.params if param.param_type_name == "option" and "--help" not in param.opts
    ]
    usage = " ".join([path, *(_metavar(param) for param in arguments), *(["[OPTIONS]"] if options else [])])
    text = " ".join((command.help or "").split())
    rows = [_row(param) for param in (*arguments, *options)]
    table = ["", "| option | default | what it does |", "|---|---|---|", *rows] if rows else []
    yield "\n".join([f"### `{path}`", "", f"    {usage}", "", text, *table])


def _metavar(param: Any) -> str:
    name = param.metavar or param.name.upper()
    shown = f"{name}..." if param.nargs == -1 else name
    return shown if param.required else f"[{shown}]"


def _row(param: Any) -> str:
    is_argument = param.param_type_name == "argument"
    name = _metavar(param) if is_argument else ", ".join([*param.opts, *param.secondary_opts])
    default = param.default
    shown = (
        "" if default is None or default is False or default is ... or callable(default) else f"`{default}`"
    )
    text = " ".join((param.help or "").split()).replace("|", "\\|")
    return f"| `{name}` | {shown} | {text} |"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
