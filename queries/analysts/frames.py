"""Reports and events as data frames, for notebooks: `read_report` and `read_events`.

Athena writes the rows as Parquet below the work group's output location, and awswrangler reads them: types
come from the declarations, never from what the values look like. Nothing else of the package imports this.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import awswrangler as wr
import pandas as pd
import pyarrow as pa
from botocore.exceptions import ClientError

from queries.analysts.types import arrow_type
from queries.commands.cost import billed_bytes, dollars
from queries.contracts import Grain, Report
from queries.engine.trino_types import trino_type
from queries.hours import day_of, hour_of, parse_day, parse_hour
from queries.refresh.catalog import UnknownReportError
from queries.refresh.rendering import FIRST_ARRIVAL
from queries.store.event_views import EventView, event_views
from transforms.contracts import EVENT_HOUR, LakeTable

When = str | date | datetime
"""An hour (`2026-11-24-10`), a day (`2026-11-24`), a date, or a time with a zone."""


class UnknownEventTypeError(LookupError):
    """No delivered event type has this name; the text lists those there are."""


class UnknownColumnError(LookupError):
    """A column that was asked for does not exist; the text lists those that do."""


class PeriodError(ValueError):
    """The period cannot be read, or ends before it begins."""


class ReadFailedError(RuntimeError):
    """Athena did not run the query; the text says why and what to try."""


class Project(Protocol):
    """What can be read, by name: reports, and the event types of lake tables."""

    @property
    def reports(self) -> Mapping[str, Report]: ...
    @property
    def tables(self) -> Mapping[str, LakeTable]: ...


@dataclass(frozen=True)
class Athena:
    """Where queries run. The defaults are those of the deployment `production`.

    Attributes:
        database, work_group: of the deployment; analysts have a work group of their own.
        session: boto3's; None is the default one, which the environment decides.
        project: whose reports and events are read (`infra.project.loading.find`).
        new_name: names the folder of each result.
    """

    project: Project

    database: str = "penstock"
    work_group: str = "penstock-analysts"
    session: Any = None
    new_name: Callable[[], str] = field(default=lambda: uuid.uuid4().hex)

    def frame(self, sql: str, columns: dict[str, pa.DataType]) -> pd.DataFrame:
        """The query's rows with these columns and types; `attrs` tells the cost. Raises ReadFailedError."""
        target = f"{self._output_location()}frames/{self.new_name()}/"
        try:
            done = wr.athena.unload(
                sql, target, self.database, workgroup=self.work_group, boto3_session=self.session
            )
        except wr.exceptions.QueryFailed as error:
            raise ReadFailedError(_advised(str(error))) from error
        except (wr.exceptions.InvalidArgumentValue, ClientError) as error:
            raise ReadFailedError(f"Athena did not take the query: {error}") from error
        files = wr.s3.list_objects(target, boto3_session=self.session)
        frame = self._read(files, columns) if files else _empty(columns)
        frame.attrs.update(_facts(done.raw_payload))
        return frame

    def _read(self, files: Sequence[str], columns: dict[str, pa.DataType]) -> pd.DataFrame:
        found = wr.s3.read_parquet(
            path=list(files), dtype_backend="pyarrow", boto3_session=self.session, use_threads=False
        )
        return pd.DataFrame({name: found[name].astype(pd.ArrowDtype(kind)) for name, kind in columns.items()})

    def _output_location(self) -> str:
        session = self.session
        client = (session.client if session is not None else _default_client)("athena")
        group = client.get_work_group(WorkGroup=self.work_group)["WorkGroup"]
        location = group["Configuration"]["ResultConfiguration"]["OutputLocation"]
        return str(location).rstrip("/") + "/"


def read_report(name: str, first: When, last: When, *, athena: Athena) -> pd.DataFrame:
    """The rows of a report's partitions from `first` to `last`, both included, ordered by partition and keys.

    Columns have the types that the report declares. `attrs` has `bytes_scanned`, `bytes_billed`, `dollars`,
    `seconds` and `query_execution_id`. Raises UnknownReportError, PeriodError and ReadFailedError.
    """
    if name not in athena.project.reports:
        raise UnknownReportError(
            f"There is no report {name!r}. There are: {', '.join(athena.project.reports)}."
        )
    report = athena.project.reports[name]
    start, end = _period(report.grain, first, last)
    columns = {column.name: arrow_type(column.type) for column in report.columns}
    columns[report.grain] = pa.string()
    sql = (
        f"SELECT {', '.join(columns)} FROM {report.name} "  # noqa: S608 - declared names and checked hours only
        f"WHERE {report.grain} BETWEEN '{start}' AND '{end}'"
    )
    return _ordered(athena.frame(sql, columns), [report.grain, *report.keys])


