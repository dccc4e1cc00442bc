"""Where the evidence for the accounting identity is found: the lake, failed records, the transform's log."""

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from infra.accounting.intervals import IntervalSet, Span
from infra.accounting.landings import LANDED, spans_of
from infra.accounting.names import names_in
from infra.accounting.reconcile import Evidence, ProducerEpoch
from producers.contracts import AUDIT_TYPE
from queries.engine.port import QueryFailedError, Reads
from queries.hours import hour_of, parse_hour
from transforms.contracts import EVENT_HOUR, FAILED_PREFIX, is_data

Spans = defaultdict[ProducerEpoch, list[Span]]

DROPPED_FIELD, DROPPED_HOURS_FIELD = "dropped_seqs", "dropped_hours"
MOST_UNREADABLE = 100
"""Hours that are left out of one accounting; with more of them something else is wrong."""
MOST_NAMED = 200
"""Producers that a statement names."""
_OBJECT = re.compile(rf"s3://[^/\s]+/(?P<table>\w+)/{EVENT_HOUR}=(?P<hour>\d{{4}}-\d\d-\d\d-\d\d)/")


@dataclass(frozen=True)
class Places:
    """Where to look.

    Attributes:
        engine: runs SQL over the lake.
        s3, logs: boto3 clients.
        lake_bucket: has the failed records below `FAILED_PREFIX`.
        transform_functions: their logs tell what was dropped, each of its own stream.
        tables: names of the lake tables.
    """

    engine: Reads
    s3: Any
    logs: Any
    lake_bucket: str
    transform_functions: Sequence[str]
    tables: Sequence[str]


def gather(places: Places, *, but: frozenset[str] = frozenset()) -> Evidence:
    """Everything that is known now, without the nameless failed records `but`.

    Hours of the lake with an object that cannot be read are left out, and named. Raises QueryFailedError when
    a query fails for another reason, botocore's errors.
    """
    firsts = {table: first_hour(places.s3, places.lake_bucket, table) for table in places.tables}
    found = found_in(places.engine, places.tables, firsts=firsts)
    failed, nameless = failed_names(failed_records(places))
    dropped, dropped_copies = dropped_names(transform_lines(places))
    copies = {
        name: found.copies.get(name, 0) + dropped_copies.get(name, 0)
        for name in {*found.copies, *dropped_copies}
    }
    return replace(found, copies=copies, failed=failed, dropped=dropped, nameless=nameless - but)


def first_hour(s3: Any, lake_bucket: str, table: str) -> str:
    """The earliest event hour of which the table has an object; empty when it has none.

    Athena lists every hour that a query asks for, back to the beginning of the table's projection.
    """
    listed = s3.list_objects_v2(Bucket=lake_bucket, Prefix=f"{table}/{EVENT_HOUR}=", MaxKeys=1)
    keys = [each["Key"] for each in listed.get("Contents", ())]
    return keys[0].split("=", 1)[1].partition("/")[0] if keys else ""


def found_in(
    engine: Reads,
    lake_tables: Sequence[str],
    *,
    among: Sequence[str] = (),
    firsts: Mapping[str, str] = MappingProxyType({}),
) -> Evidence:
    """What the lake tables say; with `among`, of these producers only. Raises QueryFailedError.

    `firsts` has the first hour of tables, before which nothing is asked for; all is where none is named.
    """
    told: dict[ProducerEpoch, int] = {}
    landed: Spans = defaultdict(list)
    newest: dict[ProducerEpoch, float] = {}
    rows: defaultdict[ProducerEpoch, int] = defaultdict(int)
    unreadable: dict[str, str] = {}
    tables: dict[ProducerEpoch, str] = {}
    for table in lake_tables:
        hours: dict[str, str] = {}
        found = readable(engine, LANDED, table, hours, among, firsts.get(table, ""))
        for producer_id, epoch, stretches, count, arrived, audited, last in found:
            if count:
                name = ProducerEpoch(producer_id, int(epoch))
                newest[name] = max(float(arrived or 0), newest.get(name, 0.0))
                landed[name] += spans_of(stretches)
                tables[name] = table
                rows[name] += int(count)
            if audited is not None:
                name = ProducerEpoch(audited, int(epoch))
                told[name] = max(int(last), told.get(name, 0))
                tables[name] = table
        unreadable |= {f"{table}/{EVENT_HOUR}={hour}": reason for hour, reason in hours.items()}
    sets = _sets(landed)
    return Evidence(
        told=told,
        landed=sets,
        copies={name: rows[name] - len(numbers) for name, numbers in sets.items()},
        newest=newest,
        unreadable=unreadable,
        tables=tables,
    )


def _of_producers(column: str, among: Sequence[str]) -> str:
    """The condition that a column names one of these producers; of very many all are read."""
    if not among or len(among) > MOST_NAMED:
        return ""
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in among)
    return f" AND {column} IN ({listed})"


