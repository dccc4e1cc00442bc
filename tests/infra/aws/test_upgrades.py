"""Today's templates over a deployment of any version that was deployed: nothing that has a name is replaced."""

import copy
from typing import Any

import pytest

from infra.aws.lasting import HAS_ITS_OWN_ID, keep_texts, replacements
from infra.aws.registry import create_only
from tests.infra.aws.released import frozen, names, packaged

# The operator's policy was deployed with two descriptions before this was checked. The local deployer keeps
# the one that is there; a deploy to AWS stops and says what to do.
KNOWN = {"79c7181": ["Operator41AE602D (AWS::IAM::ManagedPolicy): Description changed"]}
REMEDY = (
    "CloudFormation cannot replace what has a fixed name. Leave the property as it was deployed (also a policy's "
    "description: what it says can be said in docs/roles.md), or make a new resource under a new name."
)


def found(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [str(each) for each in replacements(before, after, create_only())]


@pytest.mark.parametrize("version", names())
def test_no_named_resource_of_a_deployed_version_is_replaced(version: str) -> None:
    today, seen = packaged(), []
    for stack, before in frozen(version).items():
        seen += found(before, today[stack])
        assert found(before, keep_texts(today[stack], before)) == [], REMEDY
    assert seen == KNOWN.get(version, []), REMEDY


def test_what_was_deployed_before_this_check_is_among_the_frozen() -> None:
    assert {"1914c85", "79c7181"} <= set(names())


def test_the_registry_knows_every_type_that_is_deployed() -> None:
    types = {r["Type"] for stack in packaged().values() for r in stack["Resources"].values()}
    unknown = types - create_only().keys() - {"AWS::CDK::Metadata"}
    assert unknown == set()
    assert create_only()["AWS::IAM::ManagedPolicy"]
    assert types >= HAS_ITS_OWN_ID


@pytest.mark.parametrize(
    ("stack", "resource", "path", "other"),
    [
        ("penstock-access", "Analyst5C91540F", ("Description",), "Reads all of it"),
        ("penstock-access", "Analyst5C91540F", ("Path",), "/people/"),
        ("penstock-stream", "Stream790BDEE4", ("Name",), "another"),
        ("penstock-stream", "Delivery5F6C039D", ("KinesisStreamSourceConfiguration", "RoleARN"), "another"),
        ("penstock-lake", "TableWebEvents", ("TableInput", "Name"), "another"),
        ("penstock-reporting", "LedgerB7379752", ("KeySchema",), []),
        ("penstock-reporting", "QueriesRole13380E42", ("RoleName",), "another"),
    ],
)
def test_a_change_that_replaces_is_found(
    stack: str, resource: str, path: tuple[str, ...], other: Any
) -> None:
    before = frozen("1914c85")[stack]
    after = copy.deepcopy(before)
    changed: Any = after["Resources"][resource]["Properties"]
    for word in path[:-1]:
        changed = changed[word]
    changed[path[-1]] = other
    (replaced,) = found(before, after)
    assert replaced.startswith(resource)
    assert found(before, before) == []


def test_the_same_name_under_another_logical_id_is_found() -> None:
    before = frozen("1914c85")["penstock-lake"]
    after = copy.deepcopy(before)
    after["Resources"]["Renamed"] = after["Resources"].pop("ObjectsA92BA4F1")
    assert found(before, after) == ["ObjectsA92BA4F1 (AWS::SQS::Queue): its name is now that of Renamed"]


def test_a_resource_that_is_gone_or_may_be_replaced_is_not_an_obstacle() -> None:
    before = frozen("1914c85")["penstock-reporting"]
    after = copy.deepcopy(before)
    after["Resources"]["QuestionBestSellers"]["Properties"]["QueryString"] = "SELECT 1"
    del after["Resources"]["QuestionSlowPages"]
    assert found(before, after) == []


def test_only_texts_are_kept_as_they_were_deployed() -> None:
    before = frozen("1914c85")["penstock-access"]
    after = copy.deepcopy(before)
    properties = after["Resources"]["Analyst5C91540F"]["Properties"]
    properties |= {"Description": "Reads all of it", "PolicyDocument": {"Statement": []}}
    kept = keep_texts(after, before)["Resources"]["Analyst5C91540F"]["Properties"]
    assert kept["Description"] == before["Resources"]["Analyst5C91540F"]["Properties"]["Description"]
    assert kept["PolicyDocument"] == {"Statement": []}
    assert properties["Description"] == "Reads all of it"
    assert keep_texts(after, {}) == after
