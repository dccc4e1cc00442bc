"""A dashboard drawn for everybody who may look at it: the objects of one version."""

import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from dashboards import emit
from dashboards.board.access import OWNER, Viewer
from dashboards.board.board import Board
from dashboards.board.data import AthenaQuery
from dashboards.board.payload import Charts, frame, tiles
from dashboards.model import Dashboard
from dashboards.render.state import State
from dashboards.site import places
from dashboards.site.place import PLACE
from dashboards.site.pointer import DataSet, Published, SheetName
from queries.contracts import Report

_FORM = "2"
"""Raise it when what is drawn changes by a change of code: every dashboard is then published anew."""


class ExtractError(RuntimeError):
    """A dashboard could not be drawn whole; the text says which dataset is wrong."""


@dataclass(frozen=True)
class Declared:
    """A dashboard, the reports that it is made of, and what draws it.

    Attributes:
        digest: of the declaration and of its reports' columns; another one is another dashboard.
    """

    dashboard: Dashboard
    reports: Mapping[str, Report]
    charts: Charts

    @property
    def name(self) -> str:
        """As in addresses."""
        return self.dashboard.name

    @cached_property
    def assets(self) -> Mapping[str, emit.Resource]:
        """What is deployed of it."""
        return emit.resources(self.reports, {self.name: self.dashboard}, **PLACE)

    @cached_property
    def digest(self) -> str:
        """Changes with the deployed definition."""
        emitted = {name: [each.type, each.properties] for name, each in self.assets.items()}
        return hashlib.sha256(msgspec.json.encode([_FORM, emitted], order="sorted")).hexdigest()

    @cached_property
    def frame(self) -> Mapping[str, Any]:
        """The page without its numbers: the same one for every sheet, choice, viewer and time."""
        board = self.board(_no_rows, lambda: datetime.fromtimestamp(0, UTC))
        # Whom a page can be seen as is decided by who is signed in.
        return {**frame(board, self.name), "viewers": [OWNER]}

    def board(self, query: AthenaQuery, clock: Callable[[], datetime]) -> Board:
        """Its page, over rows that `query` gives. Raises ExtractError."""
        stale_after = {s.report: s.stale_after_seconds for s in self.dashboard.sources.values()}
        board = Board(lambda: self.assets, query, stale_after=stale_after, clock=clock)
        if not board.rebuild():
            raise ExtractError(f"{self.name} cannot be drawn: {board.error}")
        return board


def _no_rows(sql: str) -> Any:
    raise NotImplementedError(sql)


def token(declared: Declared, partitions: Mapping[str, str], read_at: int) -> str:
    """Changes with whatever a drawing is made from: the declaration, what is published (report -> token), and
    the hour, which ranges like `the last seven days` end with.
    """
    mine = [(report, partitions.get(report, "")) for report in sorted(declared.dashboard.sources)]
    hour = read_at // 3_600_000
    return hashlib.sha256(msgspec.json.encode([declared.digest, mine, hour])).hexdigest()


def loaded(declared: Declared, query: AthenaQuery, read_at: int) -> Board:
    """The dashboard's page with its rows, as of a time (epoch milliseconds). Raises ExtractError."""
    moment = datetime.fromtimestamp(read_at / 1000, UTC)
    board = declared.board(query, lambda: moment)
    board.load()
    check(board, declared.name)
    return board


def check(board: Board, name: str) -> None:
    """Raises ExtractError when a dataset could not be read: a page with old numbers is not published."""
    wrong = {data_set: fresh.error for data_set, fresh in board.freshness(name).items() if fresh.error}
    if wrong:
        data_set, error = next(iter(wrong.items()))
        raise ExtractError(f"{name}: the dataset {data_set} could not be read. {error}")


def sheet(declared: Declared, board: Board, sheet_id: str, state: State, viewer: Viewer) -> dict[str, Any]:
    """A sheet as the page fetches it: the tiles of the preview's answer, and the frame of the page.

    Raises KeyError.
    """
    drawn = tiles(board, declared.name, sheet_id, state, viewer, declared.reports, charts=declared.charts)
    return {**drawn, "frame": declared.frame}


def drawn(declared: Declared, board: Board, read_at: int, digest: str) -> tuple[Published, dict[str, bytes]]:
    """A version and its objects: every sheet for those who see every row, and for each group of its rules."""
    name, version = declared.name, places.version_of(read_at, digest)
    sheets = board.pages[name].sheets
    groups = board.groups(name)
    objects: dict[str, bytes] = {}
    for each in sheets:
        sheet_id = str(each["SheetId"])
        whole = packed(sheet(declared, board, sheet_id, State(), OWNER))
        objects[places.sheet_key(name, sheet_id, version)] = whole
        for viewer in _audiences(groups):
            key = places.sheet_key(name, sheet_id, version, places.audience_of(viewer))
            is_whole = _sees_all(declared, viewer)
            objects[key] = whole if is_whole else packed(sheet(declared, board, sheet_id, State(), viewer))
    for data_set in board.pages[name].columns:
        objects[places.rows_key(name, data_set, version)] = board.data.parquet(data_set)
    fresh = board.freshness(name)
    stale_after = {s.report: s.stale_after_seconds for s in declared.dashboard.sources.values()}
    found = Published(
        title=board.pages[name].title or name,
        version=version,
        read_at=read_at,
        digest=digest,
        sheets=tuple(SheetName(str(s["SheetId"]), str(s.get("Name", s["SheetId"]))) for s in sheets),
        data_sets={
            data_set: DataSet(
                entry.rows,
                entry.through.isoformat(timespec="seconds") if entry.through else None,
                stale_after.get(data_set),
            )
            for data_set, entry in sorted(fresh.items())
        },
        audiences=tuple(groups),
    )
    return found, objects


def _sees_all(declared: Declared, viewer: frozenset[str]) -> bool:
    """Whether each rule gives one of these groups every row."""
    rules = [each.access.groups for each in declared.dashboard.sources.values() if each.access is not None]
    return all(any(rule.get(group) == () for group in viewer) for rule in rules)


def _audiences(groups: Sequence[str]) -> list[frozenset[str]]:
    """Nobody's, and each group's own; somebody in several of them is drawn for when they ask."""
    return [frozenset(), *(frozenset([group]) for group in groups)] if groups else []


def packed(value: Any) -> bytes:
    """JSON, compressed, equal for equal values."""
    return gzip.compress(msgspec.json.encode(value), 9, mtime=0)
