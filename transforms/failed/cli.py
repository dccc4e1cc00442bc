"""`penstock failed`: list, explain, replay."""

import base64
import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from producers.contracts import echo
from transforms.failed.error_objects import UnreadableStretch
from transforms.failed.index import FACETS, Selection, counted
from transforms.failed.listing import listing, to_replay, unreadable_lines
from transforms.failed.records import error_objects, explain, index
from transforms.failed.repair import Repair, RepairFailedError, find_repair
from transforms.failed.replay import REPAIR_FAILED, Order, replay
from transforms.failed.replay_text import Progress, summary
from transforms.failed.review import keyless_reviewer, reviewer
from transforms.failed.s3_bucket import S3Objects
from transforms.failed.text import explained
from transforms.target import RepairTarget, Target, deployed_keys

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
Streams = Annotated[list[str] | None, typer.Option("--stream", help="Only records of this stream.")]
Until = Annotated[str, typer.Option(help="Only records that arrived before this time.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@failed_app.command("list")
def list_failed(
    ctx: typer.Context,
    *,
    by: Annotated[str, typer.Option(help=f"Count by: {', '.join(FACETS)}.")] = "reason",
    records: Annotated[bool, typer.Option("--records", help="One line for each record.")] = False,
    stream: Streams = None,
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
    target = cast("Target", ctx.obj)
    _require_streams(target, stream)
    wanted = _selection(
        stream=stream,
        reason=reason,
        event_type=event_type,
        kind=kind,
        producer=producer,
        since=since,
        until=until,
    )
    unreadable: list[UnreadableStretch] = []
    found = [
        entry
        for entry in index(
            _objects(target), keyless_reviewer(target.project.tables.values()), unreadable.append
        )
        if entry in wanted
    ]
    waiting = len({entry.record_id for entry in found if entry.is_to_replay})
    command = _replay_command(ctx, wanted)
    if as_json or target.json:
        _print_json(
            {
                "failed": len(found),
                "to_replay": waiting,
                "replay_command": command if waiting else "",
                "unreadable_stretches": len(unreadable),
                **{f"by_{facet}": counted(found, facet) for facet in FACETS},
                "unreadable_lines": [asdict(each) for each in unreadable_lines(found)],
                "records": [asdict(entry) for entry in found],
            }
        )
        return
    _print("\n\n".join(filter(None, (listing(found, by, records=records), to_replay(waiting, command)))))
    if unreadable:
        _tell(
            f"{len(unreadable)} stretches of error objects could not be read; they are kept where they are."
        )


def _replay_command(ctx: typer.Context, wanted: Selection) -> str:
    """The command that replays what was listed, on the same target."""
    root = ctx.find_root()
    options = [f"--{name}={root.params[name]}" for name in ("target", "deployment") if _is_typed(root, name)]
    words = ["penstock", *options, "failed", "replay"]
    for option, values in (
        ("--stream", wanted.streams),
        ("--reason", wanted.reasons),
        ("--type", wanted.event_types),
        ("--kind", wanted.kinds),
        ("--producer", wanted.producers),
        ("--since", [wanted.since] if wanted.since else []),
        ("--until", [wanted.until] if wanted.until else []),
    ):
        words += [word for value in sorted(values) for word in (option, value)]
    return shlex.join(words)


def _is_typed(ctx: Any, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return bool(source is not None and source.name == "COMMANDLINE")


@failed_app.command("explain")
def explain_failed(
    ctx: typer.Context,
    record_id: Annotated[str, typer.Argument(help="As `penstock failed list --records` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show one failed record, decoded, and the exact place at fault. Shows personal data."""
    target = cast("Target", ctx.obj)
    found = explain(_objects(target), keyless_reviewer(target.project.tables.values()), record_id)
    if as_json or target.json:
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
    source: Annotated[
        str, typer.Option(help="Read rows that this source could not read again, by the source as it is now.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Do also what was done before.")] = False,
    stream: Streams = None,
    reason: Reasons = None,
    event_type: Types = None,
    kind: Kinds = None,
    producer: Producers = None,
    since: Since = "",
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Validate failed records again, after a repair; write those that pass into the lake, each one once."""
    target = cast("RepairTarget", ctx.obj)
    _require_streams(target, stream)
    function = _repair(target, repair, source)
    keys = {name: deployed_keys(target, name) for name in stream or target.project.streams}
    order = Order(
        selection=_selection(
            stream=stream,
            reason=reason,
            event_type=event_type,
            kind=kind,
            producer=producer,
            since=since,
            until=until,
        ),
        repair_name=function.name if function is not None else "",
        version=function.version if function is not None else "",
        key_id=",".join(dict.fromkeys(next(iter(each)) for each in keys.values())),
    )
    objects, progress = _objects(target), Progress(_tell, time.monotonic)
    runs = replay(
        error_objects(objects),
        objects,
        reviewer(target.project.tables.values(), keys),
        order,
        repair=function,
        now=lambda: datetime.now(UTC),
        dry_run=dry_run,
        again=again,
        note=progress.note,
    )
    for counts in runs:
        progress.add(counts)
    progress.end()
    total = progress.total
    command = _replay_command(ctx, Selection())
    if as_json or target.json:
        said = {**vars(total), "still_failed": dict(total.still_failed), "dry_run": dry_run}
        _print_json({**said, "replay_command": command if total.to_replay else ""})
    else:
        _print(summary(total, dry_run=dry_run))
        if total.to_replay:
            _print(f"\n{to_replay(total.to_replay, command)}")
    if total.repair_failures:
        raise RepairFailedError(
            f"the repair failed on {total.still_failed[REPAIR_FAILED]} events, which stay failed; all others "
            f"were dealt with. {'; '.join(total.repair_failures)}. Fix the function and run this again."
        )


def _repair(target: RepairTarget, function: str, source: str) -> Repair | None:
    if function and source:
        raise typer.BadParameter("Give --repair or --source, not both.", param_hint="--source")
    if source:
        return target.source_repair(source)
    return find_repair(function) if function else None


def _require_streams(target: Target, streams: list[str] | None) -> None:
    for name in streams or ():
        if name not in target.project.streams:
            known = ", ".join(target.project.streams)
            raise typer.BadParameter(
                f"There is no stream {name!r}. There are: {known}.", param_hint="--stream"
            )


def _selection(
    *,
    stream: list[str] | None,
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
        streams=frozenset(stream or ()),
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
            f"{text!r} is not a time. Write it as 2026-11-24T10:00.", param_hint=option
        ) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def _objects(target: Target) -> S3Objects:
    return S3Objects(target.client("s3"), target.lake_bucket)


def _print(text: str) -> None:
    echo(text)


def _print_json(value: Any) -> None:
    echo(json.dumps(value, indent=2, default=str))


def _tell(text: str) -> None:
    echo(text, err=True)
