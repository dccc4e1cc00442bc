"""`penstock hooks`: whose webhooks are taken, where, and by which secrets."""

import json
import re
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from producers.contracts import CommandTarget, echo
from producers.hooks.secrets import SecretsUnavailableError, secrets_in

if TYPE_CHECKING:
    from producers.sources.definition import SourceDefinition

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Webhooks that the collector takes.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Source = Annotated[str, typer.Argument(metavar="SOURCE", help="As `penstock hooks list` names it.")]
_SECRET = re.compile(r"[!-~]{8,500}")


class HooksError(ValueError):
    """There are no such webhooks, or a secret cannot be used. The message says why and what to do."""


class Target(CommandTarget, Protocol):
    """What `penstock hooks` reads of the target."""

    @property
    def sources(self) -> "Mapping[str, SourceDefinition]":
        """The project's sources, by name."""
        ...

    @property
    def collector_url(self) -> str:
        """Where the deployed API answers."""
        ...

    @property
    def hook_secret_prefix(self) -> str:
        """What names of secrets begin with; empty where no webhooks are deployed."""
        ...


@app.command("list")
def list_hooks(context: typer.Context, as_json: Json = False) -> None:
    """Sources that take webhooks, and the address for the provider of each."""
    target: Target = context.obj
    found = [
        {
            "source": name,
            "webhook": source.webhook.scheme,
            "stream": source.stream,
            "url": f"{target.collector_url.rstrip('/')}/v1/hooks/{name}",
        }
        for name, source in target.sources.items()
        if source.webhook
    ]
    if as_json or target.json:
        echo(json.dumps(found))
        return
    for each in found:
        echo("  ".join(each.values()))
    if not found:
        echo("No source takes webhooks. Write '-- webhook: github' into the header of one, and deploy.")


@app.command("secrets")
def list_secrets(
    context: typer.Context,
    source: Source,
    *,
    show: Annotated[bool, typer.Option("--show", help="The secrets too, for the provider's page.")] = False,
    as_json: Json = False,
) -> None:
    """Names of the secrets that are valid for a source: a delivery signed with any of them is taken."""
    target: Target = context.obj
    valid = _read(target, source)
    if as_json or target.json:
        echo(json.dumps(valid if show else list(valid)))
        return
    for name, secret in valid.items():
        echo(f"{name}  {secret}" if show else name)


@app.command("add-secret")
def add_secret(
    context: typer.Context,
    source: Source,
    *,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make one and show it. Without it, it is read from stdin.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make another secret valid as well, within five minutes everywhere."""
    target: Target = context.obj
    valid = dict(_read(target, source))
    secret = secrets.token_hex(24) if generate else sys.stdin.readline().strip()
    if not _SECRET.fullmatch(secret):
        raise HooksError(
            "A secret has 8 to 500 visible ASCII characters. Pipe it in: echo SECRET | penstock ..."
        )
    name = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    _write(target, source, {**valid, name: secret})
    made = {"name": name, **({"secret": secret} if generate else {})}
    echo(json.dumps(made) if as_json or target.json else "  ".join(made.values()))


@app.command("drop-secret")
def drop_secret(
    context: typer.Context,
    source: Source,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `penstock hooks secrets` names it.")],
    as_json: Json = False,
) -> None:
    """Make a secret invalid, within five minutes everywhere."""
    target: Target = context.obj
    valid = dict(_read(target, source))
    if name not in valid:
        raise HooksError(f"{source} has no secret {name!r}. It has: {', '.join(valid)}.")
    if len(valid) == 1:
        raise HooksError(f"It is the last secret of {source}: add another one first.")
    del valid[name]
    _write(target, source, valid)
    echo(json.dumps(list(valid)) if as_json or target.json else f"Left: {', '.join(valid)}")


def _read(target: Target, source: str) -> Mapping[str, str]:
    answer = target.client("secretsmanager").get_secret_value(SecretId=_name(target, source))
    try:
        return secrets_in(answer["SecretString"])
    except SecretsUnavailableError as error:
        raise HooksError(
            f"The secret of {source} cannot be used: {error}. Each member is one secret."
        ) from error


def _write(target: Target, source: str, valid: Mapping[str, Any]) -> None:
    target.client("secretsmanager").put_secret_value(
        SecretId=_name(target, source), SecretString=json.dumps(valid)
    )


def _name(target: Target, source: str) -> str:
    hooks = [name for name, each in target.sources.items() if each.webhook]
    if source not in hooks:
        raise HooksError(f"No source {source!r} takes webhooks. There are: {', '.join(hooks) or 'none'}.")
    if not target.hook_secret_prefix:
        raise HooksError("No webhooks are deployed. Set `collector = true` in penstock.toml, and deploy.")
    return f"{target.hook_secret_prefix}{source}"
