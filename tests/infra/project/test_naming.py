"""Names that AWS would refuse are refused before anything is deployed."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.deployment import ACCOUNT, REGION, Deployment
from infra.project.loading import load
from infra.project.naming import LIMITS, LONGEST_REGION, NameTooLongError, names, require_short_names
from tests.infra.project.rides import write
from tests.shop import SHOP

LONGEST_PREFIX, LONGEST_STREAM = 32, 24
NAMED: dict[str, tuple[str, int]] = {
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", 128),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::KinesisFirehose::DeliveryStream": ("DeliveryStreamName", 64),
    "AWS::Kinesis::Stream": ("Name", 128),
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::SNS::Topic": ("TopicName", 256),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::Athena::WorkGroup": ("Name", 128),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", 80),
    "AWS::Cognito::UserPool": ("UserPoolName", 128),
    "AWS::DynamoDB::GlobalTable": ("TableName", 255),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::CloudWatch::Dashboard": ("DashboardName", 255),
}
"""What AWS documents: the property that names a resource, and how many characters it takes."""
CHECKED = {"AWS::IAM::Role", "AWS::S3::Bucket", "AWS::Lambda::Function"}


def _deployed_names() -> list[tuple[str, str]]:
    """(type, name) of every resource of the shop that the table above knows."""
    found: list[tuple[str, str]] = []
    assert SHOP.assembly is not None
    for path in SHOP.assembly.glob("*.template.json"):
        for resource in json.loads(path.read_text())["Resources"].values():
            if resource["Type"] in NAMED:
                name: Any = resource["Properties"][NAMED[resource["Type"]][0]]
                found.append((resource["Type"], name["Fn::Sub"] if isinstance(name, dict) else name))
    return found


def test_every_bucket_role_and_function_of_the_templates_is_among_the_names() -> None:
    known = {each.name for each in names(SHOP.default, SHOP.streams.values())}
    deployed = {
        name.replace(ACCOUNT, "0" * 12).replace(REGION, LONGEST_REGION)
        for kind, name in _deployed_names()
        if kind in CHECKED
    }
    assert len(deployed) == 41
    assert deployed <= known


def test_every_other_name_fits_with_the_longest_prefix_and_the_longest_stream() -> None:
    more = LONGEST_PREFIX - len(SHOP.default.prefix) + LONGEST_STREAM + 1
    for kind, name in _deployed_names():
        if kind not in CHECKED and kind != "AWS::Events::Rule":
            assert len(name.replace(REGION, LONGEST_REGION)) + more <= NAMED[kind][1], name
        if kind == "AWS::Events::Rule":  # no rule is one stream's own
            assert len(name) + LONGEST_PREFIX - len(SHOP.default.prefix) <= NAMED[kind][1], name


@pytest.mark.parametrize(
    ("prefix", "kind", "says"),
    [("p" * 24, "bucket", "by 1"), ("p" * 32, "bucket", "by 9")],
)
def test_a_prefix_that_makes_a_bucket_too_long_is_refused_with_by_how_much(
    prefix: str, kind: str, says: str
) -> None:
    deployment = Deployment(name="production", prefix=prefix)
    with pytest.raises(
        NameTooLongError, match=rf"^penstock.toml: .* the {kind} would be .*{says}\.$"
    ) as told:
        require_short_names([deployment], SHOP.streams.values(), "penstock.toml")
    assert f"AWS allows {LIMITS[kind]}" in str(told.value)
    require_short_names([Deployment(name="production", prefix=prefix[:23])], SHOP.streams.values(), "f")


def test_a_long_prefix_and_a_long_stream_are_refused_when_the_project_is_read(tmp_path: Path) -> None:
    text = '[project]\nname = "rides"\n[deployments.testing]\nprefix = "%s"\n'
    folder = write(tmp_path, penstock=text % ("r" * 22))
    assert load(folder).streams
    file = folder / "streams" / "rides.py"
    file.write_text(file.read_text().replace('name="rides"', 'name="rides_of_all_bicycles_us"'))
    with pytest.raises(NameTooLongError) as told:
        _ = load(folder).streams
    assert str(told.value).startswith(
        f"{folder / 'penstock.toml'}: in the deployment 'testing' the role of the "
    )
    assert "stream 'rides_of_all_bicycles_us'" in str(told.value)
