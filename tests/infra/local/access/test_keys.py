"""Who holds no key of this very local cloud is refused on every port; who holds one, by whatever way, is not."""

import json
import stat
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.aws.outputs import Outputs
from infra.local.access.keys import Keys
from infra.local.cloud import LocalCloud

pytestmark = pytest.mark.cloud

CALLS = [
    ("s3", "list_buckets"), ("sqs", "list_queues"), ("kinesis", "list_streams"), ("lambda", "list_functions"),
    ("iam", "list_roles"), ("sts", "get_caller_identity"), ("dynamodb", "list_tables"), ("glue", "get_databases"),
    ("cloudformation", "list_stacks"), ("athena", "list_work_groups"), ("firehose", "list_delivery_streams"),
]  # fmt: skip
REFUSALS = {
    "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
    "InvalidSignatureException",
}  # fmt: skip


def client(cloud: LocalCloud, service: str, access: str, secret: str, **more: Any) -> Any:
    """A client as anybody makes one."""
    environment = cloud.environment()
    url = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}", environment["AWS_ENDPOINT_URL"])
    make: Any = boto3.client
    return make(
        service, endpoint_url=url, region_name=cloud.context.region,
        aws_access_key_id=access, aws_secret_access_key=secret,
        verify=environment.get("AWS_CA_BUNDLE"), **more,
    )  # fmt: skip


@pytest.mark.parametrize("which", ["local_cloud", "guarded_cloud"])
@pytest.mark.parametrize(("service", "call"), CALLS)
def test_only_the_right_secret_of_a_known_key_is_answered(
    which: str, service: str, call: str, request: pytest.FixtureRequest
) -> None:
    cloud: LocalCloud = request.getfixturevalue(which)
    keys = cloud.context.keys
    for access, secret in (
        ("test", "test"),
        (keys.access_key_id, "test"),
        ("AKIAAAAAAAAAAAAAAAAA", keys.secret_access_key),
        (cloud.context.account_id, "test"),
        ("123456789012", keys.secret_access_key),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(client(cloud, service, access, secret), call)()
        assert refused.value.response["Error"]["Code"] in REFUSALS
    getattr(client(cloud, service, keys.access_key_id, keys.secret_access_key), call)()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/_ministack/reset", b""), ("POST", "/_ministack/config", b"{}"), ("GET", "/_penstock/secret", None),
        ("GET", "/", None), ("POST", "/", b"Action=ListUsers&Version=2010-05-08"), ("OPTIONS", "/", None),
        ("POST", "/2015-03-31/functions", b"{}"), ("GET", "/_ministack/lambda-code/penstock-queries", None),
        ("GET", "/?AWSAccessKeyId=test&Signature=x&Expires=99999999999", None),
    ],
)  # fmt: skip
def test_the_emulator_does_nothing_for_who_shows_no_key(
    local_cloud: LocalCloud, method: str, path: str, body: bytes | None
) -> None:
    assert status(local_cloud.context.endpoint_url + path, method, body) in (400, 403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_firehose/flush"), ("GET", "/_firehose/counts"), ("POST", "/_faults"), ("DELETE", "/_faults"),
        ("GET", "/_cfn"), ("POST", "/_cfn"), ("POST", "/_cfn/guessed"), ("POST", "/"),
    ],
)  # fmt: skip
def test_the_local_server_changes_nothing_for_who_shows_no_key(
    local_cloud: LocalCloud, method: str, path: str
) -> None:
    url = local_cloud.context.server_url + path
    assert status(url, method, b"{}" if method == "POST" else None) == 403
    assert status(url, method, b"{}", {"Authorization": "Bearer guessed"}) == 403


def status(url: str, method: str, body: bytes | None, headers: dict[str, str] | None = None) -> int:
    """What an unsigned call is answered with."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            assert not [name for name in error.headers if name.lower().startswith("access-control")]
            return error.code


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_address_works_for_what_it_names_until_it_expires(
    local_cloud: LocalCloud, version: str
) -> None:
    keys, bucket = local_cloud.context.keys, Outputs.from_document(local_cloud.outputs).results_bucket
    config = Config(signature_version=version, s3={"addressing_style": "path"})
    s3 = client(local_cloud, "s3", keys.access_key_id, keys.secret_access_key, config=config)
    owner = local_cloud.context.client("s3")
    owner.put_object(Bucket=bucket, Key="a b/ü+%.txt", Body=b"kept")
    named = {"Bucket": bucket, "Key": "a b/ü+%.txt"}
    url = s3.generate_presigned_url("get_object", Params=named, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"kept"
    assert status(url.replace("a%20b", "a%20c"), "GET", None) == 403
    assert status(url, "DELETE", None) == 403
    assert status(s3.generate_presigned_url("get_object", Params=named, ExpiresIn=-1), "GET", None) == 403
    put = s3.generate_presigned_url("put_object", Params=named, ExpiresIn=60)
    assert status(put, "PUT", b"other", {"Content-Type": ""}) == 200
    owner.delete_object(**named)


@pytest.mark.parametrize("which", ["local_cloud", "guarded_cloud"])
def test_a_session_of_sts_is_known_on_both_ports_and_may_not_reset(
    which: str, request: pytest.FixtureRequest
) -> None:
    cloud: LocalCloud = request.getfixturevalue(which)
    made = cloud.context.client("sts").get_session_token()["Credentials"]
    secret, token = made["SecretAccessKey"], made["SessionToken"]
    for service, call in (("s3", "list_buckets"), ("athena", "list_work_groups")):
        session = client(cloud, service, made["AccessKeyId"], secret, aws_session_token=token)
        getattr(session, call)()
        with pytest.raises(ClientError):
            getattr(client(cloud, service, made["AccessKeyId"], secret, aws_session_token="other"), call)()


def test_a_functions_keys_do_not_follow_from_its_name(guarded_cloud: LocalCloud) -> None:
    from hashlib import sha256

    functions = guarded_cloud.context.client("lambda").list_functions()["Functions"]
    assert functions
    for each in functions:
        digest = sha256(f"{each['FunctionArn']}:{each['Role']}".encode()).hexdigest()
        stock = client(
            guarded_cloud, "sts", f"ASIA{digest[:16].upper()}", sha256(f"secret:{digest}".encode()).hexdigest(),
            aws_session_token=sha256(f"token:{digest}".encode()).hexdigest(),
        )  # fmt: skip
        with pytest.raises(ClientError):
            stock.get_caller_identity()


def test_files_of_a_local_cloud_are_their_owners_only(local_cloud: LocalCloud) -> None:
    root = local_cloud.context.paths.root
    local_cloud.context.client("s3")  # whatever is asked, nothing else is written with other modes
    found = [root, *root.rglob("*")]
    assert len(found) > 50
    open_to_others = [path for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert [path for path in open_to_others if not path.is_symlink()] == []


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as together:
        made = set(together.map(lambda _: Keys.of(tmp_path / "run" / "keys.json"), range(32)))
    (keys,) = made
    assert json.loads((tmp_path / "run" / "keys.json").read_text())["access_key_id"] == keys.access_key_id
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["keys.json"]
    assert keys.secret_access_key not in repr(keys)
    assert Keys.of(tmp_path / "other.json") != keys
