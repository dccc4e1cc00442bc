"""Deploying: what is asked first, how the pinned CDK is called, what is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from infra.aws import cdk
from infra.aws import cli as aws_cli
from infra.aws.adopt import KEPT, adopt
from infra.aws.node import node
from infra.aws.preflight import BOOTSTRAP, QUICKSIGHT_ROLE, missing
from infra.aws.synth import PACKAGED
from infra.command.cli import app
from tests.shop import SHOP

PRODUCTION = SHOP.default


class Recorder:
    """Stands for the terminal: notes what is run, and answers with a code. npm leaves what it would
    install.
    """

    def __init__(self, home: Path, codes: Sequence[int] = (), version: str = cdk.VERSION) -> None:
        self.calls: list[list[str]] = []
        self._home, self._codes, self._version = home, list(codes), version

    def __call__(self, arguments: Sequence[str], _: Mapping[str, str]) -> int:
        self.calls.append(list(arguments))
        code = self._codes.pop(0) if self._codes else 0
        if "install" in arguments and code == 0:
            package = self._home / f"aws-cdk-{cdk.VERSION}" / "node_modules" / "aws-cdk"
            package.mkdir(parents=True)
            (package / "package.json").write_text(f'{{"version": "{self._version}"}}')
        return code


def test_the_pinned_cdk_is_fetched_once_and_run_by_the_node_from_pypi(tmp_path: Path) -> None:
    run, environ = Recorder(tmp_path), {"PENSTOCK_CDK_HOME": str(tmp_path)}
    cdk.call(["diff"], environ, run)
    cdk.call(["deploy"], environ, run)
    assert [call[0] for call in run.calls] == [str(node())] * 3
    assert f"aws-cdk@{cdk.VERSION}" in run.calls[0]
    assert [call[-1] for call in run.calls[1:]] == ["diff", "deploy"]


def test_without_network_it_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(cdk.CdkMissingError, match=r"could not be fetched.*npm install --prefix"):
        cdk.call(["diff"], {"PENSTOCK_CDK_HOME": str(tmp_path)}, Recorder(tmp_path, codes=[1]))


def test_a_failed_cdk_is_a_failure_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(cdk.CdkFailedError, match="cdk deploy"):
        cdk.call(["deploy"], {"PENSTOCK_CDK_HOME": str(tmp_path)}, Recorder(tmp_path, codes=[0, 3]))


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield _client


def _client(service: str) -> Any:
    if service == "quicksight":
        return _NoQuickSight()
    if service == "lakeformation":
        return _LakeFormation()
    if service == "lambda":
        return _Functions(1_000, 1_000)
    return boto3.client(service, region_name="eu-central-1")  # type: ignore[call-overload]


class _QuickSight:
    def __init__(self, edition: str = "ENTERPRISE", status: str = "ACCOUNT_CREATED") -> None:
        self._info = {"Edition": edition, "AccountSubscriptionStatus": status}

    def describe_account_subscription(self, **_: str) -> Any:
        return {"AccountInfo": self._info}


class _LakeFormation:
    """As accounts are from the start: new databases and tables are IAM's; or not, where somebody changed it."""

    def __init__(self, *, of_tables: bool = True) -> None:
        by_iam = [
            {
                "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
                "Permissions": ["ALL"],
            }
        ]
        self._settings = {
            "CreateDatabaseDefaultPermissions": by_iam,
            "CreateTableDefaultPermissions": by_iam if of_tables else [],
        }

    def get_data_lake_settings(self) -> Any:
        return {"DataLakeSettings": self._settings}


