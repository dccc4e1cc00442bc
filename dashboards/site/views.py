"""What viewers are answered: extracts as they were written, and whatever else is drawn from their rows."""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from dashboards.board.access import OWNER, Viewer
from dashboards.board.board import Board
from dashboards.board.cells import Behind, behind
from dashboards.board.csv_text import csv_of
from dashboards.render.state import State
from dashboards.site import places
from dashboards.site.drawing import Declared, ExtractError, loaded, packed, sheet
from dashboards.site.pointer import Latest, Published
from dashboards.site.publishing import read_latest
from dashboards.site.tables import ExtractTables

MOST_BOARDS = 4
"""Versions whose rows are kept in memory."""


class UnknownPlaceError(LookupError):
    """There is no such dashboard, sheet or visual."""


class VersionGoneError(LookupError):
    """The version is kept no longer, or never was."""


class NothingToGiveError(ValueError):
    """A visual has no numbers, or none under these choices; the text says why."""


class Number(NamedTuple):
    """A number on a sheet: its visual, the alias of its column, and the values of the row's dimensions."""

    visual: str
    column: str
    at: Mapping[str, str]


class Objects(Protocol):
    """The site's data."""

    def get(self, key: str) -> bytes | None:
        """An object; None when there is none."""
        ...


class Views:
    """The published dashboards. Thread-safe."""

    def __init__(self, objects: Objects, declared: Mapping[str, Declared]) -> None:
        self._objects, self._declared = objects, declared
        self._boards: OrderedDict[tuple[str, str], Board] = OrderedDict()
        self._lock = threading.Lock()

    def latest(self) -> Latest:
        """What is published. Raises PointerError."""
        return read_latest(self._objects.get(places.LATEST))

    def sheet(self, name: str, sheet_id: str, version: str, viewer: Viewer) -> bytes:
        """A sheet as nobody has filtered it yet: JSON, compressed.

        Raises UnknownPlaceError and VersionGoneError.
        """
        self._known(name, version)
        if isinstance(viewer, frozenset) and len(viewer) > 1:
            return packed(self.view(name, sheet_id, version, State(), viewer))
        audience = "" if isinstance(viewer, str) else places.audience_of(viewer)
        found = self._objects.get(places.sheet_key(name, _part(sheet_id), version, audience))
        if found is None:
            raise VersionGoneError(_gone(name, version))
        return found

    def view(self, name: str, sheet_id: str, version: str, state: State, viewer: Viewer) -> dict[str, Any]:
        """A sheet under a viewer's choices.

        Raises UnknownPlaceError and VersionGoneError.
        """
        declared, board = self._board(name, version)
        if sheet_id not in [str(each["SheetId"]) for each in board.pages[name].sheets]:
            raise UnknownPlaceError(f"The dashboard {name} has no sheet {sheet_id!r}.")
        return sheet(declared, board, sheet_id, state, viewer)

    def csv(self, name: str, sheet_id: str, visual: str, version: str, state: State, viewer: Viewer) -> str:
        """A visual's numbers. Raises as `view` does, and NothingToGiveError."""
        _, board = self._board(name, version)
        found = board.pages[name].visuals.get(visual)
        if found is None or found.sheet_id != sheet_id:
            raise UnknownPlaceError(f"The sheet {sheet_id!r} of {name} has no visual {visual!r}.")
        try:
            return csv_of(board.view(name, state, viewer), found)
        except ValueError as error:
            raise NothingToGiveError(str(error)) from error

    def number(self, name: str, number: Number, version: str, state: State, viewer: Viewer) -> Behind:
        """The numbers of reports behind one on a sheet. Raises as `csv` does, and NumberGoneError."""
        declared, board = self._board(name, version)
        found = board.pages[name].visuals.get(number.visual)
        if found is None:
            raise UnknownPlaceError(f"The dashboard {name} has no visual {number.visual!r}.")
        try:
            return behind(board.view(name, state, viewer), found, declared.reports, number.column, number.at)
        except ValueError as error:
            raise NothingToGiveError(str(error)) from error

    def _known(self, name: str, version: str) -> Declared:
        if name not in self._declared:
            raise UnknownPlaceError(f"There is no dashboard {name!r}.")
        if not places.is_version(version):
            raise VersionGoneError(_gone(name, version))
        return self._declared[name]

    def _board(self, name: str, version: str) -> tuple[Declared, Board]:
        declared = self._known(name, version)
        with self._lock:
            board = self._boards.pop((name, version), None) or self._loaded(declared, version)
            self._boards[name, version] = board
            while len(self._boards) > MOST_BOARDS:
                self._boards.popitem(last=False)
        return declared, board

    def _loaded(self, declared: Declared, version: str) -> Board:
        with tempfile.TemporaryDirectory(prefix="penstock-site-") as folder:

            def path_of(report: str) -> Path:
                path = Path(folder, f"{report}.parquet")
                body = self._objects.get(places.rows_key(declared.name, report, version))
                if body is None:
                    raise VersionGoneError(_gone(declared.name, version))
                path.write_bytes(body)
                return path

            try:
                return loaded(declared, ExtractTables(path_of).query, int(version[:13]))
            except ExtractError as error:
                raise VersionGoneError(_gone(declared.name, version)) from error


def viewer_of(groups: frozenset[str], audiences: Sequence[str]) -> Viewer:
    """Whom a dashboard is drawn for: of somebody's groups only those that its rules name."""
    return groups & frozenset(audiences) if audiences else OWNER


def audiences_of(declared: Mapping[str, Declared], name: str) -> Sequence[str]:
    """The groups that a dashboard's rules name: as declared, for what is published may be older."""
    if name not in declared:
        return ()
    sources = declared[name].dashboard.sources.values()
    return sorted({group for each in sources if each.access for group in each.access.groups})


def hidden_from(
    declared: Mapping[str, Declared], name: str, groups: frozenset[str]
) -> Mapping[str, Sequence[str]]:
    """The datasets of which somebody in these groups sees no row, each with the groups that do."""
    rules = {source.report: source.access for source in declared[name].dashboard.sources.values()}
    return {
        data_set: sorted(rule.groups)
        for data_set, rule in sorted(rules.items())
        if rule is not None and groups.isdisjoint(rule.groups)
    }


def listed(name: str, found: Published, hidden: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A dashboard in the list of them. `as_of` is the newest time in any of its datasets; `hidden` as
    `hidden_from` gives it.
    """
    through = [each.through for each in found.data_sets.values() if each.through]
    return {
        "name": name,
        "title": found.title,
        "version": found.version,
        "published_at": found.read_at,
        "as_of": max(through) if through else None,
        "sheets": [{"id": each.id, "name": each.name} for each in found.sheets],
        "data_sets": {
            data_set: {"through": each.through, "stale_after_seconds": each.stale_after_seconds}
            for data_set, each in found.data_sets.items()
        },
        "hidden": hidden,
    }


def _part(text: str) -> str:
    """A part of a key. What cannot be one names nothing."""
    if "/" in text or not text or len(text) > 200:
        raise UnknownPlaceError(f"There is no sheet {text[:60]!r}.")
    return text


def _gone(name: str, version: str) -> str:
    return (
        f"The version {version[:60]!r} of {name} is not here. Ask for the newest one: GET /api/v1/dashboards."
    )
