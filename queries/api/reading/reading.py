"""Answers to requests that read, over the ports: no HTTP library, no AWS."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from queries.api.callers import Caller
from queries.api.reading import answers
from queries.api.reading.asking import (
    CSV,
    JSON,
    MOST_PARTITIONS,
    Media,
    Parameters,
    RowsAsked,
    one,
    only,
    period_asked,
    rows_asked,
)
from queries.api.reading.cursors import cursor_text
from queries.api.reading.errors import RestrictedError
from queries.api.reading.pages import Window, page_of, window_of
from queries.api.reading.port import Objects, RowReader, Standings
from queries.api.reading.row_rules import RowRule, Seen, seen
from queries.api.reading.versions import digest, version_of
from queries.contracts import Report
from queries.ledger.state import PartitionState
from queries.refresh.catalog import UnknownReportError

FILE_SECONDS = 300
"""How long an address of a file can be used."""


class Given(NamedTuple):
    """An answer: its body, or None where the caller has it already; `etag` names what it says."""

    body: bytes | None
    etag: str = ""
    media: Media = JSON
    following: str | None = None


class Reading:
    """Reports as the callers may see them. `is_known` says whether a caller has what an ETag names."""

    def __init__(
        self,
        reports: Mapping[str, Report],
        rules: Mapping[str, RowRule],
        standings: Standings,
        objects: Objects,
        reader: RowReader,
        clock: Callable[[], int],
    ) -> None:
        self._reports, self._rules = reports, rules
        self._standings, self._objects, self._reader, self._clock = standings, objects, reader, clock

    def all_reports(self, caller: Caller, given: Parameters) -> Given:
        """Every report. Raises AskedError."""
        only(given, [])
        return _given(answers.ReportsAnswer(reports=self.described(caller)))

    def described(self, caller: Caller) -> tuple[answers.ReportAnswer, ...]:
        """Every report, as the caller may see it."""
        return tuple(self._described(report, caller) for report in self._reports.values())

    def report(self, caller: Caller, name: str, given: Parameters) -> Given:
        """One report. Raises UnknownReportError, AskedError."""
        only(given, [])
        report = self._report(name)
        return _given(answers.one_report(report, self._described(report, caller)))

    def rows(
        self, caller: Caller, name: str, given: Parameters, media: Media, is_known: Callable[[str], bool]
    ) -> Given:
        """A page of rows. Raises UnknownReportError, AskedError, CursorGoneError, RowsMissingError and
        TooLargeError.
        """
        report = self._report(name)
        asked = rows_asked(given, report)
        visible = seen(self._rules.get(name), caller)
        window = window_of(self._standings, report, asked, visible)
        etag = _page_etag(report, asked, visible, window, media)
        if is_known(etag):
            return Given(None, etag, media)
        encode = answers.csv_row if media == CSV else lambda row: answers.json_row(report, row)
        page = page_of(self._reader, report, asked, window, visible, encode)
        following = cursor_text(page.following) if page.following else None
        if media == CSV:
            return Given(answers.csv_page(report, page.encoded), etag, media, following)
        return Given(answers.json_page(page.encoded, following, visible.access), etag, media, following)

    def files(self, caller: Caller, name: str, given: Parameters) -> Given:
        """Addresses of files. Raises UnknownReportError, AskedError and RestrictedError."""
        report = self._report(name)
        if (access := seen(self._rules.get(name), caller).access) != "all":
            raise RestrictedError(
                f"You see {access} of the rows of {name}, and its files have all of them. Read its rows."
            )
        asked = period_asked(given, report)
        states = self._standings.between(name, asked.first, asked.last, asked.limit + 1)
        expires = answers.moment(self._clock() + FILE_SECONDS * 1000)
        found = [
            answers.FileAnswer(
                partition=state.partition,
                url=self._objects.address(file.key, FILE_SECONDS),
                bytes=file.size,
                expires_at=expires,
            )
            for state in states[: asked.limit]
            if state.published is not None
            for file in self._objects.below(state.published.location)
        ]
        return _given(
            answers.FilesAnswer(files=tuple(found), next=_following(states, asked.limit)), etag=False
        )

    def freshness(self, given: Parameters) -> Given:
        """How fresh partitions are: of one report, or the newest ones of each. Raises UnknownReportError,
        AskedError.
        """
        name = one(given, "report")
        if name is None:
            only(given, ["limit", "report"])
            limit = period_asked(given, next(iter(self._reports.values()))).limit if self._reports else 0
            found = [
                answers.freshness_answer(report, state)
                for report in self._reports.values()
                for state in reversed(self._standings.newest(report.name, limit))
            ]
            return _given(answers.FreshnessesAnswer(partitions=tuple(found), next=None))
        report = self._report(name)
        asked = period_asked(given, report, "report")
        states = self._standings.between(name, asked.first, asked.last, asked.limit + 1)
        partitions = tuple(answers.freshness_answer(report, state) for state in states[: asked.limit])
        return _given(answers.FreshnessesAnswer(partitions=partitions, next=_following(states, asked.limit)))

    def _report(self, name: str) -> Report:
        if name not in self._reports:
            known = ", ".join(self._reports) or "none"
            raise UnknownReportError(f"There is no report {name!r}. There are: {known}.")
        return self._reports[name]

    def _described(self, report: Report, caller: Caller) -> answers.ReportAnswer:
        newest = self._standings.newest(report.name, MOST_PARTITIONS)
        access = seen(self._rules.get(report.name), caller).access
        return answers.report_answer(report, newest, version_of(report, newest), access)


def _following(states: Sequence[PartitionState], limit: int) -> str | None:
    return states[limit].partition if len(states) > limit else None


def _page_etag(report: Report, asked: RowsAsked, visible: Seen, window: Window, media: Media) -> str:
    """Names a page: of what it is read, what was asked for, and what the caller sees of it."""
    return digest(
        [report.name, report.version, report.keys, [(column.name, column.type) for column in report.columns]],
        [(version.partition, version.published.location) for version in window.versions],
        window.following,
        [asked.first, asked.last, asked.limit, asked.cursor, media],
        sorted((name, list(map(str, values))) for name, values in asked.filters.items()),
        [visible.column, None if visible.values is None else sorted(visible.values)],
    )


def _given(answer: msgspec.Struct, *, etag: bool = True) -> Given:
    body = msgspec.json.encode(answer)
    return Given(body, hashlib.sha256(body).hexdigest()[:32] if etag else "")
