"""`penstock failed`: list, explain, replay."""

import base64
import hashlib
import importlib
import inspect
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from producers.contracts import echo
from transforms.cli_context import Context, deployed_keys
from transforms.failed_index import FACETS, IndexEntry, Selection, counted
from transforms.failed_objects import UnreadableStretch
from transforms.failed_records import error_objects, explain, index
from transforms.failed_text import explained
from transforms.replay import Counts, Order, Repair, replay
from transforms.review import keyless_reviewer, reviewer
from transforms.s3_objects import S3Objects
from transforms.text_table import text_table

failed_app = typer.Typer(no_args_is_help=True, help="Failed records: list, explain, replay.")

Reasons = Annotated[
    list[str] | None, typer.Option("--reason", help="Only records with this reason; repeatable.")
]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only events of this type; repeatable.")]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only this kind of Firehose error; repeatable.")
]
Producers = Annotated[
    list[str] | None, typer.Option("--producer", help="Only from this producer; repeatable.")
]
Since = Annotated[str, typer.Option(help="Only records that arrived at or after this time (UTC, ISO 8601).")]
Until = Annotated[str, typer.Option(help="Only records that arrived before this time.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class RepairNotFoundError(LookupError):
    """`--repair` names no function."""


@failed_app.command("list")
def list_failed(
    ctx: typer.Context,
    *,
    by: Annotated[str, typer.Option(help=f"Count by: {', '.join(FACETS)}.")] = "reason",
    records: Annotated[bool, typer.Option("--records", help="One line for each record.")] = False,
    reason: Reasons = None,
    event_type: Types = None,
    kind: Kinds = None,
    producer: Producers = None,
    since: Since = "",
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Count failed records, and the source lines that could not be read. Shows nothing that they say."""
    if by not in FACETS:
        raise typer.BadParameter(f"{by!r} is none of: {', '.join(FACETS)}.", param_hint="--by")
    context = cast("Context", ctx.obj)
    wanted = _selection(
        reason=reason, event_type=event_type, kind=kind, producer=producer, since=since, until=until
    )
    unreadable: list[UnreadableStretch] = []
    found = [
        entry for entry in index(_objects(context), keyless_reviewer(), unreadable.append) if entry in wanted
    ]
    if as_json or context.json:
        _print_json(
            {
                "failed": len(found),
                "unreadable_stretches": len(unreadable),
                **{f"by_{facet}": counted(found, facet) for facet in FACETS},
                "records": [asdict(entry) for entry in found],
            }
        )
        return
    _print(_listing(found, by, records=records))
    if unreadable:
        _tell(
            f"{len(unreadable)} stretches of error objects could not be read; they are kept where they are."
        )


def _listing(found: list[IndexEntry], by: str, *, records: bool) -> str:
    if not found:
        return "No failed records."
    parts = [text_table((by, "records"), counted(found, by).items())]
    if records:
        header = ("id", "arrived", "kind", "reason", "place", "type", "producer", "epoch", "seq")
        rows = [
            (
                e.record_id,
                e.arrival_time,
                e.kind,
                e.reason,
                e.place,
                e.event_type,
                e.producer_id,
                e.epoch,
                e.seq,
            )
            for e in found
        ]
        parts.append(text_table(header, rows))
    unread = [entry for entry in found if entry.line_length is not None]
    copies = Counter(map(_name, unread))
    if copies:
        first = {_name(entry): entry for entry in reversed(unread)}
        lines = [(e.record_id, e.line, e.line_length, copies[name]) for name, e in first.items()]
        parts.append(text_table(("id", "source line", "characters", "sent"), reversed(lines)))
    return "\n\n".join(parts)


def _name(entry: IndexEntry) -> tuple[str, int | None, int | None]:
    """What the producer calls the event: a copy has the same name."""
    return entry.producer_id, entry.epoch, entry.seq


@failed_app.command("explain")
def explain_failed(
    ctx: typer.Context,
    record_id: Annotated[str, typer.Argument(help="As `penstock failed list --records` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show one failed record, decoded, and the exact place at fault. Shows personal data."""
    context = cast("Context", ctx.obj)
    found = explain(_objects(context), keyless_reviewer(), record_id)
    if as_json or context.json:
        record = {name: value for name, value in vars(found.record).items() if name != "raw"}
        events = [
            {"outcome": type(each.outcome).__name__.lower(), **_facts(each.outcome), "text": _text(each.raw)}
            for each in found.judged
        ]
        raw = base64.b64encode(found.record.raw).decode()
        _print_json({"id": record_id, **record, "raw_base64": raw, "events": events})
    else:
        _print(explained(found))


def _facts(outcome: Any) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, bytes) else value for name, value in _members(outcome)}


def _members(outcome: Any) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(outcome, name)) for name in outcome.__struct_fields__)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