def readable(
    engine: Reads,
    sql: str,
    table: str,
    unreadable: dict[str, str],
    among: Sequence[str] = (),
    first: str = "",
) -> Sequence[Sequence[Any]]:
    """The statement's rows, of the hours from `first` on that can be read; adds to those that cannot be, with
    the reason.

    Athena names the object that it could not read, and says nothing of the others: so an hour is left out
    for each answer of that kind.
    """
    while True:
        try:
            text = sql.format(
                table=_hours(table, unreadable, first),
                among=_of_producers("producer_id", among),
                audited=_of_producers(f"{AUDIT_TYPE}.producer", among),
            )
            return engine.rows(text).rows
        except QueryFailedError as error:
            named = _OBJECT.search(str(error))
            if named is None or named["table"] != table or named["hour"] in unreadable:
                raise
            if len(unreadable) >= MOST_UNREADABLE:
                raise
            unreadable[named["hour"]] = "".join(c if c.isprintable() else "?" for c in str(error))


def _hours(table: str, unreadable: Iterable[str], first: str) -> str:
    """The table from its first hour on, without unreadable ones, as spans that end beside them: only so no
    engine opens their objects.
    """
    left = sorted(unreadable)
    if not left:
        return _span(table, f">= '{first}'") + " AS readable" if first else table
    before, after = ([hour_of(parse_hour(hour) + timedelta(hours=step)) for hour in left] for step in (-1, 1))
    bounds = [
        f"BETWEEN '{begin}' AND '{end}'" if begin else f"<= '{end}'"
        for begin, end in zip((first, *after), before, strict=False)
        if begin <= end
    ]
    spans = " UNION ALL ".join(_span(table, bound)[1:-1] for bound in [*bounds, f">= '{after[-1]}'"])
    return f"({spans}) AS readable"


def _span(table: str, bound: str) -> str:
    return f"(SELECT * FROM {table} WHERE {EVENT_HOUR} {bound})"  # noqa: S608


def failed_names(records: Iterable[bytes]) -> tuple[Mapping[ProducerEpoch, IntervalSet], frozenset[str]]:
    """The names in these failed records, and the hashes of those without one."""
    named: Spans = defaultdict(list)
    nameless: set[str] = set()
    for raw in records:
        names = names_in(raw)
        for name, seq in names:
            if seq > 0:  # 0 is an audit event, which is about the sequence and not in it
                named[name].append((seq, seq))
        if not names:
            nameless.add(hashlib.sha256(raw).hexdigest())
    return _sets(named), frozenset(nameless)


def dropped_names(
    lines: Iterable[str],
) -> tuple[Mapping[ProducerEpoch, IntervalSet], Mapping[ProducerEpoch, int]]:
    """The names in the `dropped_seqs` of the transform's log lines, and how many copies were dropped besides.

    A line counts copies (`dropped`) and names events; other lines say nothing of it.
    """
    spans: Spans = defaultdict(list)
    copies: defaultdict[ProducerEpoch, int] = defaultdict(int)
    for line in lines:
        facts = _facts(line)
        named = {_run(label): IntervalSet.parse(text) for label, text in facts.get(DROPPED_FIELD, {}).items()}
        for name, seqs in named.items():
            spans[name] += seqs.spans
            copies[name] += len(seqs)
        if named:
            # Which producer sent the copies within one batch is not told; nearly always there is one.
            copies[next(iter(named))] += max(0, int(facts.get("dropped", 0)) - sum(map(len, named.values())))
    found = _sets(spans)
    return found, {name: count - len(found[name]) for name, count in copies.items()}


def dropped_by_hour(lines: Iterable[str]) -> Mapping[str, Mapping[ProducerEpoch, IntervalSet]]:
    """The same names by the hour of their event time, of the lines that tell it."""
    found: defaultdict[str, Spans] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for hour, runs in _facts(line).get(DROPPED_HOURS_FIELD, {}).items():
            for label, text in runs.items():
                found[hour][_run(label)] += IntervalSet.parse(text).spans
    return {hour: _sets(spans) for hour, spans in found.items()}


def _run(label: str) -> ProducerEpoch:
    producer_id, _, epoch = label.rpartition("/")
    return ProducerEpoch(producer_id, int(epoch))


def _facts(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line[line.index("{") :])
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def failed_records(places: Places) -> Iterator[bytes]:
    """The original bytes of every failed record."""
    pages = places.s3.get_paginator("list_objects_v2").paginate(
        Bucket=places.lake_bucket, Prefix=FAILED_PREFIX
    )
    keys = [each["Key"] for page in pages for each in page.get("Contents", ()) if is_data(each["Key"])]

    def read(key: str) -> bytes:
        body: bytes = places.s3.get_object(Bucket=places.lake_bucket, Key=key)["Body"].read()
        return body

    with ThreadPoolExecutor(8) as pool:
        for body in pool.map(read, keys):
            for line in body.splitlines():
                yield base64.b64decode(json.loads(line)["rawData"])


def transform_lines(places: Places) -> Iterator[str]:
    """The log lines of every stream's transformation that name dropped events."""
    for function in places.transform_functions:
        pages = places.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}", filterPattern=f'"{DROPPED_FIELD}"'
        )
        for page in pages:
            yield from (event["message"] for event in page["events"])


def _sets(spans: Spans) -> dict[ProducerEpoch, IntervalSet]:
    return {name: IntervalSet.of(each) for name, each in spans.items()}
