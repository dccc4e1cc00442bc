"""Deploying: what is asked first, how the pinned CDK is called, what is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra import aws_cli, cdk
from infra.cli import app
from infra.deployment import DEFAULT, DEPLOYMENTS
from infra.node import node
from infra.preflight import BOOTSTRAP, QUICKSIGHT_ROLE, missing

PRODUCTION = DEPLOYMENTS[DEFAULT]


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
    if service == "lambda":
        return _Functions(1_000, 1_000)
    return boto3.client(service, region_name="eu-central-1")  # type: ignore[call-overload]


class _QuickSight:
    def describe_account_subscription(self, **_: str) -> Any:
        return {"AccountInfo": {"Edition": "ENTERPRISE"}}


class _NoQuickSight:
    def describe_account_subscription(self, **_: str) -> Any:
        from botocore.exceptions import ClientError

        raise ClientError(
            {"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "DescribeAccountSubscription"
        )


class _Functions:
    def __init__(self, total: int, free: int) -> None:
        self._limits = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": free}

    def get_account_settings(self) -> Any:
        return {"AccountLimit": self._limits}


def test_an_account_without_bootstrap_is_told_before_anything_is_made(account: Any) -> None:
    found = {each.what: each for each in missing(account, PRODUCTION)}
    assert "bootstrap" in found["the CDK's bootstrap stack"].remedy
    assert found["the CDK's bootstrap stack"].stack is None


def test_an_account_without_quicksight_goes_without_the_dashboards_only(account: Any) -> None:
    account("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")
    (lacking,) = missing(account, PRODUCTION)
    assert lacking.stack == "dashboards"


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
    names = [vars(type(d))["work_group"].fget(d) for d in DEPLOYMENTS.values()]
    assert len(set(names)) == len(DEPLOYMENTS)
    assert all(
        len(
            d.bucket("access-logs")
            .replace("${AWS::AccountId}", "1" * 12)
            .replace("${AWS::Region}", "ap-southeast-1")
        )
        <= 63
        for d in DEPLOYMENTS.values()
    )