@failed_app.command("replay")
def replay_failed(
    ctx: typer.Context,
    *,
    repair: Annotated[
        str, typer.Option(help="`module:function` from bytes to bytes, or None to leave it.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Do also what was done before.")] = False,
    reason: Reasons = None,
    event_type: Types = None,
    kind: Kinds = None,
    producer: Producers = None,
    since: Since = "",
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Judge failed records again, after a repair, and write those that pass into the lake, each one once."""
    context = cast("Context", ctx.obj)
    function = _function(repair) if repair else None
    keys = deployed_keys(context)
    order = Order(
        selection=_selection(
            reason=reason, event_type=event_type, kind=kind, producer=producer, since=since, until=until
        ),
        repair_name=repair,
        version=_version(function),
        key_id=next(iter(keys)),
    )
    objects, total = _objects(context), Counts()
    runs = replay(
        error_objects(objects),
        objects,
        reviewer(keys),
        order,
        repair=function,
        now=lambda: datetime.now(UTC),
        dry_run=dry_run,
        again=again,
    )
    for counts in _with_progress(runs, total):
        total.add(counts)
    said = {**vars(total), "still_failed": dict(total.still_failed), "dry_run": dry_run}
    if as_json or context.json:
        _print_json(said)
    else:
        _print(_summary(total, dry_run=dry_run))


def _summary(total: Counts, *, dry_run: bool) -> str:
    rows: list[tuple[str, int]] = [
        ("events" + (" (dry run, nothing written)" if dry_run else ""), total.events),
        ("  into the lake", total.replayed),
        ("  dropped", total.dropped),
        *((f"  still failed: {reason}", count) for reason, count in total.still_failed.most_common()),
        ("  not selected", total.not_selected),
        ("lake objects changed", total.objects_written),
        ("error objects replayed before, passed over", total.done_before),
        ("unreadable stretches", total.unreadable),
    ]
    return text_table(("", "count"), rows)


def _with_progress(runs: Iterable[Counts], total: Counts) -> Iterator[Counts]:
    """Say on stderr how far it is: at most once a second, and at the end."""
    said, done = time.monotonic(), 0
    for counts in runs:
        yield counts
        done += 1
        if time.monotonic() - said >= 1:
            said = time.monotonic()
            _tell(f"{done} error objects, {total.events} events, {total.replayed} into the lake")
    _tell(f"{done} error objects, {total.events} events, {total.replayed} into the lake: done")


def _function(name: str) -> Repair:
    module, _, attribute = name.partition(":")
    sys.path.insert(0, "")  # a repair usually stands in a file of the directory one works in
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise RepairNotFoundError(
            f"--repair {name}: {error}. Write it as `module:function`; the module is looked for in this "
            "directory and among the installed ones."
        ) from error
    finally:
        sys.path.remove("")
    if not callable(found):
        raise RepairNotFoundError(f"--repair {name}: that is a {type(found).__name__}, not a function.")
    return cast("Repair", found)


def _version(function: Callable[..., Any] | None) -> str:
    """Tells versions of a repair apart by the source of its module, so that a changed repair is run again."""
    if function is None:
        return ""
    module = inspect.getmodule(function)
    try:
        source = inspect.getsource(module if module is not None else function)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _selection(
    *,
    reason: list[str] | None,
    event_type: list[str] | None,
    kind: list[str] | None,
    producer: list[str] | None,
    since: str,
    until: str,
) -> Selection:
    return Selection(
        reasons=frozenset(reason or ()),
        event_types=frozenset(event_type or ()),
        kinds=frozenset(kind or ()),
        producers=frozenset(producer or ()),
        since=_time(since, "--since"),
        until=_time(until, "--until"),
    )


def _time(text: str, option: str) -> str:
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time. Write it as 2026-11-24T10:00.", param_hint=option
        ) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def _objects(context: Context) -> S3Objects:
    return S3Objects(context.client("s3"), context.lake_bucket)


def _print(text: str) -> None:
    echo(text)


def _print_json(value: Any) -> None:
    echo(json.dumps(value, indent=2, default=str))


def _tell(text: str) -> None:
    echo(text, err=True)
