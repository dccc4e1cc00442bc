"""Opens the report site of a local cloud: its page, its way back from sign-in, and people to sign in as."""

import json
import secrets
import string
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from dashboards.model import Dashboard
from infra.local.files import read_json, write_json
from infra.local.parts.context import LocalContext
from infra.local.paths import PEOPLE_FILE
from infra.site.shell_bucket import page_config, put_shell
from queries.api.callers import OPERATORS, VIEWERS

POLL_SECONDS = 0.25
"""A request costs nothing here."""
PEOPLE = {"operator@example.com": (OPERATORS,), "viewer@example.com": (VIEWERS,)}
"""Who can sign in, and as what; the addresses are reserved for examples."""


def open_site(
    context: LocalContext, outputs: dict[str, Any], address: str, groups: Collection[str]
) -> dict[str, str]:
    """Have the site ready at this address; address of a person -> password. What is ready already stays.

    The passwords stand in `people.json` of the run folder, for its owner alone. Both people are in all of
    `groups`, those of the dashboards' row rules: without, they would see no rows of what these rules guard.
    """
    found = {name: value for stack in outputs["stacks"].values() for name, value in stack["outputs"].items()}
    pool, client = found["UserPoolId"], found["UserPoolClientId"]
    _come_back(context.client("cognito-idp"), pool, client, address)
    people = _people(context, pool)
    _join(context.client("cognito-idp"), pool, groups)
    config = page_config(address.rstrip("/"), client, address, POLL_SECONDS)
    put_shell(context.client("s3"), found["SiteBucket"], config)
    context.client("lambda").invoke(
        FunctionName=found["ExtractFunction"], InvocationType="Event", Payload=json.dumps({})
    )
    return people


def _come_back(cognito: Any, pool: str, client: str, address: str) -> None:
    """Let sign-in lead to the address of this machine, which no template knows."""
    there = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    if address in there.get("CallbackURLs", []):
        return
    taken = set(cognito.meta.service_model.operation_model("UpdateUserPoolClient").input_shape.members)
    settings = {name: value for name, value in there.items() if name in taken and value != ""}
    cognito.update_user_pool_client(
        **{
            **settings,
            "CallbackURLs": [*there.get("CallbackURLs", []), address],
            "LogoutURLs": [*there.get("LogoutURLs", []), address],
        }
    )


def _people(context: LocalContext, pool: str) -> dict[str, str]:
    cognito, file = context.client("cognito-idp"), context.paths.run / PEOPLE_FILE
    known: dict[str, str] = (read_json(file) or {}).get(pool, {})
    people = {name: known.get(name) or _password() for name in PEOPLE}
    if people == known:
        return people
    for name, password in people.items():
        attributes = {"email": name, "email_verified": "true"}
        # An earlier start may have made the person, and ended before it wrote the password down.
        with suppress(cognito.exceptions.UsernameExistsException):
            cognito.admin_create_user(
                UserPoolId=pool,
                Username=name,
                MessageAction="SUPPRESS",
                TemporaryPassword=password,
                UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
            )
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    write_json(file, {pool: people})
    file.chmod(0o600)
    return people


def _join(cognito: Any, pool: str, groups: Collection[str]) -> None:
    """Put both people into groups. No template has those of rules, so they are made when they are missing."""
    for group in groups:
        with suppress(cognito.exceptions.GroupExistsException):
            cognito.create_group(UserPoolId=pool, GroupName=group)
    for name, own in PEOPLE.items():
        for group in (*own, *groups):
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)


def rule_groups(dashboards: Iterable[Dashboard]) -> list[str]:
    """The groups that the row rules of dashboards name (pure)."""
    rules = [source.access for each in dashboards for source in each.sources.values()]
    return sorted({group for rule in rules if rule is not None for group in rule.groups})


def _password() -> str:
    """As the pool's policy wants it: one of each kind, and enough of all."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.")
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice(string.ascii_letters + string.digits) for _ in range(16)]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)
