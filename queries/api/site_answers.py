"""What the report site's routes take and answer with, as the OpenAPI document has it.

A sheet's tiles are what the page draws, and change with it: the document leaves them open.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "no_such_place",
    409: "nothing_to_give",
    410: "version_gone",
    503: "not_published",
}
"""Why the site refuses, by status."""
USUAL_DAYS, MOST_DAYS = 7, 30
"""Of failures: how many are asked for when nobody says it, and how many may be."""
_Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ViewBody(_Answer, frozen=True, kw_only=True):
    """The body of a request for a view: `state` as in the page's address, `p.NAME=VALUE&f.FILTER=VALUE`."""

    sheet: _Name
    version: _Name
    state: _Text = ""


class NumberBody(_Answer, frozen=True, kw_only=True):
    """The body of a request for what is behind a number: its visual, the column's alias, the values of the
    row's other columns by alias, and `state` as in `ViewBody`.
    """

    version: _Name
    visual: _Name
    column: _Name
    at: Annotated[Mapping[str, _Text], msgspec.Meta(max_length=50)] = {}
    state: _Text = ""


class CellAnswer(_Answer, frozen=True, kw_only=True):
    """A number of a report, as text; `command` makes its receipt."""

    partition: str
    keys: Mapping[str, str]
    column: str
    value: str
    command: str


class NumberAnswer(_Answer, frozen=True, kw_only=True):
    """What a number on a sheet is computed from: `total` numbers of one report, the newest of them listed."""

    title: str
    text: str
    report: str
    total: int
    cells: Sequence[CellAnswer]


class SheetNameAnswer(_Answer, frozen=True, kw_only=True):
    """A sheet: its id in paths, and its name for people."""

    id: str
    name: str


class DataSetAnswer(_Answer, frozen=True, kw_only=True):
    """How far the numbers of a dataset go, and after how many seconds that counts as stale."""

    through: str | None
    stale_after_seconds: int | None


class DashboardAnswer(_Answer, frozen=True, kw_only=True):
    """A dashboard. `published_at` in epoch milliseconds. `hidden` has the datasets of which the caller sees
    no row, each with the groups that do.
    """

    name: str
    title: str
    version: str
    published_at: int
    as_of: str | None
    sheets: Sequence[SheetNameAnswer]
    data_sets: Mapping[str, DataSetAnswer]
    hidden: Mapping[str, Sequence[str]]


class DashboardsAnswer(_Answer, frozen=True, kw_only=True):
    """Every dashboard that is published, in order of name."""

    dashboards: Sequence[DashboardAnswer]


class SheetAnswer(_Answer, frozen=True, kw_only=True):
    """A sheet as it is drawn for the caller: its tiles with their numbers, and the frame of its dashboard."""

    tiles: Sequence[Mapping[str, Any]]
    parameters: Mapping[str, Mapping[str, Any]]
    choices: Mapping[str, Sequence[str]]
    fresh: Mapping[str, Mapping[str, Any]]
    data_range: Mapping[str, str | None]
    error: str
    frame: Mapping[str, Any]


class FailedSample(_Answer, frozen=True, kw_only=True):
    """One event that failed, by names of the contract and numbers: nothing that the record says."""

    record_id: str
    arrival_time: str
    kind: str
    code: str
    attempts: int
    stream: str
    event_type: str
    event_time: str
    place: str
    producer_id: str
    epoch: int | None
    seq: int | None
    line: int | None
    line_length: int | None
    line_reason: str
    is_replayed: bool


class FailedReason(_Answer, frozen=True, kw_only=True):
    """Events that failed for one reason. `to_replay` of them only wait for being replayed; an empty name of a
    type or a stream stands for unknown ones; `newest` is when the newest one arrived.
    """

    reason: str
    events: int
    to_replay: int
    event_types: Mapping[str, int]
    streams: Mapping[str, int]
    newest: str
    samples: Sequence[FailedSample]


class FailedAnswer(_Answer, frozen=True, kw_only=True):
    """What failed from the day `since` on, the most frequent reason first. `objects` error objects were read;
    unless `is_complete`, there are older ones. `unreadable` stretches of them cannot be read.
    """

    since: str
    objects: int
    is_complete: bool
    unreadable: int
    reasons: Sequence[FailedReason]