def read_events(
    event_type: str,
    first: When,
    last: When,
    columns: Iterable[str] | None = None,
    *,
    athena: Athena,
) -> pd.DataFrame:
    """Events of one type from `first` to `last`, both included, each once, in order of time.

    `columns` are those of the type's view; all of them without it. Fewer columns scan fewer bytes. The frame
    is as `read_report`'s. Raises UnknownEventTypeError, UnknownColumnError, PeriodError and ReadFailedError.
    """
    view = _view(athena.project.tables, event_type)
    start, end = _period("event_hour", first, last)
    types = {column.name: column.type for column in view.columns}
    wanted = list(dict.fromkeys(types if columns is None else columns))
    if missing := [name for name in wanted if name not in types]:
        raise UnknownColumnError(
            f"{event_type} has no column {', '.join(map(repr, missing))}. It has: {', '.join(types)}."
        )
    if not wanted:
        raise UnknownColumnError(f"No column was asked for. {event_type} has: {', '.join(types)}.")
    kinds = {name: arrow_type(trino_type(types[name])) for name in wanted}
    order = [name for name in ("event_time", *FIRST_ARRIVAL, "event_id") if name in types]
    read = {name: arrow_type(trino_type(types[name])) for name in (*wanted, *order)}
    sql = (
        f"SELECT {', '.join(read)} FROM {view.name} "  # noqa: S608 - declared names and checked hours only
        f"WHERE {EVENT_HOUR} BETWEEN '{start}' AND '{end}'"
    )
    ordered = _ordered(athena.frame(sql, read), order)
    frame = ordered[list(kinds)]
    frame.attrs = ordered.attrs
    return frame


def _view(tables: Mapping[str, LakeTable], event_type: str) -> EventView:
    views = event_views(tables)
    if event_type not in views:
        raise UnknownEventTypeError(f"There is no event type {event_type!r}. There are: {', '.join(views)}.")
    return views[event_type]


def _period(grain: Grain, first: When, last: When) -> tuple[str, str]:
    (start, _), (_, end) = _bounds(grain, first), _bounds(grain, last)
    if end < start:
        raise PeriodError(f"The period ends ({last}) before it begins ({first}).")
    return start, end


def _bounds(grain: Grain, when: When) -> tuple[str, str]:
    """The first and the last partition in an hour, a day or at a moment."""
    moment, is_day = _moment(when)
    if grain == "event_date":
        return day_of(moment), day_of(moment)
    return hour_of(moment), hour_of(moment + timedelta(hours=23)) if is_day else hour_of(moment)


def _moment(when: When) -> tuple[datetime, bool]:
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise PeriodError(f"The time {when} has no zone. Add one, for example tzinfo=UTC.")
        return when, False
    text = when.isoformat() if isinstance(when, date) else when
    for parse, is_day in ((parse_hour, False), (parse_day, True)):
        try:
            return parse(text), is_day
        except ValueError:
            continue
    raise PeriodError(f"{text!r} is neither an hour nor a day. Write 2026-11-24-10 or 2026-11-24.")


def _ordered(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    ordered = frame.sort_values(list(by), ignore_index=True, kind="stable")
    ordered.attrs = frame.attrs
    return ordered


def _empty(columns: dict[str, pa.DataType]) -> pd.DataFrame:
    table = pa.schema(list(columns.items())).empty_table()
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _facts(execution: Any) -> dict[str, Any]:
    statistics = execution.get("Statistics", {})
    scanned = int(statistics.get("DataScannedInBytes", 0))
    billed = billed_bytes(scanned)
    return {
        "bytes_scanned": scanned,
        "bytes_billed": billed,
        "dollars": dollars(billed),
        "seconds": statistics.get("TotalExecutionTimeInMillis", 0) / 1000,
        "query_execution_id": execution["QueryExecutionId"],
    }


def _advised(reason: str) -> str:
    if "ytes scanned" in reason or "CUTOFF" in reason:
        return f"{reason} Ask for fewer hours or fewer columns."
    return reason


def _default_client(service: str) -> Any:
    import boto3

    return boto3.client(service)  # type: ignore[call-overload]
