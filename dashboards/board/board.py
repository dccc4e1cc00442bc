"""What the preview serves: emitted assets with their data, kept fresh."""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboards.board.access import OWNER, Rules, Viewer, condition, rules_arn, viewers
from dashboards.board.data import AthenaQuery, Snapshots, Source, source
from dashboards.expressions.duckdb_sql import sql
from dashboards.expressions.tree import ExpressionError, Field
from dashboards.render.page import Page
from dashboards.render.state import State
from dashboards.render.tile import through
from dashboards.render.view import View

_QUERIES_AT_ONCE = 4
Assets = Mapping[str, Any]
"""Logical id -> resource with `type` and `properties`, as dashboards.emit gives them."""


@dataclass(frozen=True)
class Freshness:
    """How fresh a dataset is: rows, newest time in it, when it was read, and when it counts as stale."""

    rows: int
    through: datetime | None
    read_at: datetime
    is_stale: bool
    error: str = ""


class Board:
    """The pages of one set of assets. Thread-safe.

    Args:
        build: makes the assets; called again by `rebuild`. What it raises is shown on the page.
        query: gives the rows of a dataset's SQL.
        stale_after: report -> seconds after which its newest row counts as stale.
        clock: now, in UTC.
    """

    def __init__(
        self,
        build: Callable[[], Assets],
        query: AthenaQuery,
        *,
        stale_after: Mapping[str, int],
        clock: Callable[[], datetime],
    ) -> None:
        self._build, self._query = build, query
        self._stale_after, self._clock = stale_after, clock
        self.data = Snapshots()
        self._lock = threading.RLock()
        self._sources: dict[str, Source] = {}
        self._rules: dict[str, Rules] = {}
        self._groups: list[str] = []
        self._state: dict[str, tuple[int, datetime, str]] = {}
        self.pages: dict[str, Page] = {}
        self.copies: dict[str, bool] = {}
        """Datasets that QuickSight holds a copy of, and whether a schedule reads their newest rows too."""
        self._adopted: dict[str, Page] = {}
        self.error = ""

    def rebuild(self) -> bool:
        """Make the assets anew; true when that worked. The old pages stay when it did not."""
        try:
            assets = self._build()
            self._open(assets)
        except ValueError as error:
            self.error = str(error)
            return False
        self.error = ""
        return True

    def adopt(self, page: Page) -> None:
        """Show a page that is not made here; it stays when the assets are made anew."""
        self._adopted[page.name] = page
        self.pages[page.name] = page

    def load(self, changed: "Mapping[str, Collection[str]] | None" = None) -> None:
        """Read datasets from Athena: all of them, or the partitions named of those named.

        A failure keeps the old rows and is reported.
        """
        wanted = [
            (entry, None if changed is None else changed[name])
            for name, entry in self._sources.items()
            if changed is None or name in changed
        ]
        # Athena takes its time for each; what was published together is on the page together.
        with ThreadPoolExecutor(_QUERIES_AT_ONCE) as pool:
            list(pool.map(lambda each: self._load(*each), wanted))
        self._groups = self._read_groups()

    def _load(self, entry: Source, partitions: Collection[str] | None) -> None:
        name, before = entry.name, self._state.get(entry.name)
        # After a failure nobody knows which partitions are missing.
        is_whole = partitions is None or before is None or bool(before[2])
        part = None if is_whole else entry.part(partitions or ())
        try:
            if part is None:
                count = self.data.load(entry, self._query(entry.sql))
            else:
                count = self.data.replace(entry, self._query(part.sql), part)
            self._state[name] = (count, self._now(), "")
        except Exception as error:  # noqa: BLE001
            if before is None:
                self.data.empty(name, _types(entry))
            rows, read_at, _ = before or (0, self._now(), "")
            self._state[name] = (rows, read_at, f"{type(error).__name__}: {error}")

    def view(self, name: str, state: State, viewer: Viewer = OWNER) -> View:
        """Everything that the visuals of a page are drawn from. Raises KeyError for an unknown page."""
        page = self.pages[name]
        rules = {
            data_set: text
            for data_set, entry in self._rules.items()
            if (text := condition(entry, viewer)) is not None
        }
        return View(page, state, self._now(), self.data.run, rules, self._colors(page))

    def viewers(self, name: str) -> list[str]:
        """Whom a page can be seen as."""
        return viewers(self.groups(name))

    def groups(self, name: str) -> list[str]:
        """The groups that see some rows of a page; none when everybody sees every row."""
        return sorted(set(self._groups)) if set(self.pages[name].columns) & set(self._rules) else []

    def freshness(self, name: str) -> dict[str, Freshness]:
        """How fresh each dataset of a page is."""
        found = {}
        view = self.view(name, State())
        for data_set in view.page.columns:
            rows, read_at, error = self._state.get(data_set, (0, self._now(), ""))
            newest = through(view, data_set)
            limit = timedelta(seconds=self._stale_after.get(data_set, 10**9))
            is_stale = newest is not None and self._now() - newest > limit
            found[data_set] = Freshness(rows, newest, read_at, is_stale, error)
        return found

    def choices(self, view: View) -> dict[str, list[str]]:
        """Filter id -> the values that its control offers, of the rows that the viewer may see."""
        found = {}
        for _, member, body in view.page.filters:
            if member != "CategoryFilter":
                continue
            data_set, column = body["Column"]["DataSetIdentifier"], body["Column"]["ColumnName"]
            rule = view.rules.get(data_set, "true")
            try:
                text = sql(Field(column), view.page.names(data_set))
                rows = view.run(
                    f'SELECT DISTINCT CAST({text} AS VARCHAR) AS v FROM "{data_set}" WHERE {rule} '  # noqa: S608
                    "AND v IS NOT NULL ORDER BY v LIMIT 500",
                    {},
                )
            except (ExpressionError, ValueError):
                rows = []
            found[body["FilterId"]] = [row[0] for row in rows]
        return found

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC).replace(tzinfo=None)

    def _open(self, assets: Assets) -> None:
        data_sets = {
            entry.properties["DataSetId"]: entry.properties
            for entry in assets.values()
            if entry.type == "AWS::QuickSight::DataSet"
        }
        scheduled = {
            entry.properties["DataSetId"]
            for entry in assets.values()
            if entry.type == "AWS::QuickSight::RefreshSchedule"
            and entry.properties["Schedule"]["ScheduleFrequency"]["Interval"] == "MINUTE15"
        }
        sources, rules, pages, copies = {}, {}, {}, {}
        for entry in assets.values():
            if entry.type != "AWS::QuickSight::Dashboard":
                continue
            definition, columns = entry.properties["Definition"], {}
            for declared in definition["DataSetIdentifierDeclarations"]:
                name, data_set_id = declared["Identifier"], declared["DataSetArn"].rpartition("/")[2]
                sources[name] = source(name, data_sets[data_set_id])
                columns[name] = sources[name].kinds
                if data_sets[data_set_id]["ImportMode"] == "SPICE":
                    copies[name] = data_set_id in scheduled
                if arn := rules_arn(data_sets[data_set_id]):
                    table = arn.rpartition("/")[2]
                    sources[table] = source(table, data_sets[table])
                    restricted = tuple(
                        c for c, _ in sources[table].columns if c not in ("GroupName", "UserName")
                    )
                    rules[name] = Rules(name, table, restricted)
            page_id = entry.properties["DashboardId"].partition("-")[2]
            pages[page_id] = Page(definition, columns, page_id, entry.properties["Name"].rpartition(" (")[0])
        with self._lock:
            self._sources, self._rules, self.pages = sources, rules, pages | self._adopted
            self.copies = copies

    def _read_groups(self) -> list[str]:
        return [
            row[0]
            for entry in self._rules.values()
            for row in self.data.run(f'SELECT DISTINCT GroupName FROM "{entry.table}"', {})  # noqa: S608
        ]

    def _colors(self, page: Page) -> dict[str, Any]:
        """Values of every column and field that a chart may color by: of all rows, whatever is filtered, so
        that colors never move. In order when each has a color of its own, else the most frequent first.
        """
        found: dict[str, Any] = {}
        for data_set, column, text in page.coloring:
            with suppress(ValueError):
                found[f"{data_set}/{column}"] = self.data.values(data_set, text)
        return found


def _types(entry: Source) -> dict[str, str]:
    from dashboards.column_types import of_quicksight

    return {name: of_quicksight(type_name).duckdb for name, type_name in entry.columns}
