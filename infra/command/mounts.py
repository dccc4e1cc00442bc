"""Where each verb of `penstock` lives. A stage is imported when one of its verbs is run, not before."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class PartMissingError(RuntimeError):
    """A verb needs a library that is not installed. `verb` and `module` say which."""

    def __init__(self, verb: str, module: str, extra: str) -> None:
        super().__init__(
            f"`penstock {verb}` needs the module {module!r}, which is not installed. "
            f"Install it with: pip install 'penstock[{extra}]'"
        )
        self.verb, self.module = verb, module


@dataclass(frozen=True)
class Mount:
    """One verb: the module and the name in it of its typer app or command function, and its line in --help.

    `extra` is the optional part of the package that it needs.
    """

    verb: str
    module: str
    name: str
    help: str
    panel: str
    extra: str = "local"

    def load(self) -> TyperCommand | TyperGroup:
        """The command itself. Raises PartMissingError."""
        try:
            found = getattr(import_module(self.module), self.name)
        except ModuleNotFoundError as error:
            raise PartMissingError(self.verb, error.name or self.module, self.extra) from error
        app = found if isinstance(found, typer.Typer) else _app_of(self.verb, found)
        command = cast("TyperCommand | TyperGroup", get_command(app))
        command.name = self.verb
        return command

    @property
    def stub(self) -> TyperCommand:
        """What --help lists without importing the stage."""
        return TyperCommand(self.verb, help=self.help, short_help=self.help, rich_help_panel=self.panel)


def lazy_group(mounts: tuple[Mount, ...]) -> type[TyperGroup]:
    """A group with these verbs, each loaded when it is run."""
    by_verb = {mount.verb: mount for mount in mounts}

    class LazyGroup(TyperGroup):
        """Lists stubs; runs the real commands."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {mount.verb: mount.stub for mount in mounts}

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """The verb's own command in place of its stub."""
            verb, _stub, rest = super().resolve_command(ctx, args)
            return verb, by_verb[verb].load() if verb else None, rest

    return LazyGroup


def _app_of(verb: str, function: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command(verb)(function)
    return app
