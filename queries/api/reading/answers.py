"""What the read API answers with (pure). The OpenAPI document is made of these, and nothing else is sent."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from queries.api.reading.port import Row
from queries.api.reading.row_rules import Access
from queries.contracts import Report
from queries.ledger.state import PartitionState
from queries.refresh.freshness import complete_at

Condition = Literal["running", "quarantined", "stale", "fresh"]


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ReportAnswer(_Answer, frozen=True, kw_only=True):
    """A report. `version` names what is published of its newest 100 partitions: it changes with each publish.

    `as_of` is when the input of the newest published partition was listed. `stale`: whether input has come
    that one of the newest 100 partitions does not have yet. `access` says which rows the caller sees.
    """

    name: str
    title: str
    grain: Literal["event_hour", "event_date"]
    zone: str
    schema_version: int
    version: str
    newest: str | None
    as_of: str | None
    published_at: str | None
    stale: bool
    access: Access


class ReportsAnswer(_Answer, frozen=True, kw_only=True):
    """Every report, in order of name."""

    reports: tuple[ReportAnswer, ...]


class ColumnAnswer(_Answer, frozen=True, kw_only=True):
    """A column, its type in Athena's spelling."""

    name: str
    type: str


class OneReportAnswer(ReportAnswer, frozen=True, kw_only=True):
    """A report with its columns. `keys` are unique together within a partition."""

    columns: tuple[ColumnAnswer, ...]
    keys: tuple[str, ...]


class FreshnessAnswer(_Answer, frozen=True, kw_only=True):
    """A partition. `is_complete`: its input was listed after the lateness of the report had passed."""

    report: str
    partition: str
    condition: Condition
    as_of: str | None
    published_at: str | None
    newest_input_at: str | None
    is_complete: bool


class FreshnessesAnswer(_Answer, frozen=True, kw_only=True):
    """Partitions. `next` is the first one that did not fit into the answer, to be sent as `from`."""

    partitions: tuple[FreshnessAnswer, ...]
    next: str | None


class FileAnswer(_Answer, frozen=True, kw_only=True):
    """A Parquet file of what is published; its address can be read by anybody until it expires."""

    partition: str
    url: str
    bytes: int
    expires_at: str


class FilesAnswer(_Answer, frozen=True, kw_only=True):
    """Files. `next` is the first partition that did not fit into the answer, to be sent as `from`."""

    files: tuple[FileAnswer, ...]
    next: str | None


def report_answer(
    report: Report, newest: Sequence[PartitionState], version: str, access: Access
) -> ReportAnswer:
    """The report, by its newest partitions, the newest one first."""
    published = [state for state in newest if state.published is not None]
    first = published[0].published if published else None
    return ReportAnswer(
        name=report.name,
        title=report.title,
        grain=report.grain,
        zone=report.zone or "UTC",
        schema_version=report.version,
        version=version,
        newest=published[0].partition if published else None,
        as_of=moment(first.as_of) if first else None,
        published_at=moment(first.published_at) if first else None,
        stale=any(state.is_stale for state in newest),
        access=access,
    )


def one_report(report: Report, found: ReportAnswer) -> OneReportAnswer:
    """The same with the report's columns."""
    columns = [ColumnAnswer(name=report.grain, type="varchar")]
    columns += [ColumnAnswer(name=column.name, type=column.type) for column in report.columns]
    return OneReportAnswer(**msgspec.structs.asdict(found), columns=tuple(columns), keys=report.keys)


def freshness_answer(report: Report, state: PartitionState) -> FreshnessAnswer:
    """A partition; not how many rows it has, which somebody may not know who sees some of them only."""
    published = state.published
    return FreshnessAnswer(
        report=report.name,
        partition=state.partition,
        condition=state.condition,
        as_of=moment(published.as_of) if published else None,
        published_at=moment(published.published_at) if published else None,
        newest_input_at=moment(published.input.newest) if published and published.input.newest else None,
        is_complete=published is not None
        and not state.is_stale
        and published.as_of >= complete_at(report, state.partition),
    )


def moment(milliseconds: int) -> str:
    """Epoch milliseconds as text in UTC."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec='milliseconds')[:23]}Z"


def names_of(report: Report) -> list[str]:
    """The columns of a row as it is given: the partition's first."""
    return [report.grain, *(column.name for column in report.columns)]


def json_row(report: Report, row: Row) -> bytes:
    """A row as a JSON object. Decimals are texts, so that none is rounded."""
    values = (row.partition, *row.values)
    return msgspec.json.encode(dict(zip(names_of(report), values, strict=True)))


def json_page(rows: Sequence[bytes], following: str | None, access: Access) -> bytes:
    """A page of rows as JSON."""
    rest = msgspec.json.encode({"next": following, "access": access})
    return b'{"rows":[' + b",".join(rows) + b"]," + rest[1:]


def csv_row(row: Row) -> bytes:
    """A row as a line of RFC 4180."""
    return _line((row.partition, *row.values))


def csv_page(report: Report, rows: Sequence[bytes]) -> bytes:
    """A page of rows as CSV, the names of the columns first."""
    return _line(names_of(report)) + b"".join(rows)


def _line(values: Iterable[Any]) -> bytes:
    return (",".join(map(_cell, values)) + "\r\n").encode()


def _cell(value: Any) -> str:
    """Texts stand in quotes, so that an empty one is not taken for NULL, as Athena writes them."""
    if value is None:
        return ""
    if isinstance(value, str):
        quoted = value.replace('"', '""')
        return f'"{quoted}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
