"""`penstock keys`: who may send events over HTTP."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import msgspec
import typer

from producers.collector.keys import ID_DIGITS, WriteKey, digest_of, new_key, origin_of
from producers.commands.key_store import KeyStore
from producers.contracts import HISTORY_SOURCES, CommandTarget, Stream, echo
from producers.contracts.fields import Identifier

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Write keys of the collector.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="As `penstock keys list` names it.")]


class KeysError(ValueError):
    """A key cannot be made or found. The message says why and what to do."""


class Target(CommandTarget, Protocol):
    """What `penstock keys` reads of the target."""

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The project's streams, by name."""
        ...

    @property
    def write_keys_table(self) -> str:
        """The table of keys; empty where no collector is deployed."""
        ...


@app.command("list")
def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """Every key: its id, whose it is and what it allows. Keys themselves are kept nowhere."""
    target: Target = context.obj
    found = [_shown(digest, key) for digest, key in _table(target).all().items()]
    if as_json or target.json:
        echo(json.dumps(found))
        return
    for key in found:
        echo(_line(key))
    if not found:
        echo("There are no write keys. Make one with: penstock keys create SOURCE")


@app.command()
def create(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Who sends with it: the `source` of its events.")],
    stream: Annotated[
        list[str] | None, typer.Option(help="Stream that it may put events on; every one without it.")
    ] = None,
    event_type: Annotated[
        list[str] | None, typer.Option("--type", help="Event type that it may send; every one without it.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="Origin of pages that may send, as https://shop.example.")
    ] = None,
    rate: Annotated[int, typer.Option(min=0, help="Events a second and environment; 0 for unlimited.")] = 0,
    daily: Annotated[int, typer.Option(min=0, help="Events of the source a UTC day; 0 for unlimited.")] = 0,
    *,
    envelopes: Annotated[
        bool, typer.Option("--envelopes", help="It may send whole envelopes. Not for browsers.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once."""
    target: Target = context.obj
    allows = WriteKey(
        source=_source(source),
        streams=tuple(stream or _streams(target)),
        types=tuple(event_type or ()),
        origins=tuple(map(_origin, origin or ())),
        rate=rate,
        daily=daily,
        envelopes=envelopes,
        created_at=_now(),
    )
    _check(target, allows)
    _show_new(target, _made(_table(target), allows), as_json)


@app.command()
def disable(context: typer.Context, key_id: KeyId, as_json: Json = False) -> None:
    """Refuse a key from now on; within a minute everywhere."""
    target: Target = context.obj
    table = _table(target)
    digest, key = _found(table, key_id)
    table.put(digest, msgspec.structs.replace(key, disabled=True), is_new=False)
    _say(
        target,
        as_json,
        {"key_id": digest[:ID_DIGITS], "disabled": True},
        "Disabled: refused within a minute.",
    )


@app.command()
def rotate(context: typer.Context, key_id: KeyId, as_json: Json = False) -> None:
    """Make another key that allows the same. The old one goes on until it is disabled."""
    target: Target = context.obj
    table = _table(target)
    _, key = _found(table, key_id)
    made = _made(table, msgspec.structs.replace(key, disabled=False, created_at=_now()))
    _show_new(target, made, as_json)


def _table(target: Target) -> KeyStore:
    if not target.write_keys_table:
        raise KeysError(
            "No collector is deployed. Set `collector = true` for the deployment in penstock.toml."
        )
    return KeyStore(target.client("dynamodb"), target.write_keys_table)


def _made(table: KeyStore, allows: WriteKey) -> str:
    key = new_key(secrets.token_bytes(24))
    table.put(digest_of(key), allows, is_new=True)
    return key


def _found(table: KeyStore, key_id: str) -> tuple[str, WriteKey]:
    found = [(digest, key) for digest, key in table.all().items() if digest.startswith(key_id) and key_id]
    if len(found) != 1:
        raise KeysError(f"{len(found) or 'No'} key has the id {key_id!r}. See: penstock keys list")
    return found[0]


def _streams(target: Target) -> list[str]:
    return [name for name, stream in target.streams.items() if not stream.is_direct]


def _check(target: Target, allows: WriteKey) -> None:
    for name in allows.streams:
        if name not in _streams(target):
            known = ", ".join(_streams(target))
            raise KeysError(f"No stream {name!r} takes events over HTTP. There are: {known}.")
    declared = {each for name in allows.streams for each in target.streams[name].latest}
    for name in allows.types:
        if name not in declared:
            raise KeysError(f"No event type {name!r} is declared. There are: {', '.join(sorted(declared))}.")


def _source(source: str) -> str:
    try:
        found = msgspec.convert(source, Identifier)
    except msgspec.ValidationError as error:
        raise KeysError(
            f"{source!r} is not a valid source. Use up to 64 letters, digits, `.`, `_`, `:`, `-`."
        ) from error
    if found in HISTORY_SOURCES:
        raise KeysError(f"The source {source!r} is kept for history. Choose another name.")
    return str(found)


def _origin(text: str) -> str:
    try:
        return origin_of(text)
    except ValueError as error:
        raise KeysError(str(error)) from error


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _shown(digest: str, key: WriteKey) -> dict[str, Any]:
    return {"key_id": digest[:ID_DIGITS], **msgspec.to_builtins(key)}


def _line(key: Mapping[str, Any]) -> str:
    limits = [f"{name} {key[name]}" for name in ("rate", "daily") if key.get(name)]
    limits += [",".join(key[name]) for name in ("types", "origins") if key.get(name)]
    limits += [word for word in ("envelopes", "disabled") if key.get(word)]
    return "  ".join([key["key_id"], key["source"], ",".join(key["streams"]), *limits])


def _show_new(target: Target, key: str, as_json: bool) -> None:
    made = {"key": key, "key_id": digest_of(key)[:ID_DIGITS]}
    _say(target, as_json, made, f"{key}\nKeep it: only its hash is kept here, as {made['key_id']}.")


def _say(target: Target, as_json: bool, facts: Mapping[str, Any], text: str) -> None:
    echo(json.dumps(facts) if as_json or target.json else text)
