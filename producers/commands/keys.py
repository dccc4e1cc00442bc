"""`penstock keys`: who may send events over HTTP."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import typer

from producers.contracts import CommandTarget, Stream, echo
from producers.keys.administration import Administration, KeysError, Limits, NewKey
from producers.keys.store import KeyStore

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Write keys of the collector.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="As `penstock keys list` names it.")]


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
    found = _keys(target).listed()
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
    limits = Limits(
        source=source,
        streams=tuple(stream or ()),
        types=tuple(event_type or ()),
        origins=tuple(origin or ()),
        rate=rate,
        daily=daily,
        envelopes=envelopes,
    )
    _show_new(target, _keys(target).create(limits), as_json)


@app.command()
def disable(context: typer.Context, key_id: KeyId, as_json: Json = False) -> None:
    """Refuse a key from now on; within a minute everywhere."""
    target: Target = context.obj
    found = _keys(target).disable(key_id)
    _say(target, as_json, {"key_id": found, "disabled": True}, "Disabled: refused within a minute.")


@app.command()
def rotate(context: typer.Context, key_id: KeyId, as_json: Json = False) -> None:
    """Make another key that allows the same. The old one goes on until it is disabled."""
    target: Target = context.obj
    _show_new(target, _keys(target).rotate(key_id), as_json)


def _keys(target: Target) -> Administration:
    if not target.write_keys_table:
        raise KeysError(
            "No collector is deployed. Set `collector = true` for the deployment in penstock.toml."
        )
    store = KeyStore(target.client("dynamodb"), target.write_keys_table)
    return Administration(store, target.streams, chance=secrets.token_bytes, now=_now)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _line(key: Mapping[str, Any]) -> str:
    limits = [f"{name} {key[name]}" for name in ("rate", "daily") if key.get(name)]
    limits += [",".join(key[name]) for name in ("types", "origins") if key.get(name)]
    limits += [word for word in ("envelopes", "disabled") if key.get(word)]
    return "  ".join([key["key_id"], key["source"], ",".join(key["streams"]), *limits])


def _show_new(target: Target, made: NewKey, as_json: bool) -> None:
    text = f"{made.key}\nKeep it: only its hash is kept here, as {made.key_id}."
    _say(target, as_json, made._asdict(), text)


def _say(target: Target, as_json: bool, facts: Mapping[str, Any], text: str) -> None:
    echo(json.dumps(facts) if as_json or target.json else text)
