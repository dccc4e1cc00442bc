"""`penstock keys` on the table of a local cloud."""

import json
import secrets
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from producers.collector.keys import digest_of
from producers.commands.keys import app
from producers.keys.administration import KeysError
from producers.keys.store import KeyStore
from tests.shop import WEB

pytestmark = pytest.mark.cloud


@pytest.fixture
def target(local_cloud: LocalCloud) -> SimpleNamespace:
    outputs = Outputs.from_document(local_cloud.outputs)
    return SimpleNamespace(
        json=True,
        client=local_cloud.context.client,
        streams={"web": WEB},
        write_keys_table=outputs.write_keys_table,
    )


def run(target: SimpleNamespace, *arguments: str) -> Any:
    ran = CliRunner().invoke(app, list(arguments), obj=target, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_a_key_is_shown_once_kept_as_its_hash_rotated_and_disabled(target: SimpleNamespace) -> None:
    source = f"pages-{secrets.token_hex(4)}"
    made = run(
        target, "create", source, "--type", "page_viewed", "--origin", "https://Shop.example", "--daily", "9"
    )
    mine = [each for each in run(target, "list") if each["source"] == source]
    assert [each["key_id"] for each in mine] == [made["key_id"]]
    assert made["key"] not in json.dumps(mine)
    assert (mine[0]["streams"], mine[0]["origins"], mine[0]["daily"]) == (
        ["web"],
        ["https://shop.example"],
        9,
    )
    other = run(target, "rotate", made["key_id"])
    run(target, "disable", made["key_id"])
    keys = KeyStore(target.client("dynamodb"), target.write_keys_table).all()
    old, new = (keys[digest_of(each["key"])] for each in (made, other))
    assert (old.disabled, new.disabled, new.origins) == (True, False, ("https://shop.example",))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "a/b"), "not a valid source"),
        (("create", "import"), "kept for history"),
        (("create", "a", "--stream", "rides"), "No stream 'rides'"),
        (("create", "a", "--type", "page_view"), "No event type 'page_view'"),
        (("create", "a", "--origin", "*"), "is not an origin"),
        (("disable", "nobody's"), "No key has the id"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    target: SimpleNamespace, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(KeysError, match=said):
        run(target, *arguments)


def test_without_a_collector_there_are_no_keys_and_it_says_how_to_get_one(target: SimpleNamespace) -> None:
    target.write_keys_table = ""
    with pytest.raises(KeysError, match="collector = true"):
        run(target, "list")