class _NoQuickSight:
    def describe_account_subscription(self, **_: str) -> Any:
        raise ClientError(
            {"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "DescribeAccountSubscription"
        )


class _Functions:
    def __init__(self, total: int, free: int) -> None:
        self._limits = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": free}

    def get_account_settings(self) -> Any:
        return {"AccountLimit": self._limits}


def test_an_account_without_bootstrap_is_refused_before_anything_is_made(account: Any) -> None:
    found = {each.what: each for each in missing(account, PRODUCTION)}
    assert "bootstrap" in found["the CDK's bootstrap stack"].remedy
    assert found["the CDK's bootstrap stack"].stack is None


def test_an_account_without_quicksight_goes_without_the_dashboards_only(account: Any) -> None:
    account("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")
    (lacking,) = missing(account, PRODUCTION)
    assert lacking.stack == "dashboards"


@pytest.mark.parametrize(
    ("edition", "status", "said"),
    [
        ("ENTERPRISE", "UNSUBSCRIBED", "a QuickSight subscription"),
        ("STANDARD", "ACCOUNT_CREATED", "Enterprise edition"),
        ("ENTERPRISE", "SIGNUP_ATTEMPT_IN_PROGRESS", "has been made"),
    ],
)
def test_a_subscription_that_cannot_hold_the_dashboards_is_named(
    account: Any, edition: str, status: str, said: str
) -> None:
    account("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")

    def client(service: str) -> Any:
        return _QuickSight(edition, status) if service == "quicksight" else account(service)

    (lacking,) = missing(client, PRODUCTION)
    assert lacking.stack == "dashboards"
    assert said in lacking.what


def test_dashboards_wait_until_quicksight_may_read_the_reports(account: Any) -> None:
    account("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")
    iam = account("iam")

    def client(service: str) -> Any:
        return _QuickSight() if service == "quicksight" else account(service)

    (lacking,) = missing(client, PRODUCTION)
    assert (lacking.stack, QUICKSIGHT_ROLE in lacking.remedy) == ("dashboards", True)
    iam.create_role(RoleName=QUICKSIGHT_ROLE, AssumeRolePolicyDocument="{}")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = iam.create_policy(PolicyName="penstock-quicksight-eu-central-1", PolicyDocument=document)[
        "Policy"
    ]
    iam.attach_role_policy(RoleName=QUICKSIGHT_ROLE, PolicyArn=policy["Arn"])
    assert list(missing(client, PRODUCTION)) == []


def test_a_new_account_with_ten_concurrent_executions_cannot_reserve_fifty(account: Any) -> None:
    account("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")

    def client(service: str) -> Any:
        return _Functions(10, 10) if service == "lambda" else account(service)

    assert any("concurrent" in each.what for each in missing(client, PRODUCTION))
    assert not [
        each
        for each in missing(client, replace(PRODUCTION, transform_reserved_concurrency=None))
        if not each.stack
    ]


def test_what_was_changed_by_hand_is_looked_at_where_a_stack_is_there_and_only_when_asked() -> None:
    stacks = ["lake", "stream", "jobs"]
    assert cdk.deploy_calls(stacks, set()) == [(stacks, [])]
    by_what_is_there = ["--revert-drift", "--exclusively"]
    assert cdk.deploy_calls(stacks, {"lake", "stream"}) == [
        (["jobs"], []),
        (["lake", "stream"], by_what_is_there),
    ]
    assert cdk.deploy_calls(stacks, set(stacks)) == [(stacks, by_what_is_there)]


def test_an_account_whose_lake_formation_decides_about_new_tables_is_refused(account: Any) -> None:
    account("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")

    def client(service: str) -> Any:
        return _LakeFormation(of_tables=False) if service == "lakeformation" else account(service)

    (fatal,) = [each for each in missing(client, PRODUCTION) if each.stack is None]
    assert "Lake Formation" in fatal.what
    assert "Use only IAM access control" in fatal.remedy


class _Imports:
    """CloudFormation as far as an import goes: notes the change set."""

    def __init__(self, status: str = "") -> None:
        self.requests: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self._status = status

    def describe_stacks(self, **_: str) -> Any:
        if not self._status:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": ""}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self._status}]}

    def delete_stack(self, *, StackName: str) -> None:  # noqa: N803 - boto3's name
        self.deleted.append(StackName)

    def create_change_set(self, **request: Any) -> None:
        self.requests.append(request)

    def execute_change_set(self, **_: str) -> None: ...

    def get_waiter(self, _: str) -> Any:
        return SimpleNamespace(wait=lambda **_: None)


def _template(part: str) -> Any:
    return json.loads((PACKAGED / f"penstock-{part}.template.json").read_bytes())


def test_what_an_earlier_deployment_kept_is_imported_before_the_rest_is_made(account: Any) -> None:
    account("kinesis").create_stream(StreamName="penstock-web", ShardCount=1)
    secret = account("secretsmanager").create_secret(Name="penstock/pseudonym-keys", SecretString="{}")["ARN"]
    cloudformation = _Imports()

    def client(service: str) -> Any:
        return cloudformation if service == "cloudformation" else account(service)

    place = {"account": "123456789012", "region": "eu-central-1"}
    taken = adopt(client, "penstock-stream", _template("stream"), **place)
    (request,) = cloudformation.requests
    assert request["ChangeSetType"] == "IMPORT"
    assert {each["ResourceType"]: each["ResourceIdentifier"] for each in request["ResourcesToImport"]} == {
        "AWS::Kinesis::Stream": {"Name": "penstock-web"},
        "AWS::SecretsManager::Secret": {"Id": secret},
    }
    body = json.loads(request["TemplateBody"])["Resources"]
    assert sorted(body) == taken
    assert {each["DeletionPolicy"] for each in body.values()} == {"Retain"}


def test_buckets_are_found_under_the_account_and_region_and_others_are_left_to_the_deploy(
    account: Any,
) -> None:
    account("s3").create_bucket(
        Bucket="penstock-lake-123456789012-eu-central-1",
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    cloudformation = _Imports()

    def client(service: str) -> Any:
        return cloudformation if service == "cloudformation" else account(service)

    adopt(client, "penstock-lake", _template("lake"), account="123456789012", region="eu-central-1")
    (request,) = cloudformation.requests
    (imported,) = request["ResourcesToImport"]
    assert imported["ResourceIdentifier"] == {"BucketName": "penstock-lake-123456789012-eu-central-1"}
    assert "NotificationConfiguration" not in request["TemplateBody"]


def test_a_stack_that_exists_or_an_empty_account_imports_nothing(account: Any) -> None:
    for cloudformation in (_Imports("CREATE_COMPLETE"), _Imports()):

        def client(service: str, cloudformation: _Imports = cloudformation) -> Any:
            return cloudformation if service == "cloudformation" else account(service)

        place = {"account": "123456789012", "region": "eu-central-1"}
        assert adopt(client, "penstock-reporting", _template("reporting"), **place) == []
        assert cloudformation.requests == []


def test_a_stack_that_could_not_be_made_is_deleted_and_what_it_kept_is_taken_over(account: Any) -> None:
    account("kinesis").create_stream(StreamName="penstock-web", ShardCount=1)
    cloudformation = _Imports("ROLLBACK_COMPLETE")

    def client(service: str) -> Any:
        return cloudformation if service == "cloudformation" else account(service)

    place = {"account": "123456789012", "region": "eu-central-1"}
    assert len(adopt(client, "penstock-stream", _template("stream"), **place)) == 1
    assert cloudformation.deleted == ["penstock-stream"]
    (request,) = cloudformation.requests
    assert [each["ResourceType"] for each in request["ResourcesToImport"]] == ["AWS::Kinesis::Stream"]


def test_everything_that_is_kept_can_be_taken_over_again() -> None:
    kept = {
        resource["Type"]
        for path in PACKAGED.glob("*.template.json")
        for resource in json.loads(path.read_bytes())["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert kept <= set(KEPT)


def test_an_assembly_of_sources_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "asset.1" / "transforms").mkdir(parents=True)
    with pytest.raises(aws_cli.NotReadyError, match="lacks the functions' libraries"):
        aws_cli._refuse_without_libraries(tmp_path)
    (tmp_path / "asset.1" / "msgspec").mkdir()
    aws_cli._refuse_without_libraries(tmp_path)


def test_an_unknown_deployment_is_named_with_those_that_there_are() -> None:
    result = CliRunner().invoke(app, ["cost", "--deployment", "moon"])
    assert isinstance(result.exception, aws_cli.DeploymentNameError)
    assert "dev, staging, production" in str(result.exception)


def test_deployments_differ_in_names_so_that_two_fit_one_account() -> None:
    names = [vars(type(d))["work_group"].fget(d) for d in SHOP.deployments.values()]
    assert len(set(names)) == len(SHOP.deployments)
    assert all(
        len(
            d.bucket("access-logs")
            .replace("${AWS::AccountId}", "1" * 12)
            .replace("${AWS::Region}", "ap-southeast-1")
        )
        <= 63
        for d in SHOP.deployments.values()
    )
