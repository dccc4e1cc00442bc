"""Finds and reads a project's `penstock.toml`."""

import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from dashboards.declaration import DeclarationError, Section, read
from infra.deployment import DEFAULT, Deployment
from infra.project.finding import FILE, files_above
from infra.project.project import Folders, Project
from infra.project.schedules import read_schedules
from queries.contracts import EncodingError, file_text

SHOP = Path(__file__).parent / "shop.toml"
"""The project that ships with Penstock: the one that is meant where there is no other."""
ASSEMBLY = Path(__file__).resolve().parents[1] / "assembly"
"""What a synthesis of the shop gives, which ships too: trying it needs neither Node nor the CDK."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
_NAMED = "Use 2 to 32 lower-case letters, digits and -, a letter in front, none of - at the end."
_FOLDERS = tuple(field.name for field in fields(Folders))
_SETTINGS: Mapping[str, Any] = {
    name: hint for name, hint in get_type_hints(Deployment).items() if name != "name"
}
_LEAST: Mapping[str, tuple[int, str]] = {
    "jobs_timeout_seconds": (
        30,
        "a step of a job looks for 20 seconds before it says that there is more to wait for",
    ),
}
"""Settings that work from some number on only, and why."""


class ProjectError(ValueError):
    """A project cannot be read. The message says where, what, and what to do."""


def find(start: Path) -> Project:
    """The project that the folder `start` lies in; the shop when it lies in none. Raises ProjectError."""
    found = files_above(start)
    if len(found) > 1:
        raise ProjectError(
            f"{found[0]}: this project lies inside another one, {found[1]}. Which one is meant would depend "
            "on the folder: move one of them out of the other."
        )
    if found:
        _trust(found[0], start)
    return load(found[0] if found else SHOP)


def _trust(file: Path, start: Path) -> None:
    """Raise ProjectError where somebody else put the file above our folder: a project's code is run."""
    owner = file.stat().st_uid
    if owner not in (0, os.geteuid(), start.stat().st_uid):
        raise ProjectError(
            f"{file}: this file belongs to another user (uid {owner}), whose code would run here. "
            "Move your folder away from below it, or make the project your own."
        )


def load(file: Path) -> Project:
    """The project of this `penstock.toml`, or of the folder that holds one. Raises ProjectError."""
    file = file / FILE if file.is_dir() else file
    try:
        top = read(file_text(file.read_bytes(), str(file)), str(file))
        return _project(top, file.resolve())
    except FileNotFoundError as error:
        raise ProjectError(f"{file}: there is no such file. Run in the project's folder.") from error
    except (DeclarationError, EncodingError) as error:
        raise ProjectError(str(error)) from error


def project_name(name: str) -> str:
    """The name, if a project may have it. Raises ProjectError."""
    if not _NAME.fullmatch(name):
        raise ProjectError(f"{name!r} is not a valid project name. {_NAMED}")
    return name


def _project(top: Section, file: Path) -> Project:
    top.only("project", "folders", "deployments", "schedules")
    project = top.table("project")
    project.only("name", "prefix")
    name = _named(project, "name", project.text("name"))
    prefix = _named(project, "prefix", project.text("prefix", name))
    assembly = ASSEMBLY if file == SHOP.resolve() else None
    deployments = _deployments(top.table("deployments"), prefix)
    schedules = read_schedules(top.table("schedules"))
    if schedules and not any(each.jobs for each in deployments.values()):
        raise top.fail(
            "The project has schedules, and none of its deployments has jobs. Set `jobs = true` for one.",
            "schedules",
        )
    return Project(name, file, prefix, deployments, _folders(top, file), assembly, schedules)


def _folders(top: Section, file: Path) -> Folders:
    folders = top.table("folders")
    folders.only(*_FOLDERS)
    return Folders(**{name: (file.parent / folders.text(name, name)).resolve() for name in _FOLDERS})


def _deployments(section: Section, prefix: str) -> Mapping[str, Deployment]:
    found = {name: _deployment(section.table(name), name, prefix) for name in section.values}
    found.setdefault(DEFAULT, Deployment(name=DEFAULT, prefix=prefix))
    taken: dict[str, str] = {}
    for deployment in found.values():
        if other := taken.get(deployment.prefix):
            raise section.fail(
                f"The deployments {other!r} and {deployment.name!r} have one prefix, {deployment.prefix!r}, "
                "so their resources would have the same names. Give each its own.",
                deployment.name if deployment.name in section.values else other,
            )
        taken[deployment.prefix] = deployment.name
    return found


def _deployment(section: Section, name: str, prefix: str) -> Deployment:
    _named(section, name, name)
    section.only(*_SETTINGS)
    own = prefix if name == DEFAULT else f"{prefix}-{name}"
    values = {key: _setting(section, key, value) for key, value in section.values.items()}
    made = Deployment(**{"prefix": own, **values, "name": name})
    if made.site and not made.jobs:
        raise section.fail("The site asks the API of jobs. Set `jobs = true` beside `site = true`.", "site")
    if bool(made.site_domain) != bool(made.site_certificate):
        key = "site_domain" if made.site_domain else "site_certificate"
        raise section.fail("A name of the site's own needs its certificate: set both, or neither.", key)
    return made


def _setting(section: Section, key: str, value: Any) -> Any:
    hint = _SETTINGS[key]
    kinds = get_args(hint) or (hint,)
    if key == "prefix":
        return _named(section, key, section.text(key))
    if hint == tuple[str, ...]:
        return section.texts(key)
    if isinstance(value, bool) != (bool in kinds) or not isinstance(value, kinds):
        word = "true or false" if bool in kinds else "a whole number"
        raise section.fail(f"{key!r} must be {word}, not {value!r}.", key)
    least, why = _LEAST.get(key, (value, ""))
    if value is not None and value < least:
        raise section.fail(f"{key!r} must be at least {least}, not {value!r}: {why}.", key)
    return value


def _named(section: Section, key: str, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise section.fail(f"{value!r} is not a valid {key}. {_NAMED}", key)
    return value
