"""`penstock init`."""

from pathlib import Path
from typing import Annotated

import typer

from infra.project.creating import create
from infra.project.finding import FILE
from infra.project.loading import ProjectError, project_name
from producers.contracts import echo


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="NAME", help="Folder of the new project; its name is the project's.")
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
) -> None:
    """Create a project: a stream, a report and a dashboard of your own to start from.

    The folder may exist; no file in it is overwritten without --force.
    """
    place = folder.resolve()
    name = project_name(place.name)
    for above in place.parents:
        if (above / FILE).is_file():
            raise ProjectError(
                f"{place}: this folder lies inside the project {above / FILE}. Which one is meant would "
                "depend on the folder: choose a folder outside of it."
            )
    for file in create(place, name, force=force):
        echo(str(folder / file))
    echo(f"\nNext: cd {folder} && penstock demo")
