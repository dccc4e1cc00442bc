"""The keys that `penstock failed replay` makes pseudonyms with come from the secret, or an error says why not."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from transforms.pseudonym_keys import DeployedKeysError
from transforms.settings import SettingsError
from transforms.target import deployed_keys

NAME = "penstock/pseudonym-keys"
FIRST, SECOND = "Gh3" * 16, "Zy9" * 16


@dataclass
class Asker:
    """A context whose only service is a Secrets Manager that answers once."""

    secrets: Any
    pseudonym_key_ids: str = "k2,k1"
    lake_bucket: str = ""
    json: bool = False

    @property
    def pseudonym_secrets(self) -> dict[str, tuple[str, str]]:
        return {"web": (NAME, self.pseudonym_key_ids)}

    def client(self, service: str) -> Any:
        assert service == "secretsmanager"  # what the function was given is not asked for
        return self.secrets


@pytest.fixture
def secrets() -> Any:
    return boto3.client(
        "secretsmanager", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip


def _answering(secrets: Any, text: str) -> Stubber:
    stub = Stubber(secrets)
    stub.add_response("get_secret_value", {"SecretString": text}, {"SecretId": NAME})
    return stub


def test_the_keys_come_in_the_order_that_the_deployment_names(secrets: Any) -> None:
    members = {"k1": FIRST, "k2": SECOND, "unused": "x"}
    with _answering(secrets, json.dumps(members)):
        assert list(deployed_keys(Asker(secrets), "web").items()) == [
            ("k2", SECOND.encode()),
            ("k1", FIRST.encode()),
        ]


@pytest.mark.parametrize("text", ["[]", "7", '"k1"', '{"k1": "' + FIRST + '"}', FIRST])
def test_a_secret_without_the_members_is_named_and_not_quoted(secrets: Any, text: str) -> None:
    with _answering(secrets, text), pytest.raises(DeployedKeysError, match="no member for each") as raised:
        deployed_keys(Asker(secrets), "web")
    assert NAME in str(raised.value)
    assert FIRST not in str(raised.value)


def test_a_key_that_is_too_short_is_refused_without_a_word_of_it(secrets: Any) -> None:
    with _answering(secrets, '{"k1": "secretive", "k2": "short"}'), pytest.raises(SettingsError) as raised:
        deployed_keys(Asker(secrets), "web")
    assert "secretive" not in str(raised.value)


def test_who_may_not_read_the_secret_hears_which_permission_is_missing(secrets: Any) -> None:
    with Stubber(secrets) as stub:
        stub.add_client_error("get_secret_value", "AccessDeniedException", "no")
        with pytest.raises(DeployedKeysError, match=f"secretsmanager:GetSecretValue on the secret {NAME}"):
            deployed_keys(Asker(secrets), "web")


def test_a_secret_that_is_gone_is_named(secrets: Any) -> None:
    with Stubber(secrets) as stub:
        stub.add_client_error("get_secret_value", "ResourceNotFoundException", "can't find it")
        with pytest.raises(DeployedKeysError, match=rf"{NAME} \(ResourceNotFoundException\): can't find it"):
            deployed_keys(Asker(secrets), "web")


def test_a_deployment_of_an_earlier_version_says_that_it_has_to_be_deployed_again(secrets: Any) -> None:
    with pytest.raises(DeployedKeysError, match="penstock deploy"):
        deployed_keys(Asker(secrets, pseudonym_key_ids=""), "web")
