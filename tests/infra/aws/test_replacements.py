"""A deploy stops before it replaces or removes dashboards that nobody wanted gone."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dashboards.plan import Step
from infra.aws import replacements
from infra.aws.replacements import CHANGE_SET, ReplacementError, check, lost, refuse_named
from tests.infra.aws.released import frozen
from tests.shop import SHOP

PRODUCTION = SHOP.default


def change(kind: str, asset: str, action: str, replacement: str = "False") -> dict[str, Any]:
    """An entry of describe_change_set, as CloudFormation answers it."""
    found = {
        "Action": action,
        "LogicalResourceId": asset.title().replace("-", ""),
        "PhysicalResourceId": f"123456789012|{asset}",
        "ResourceType": f"AWS::QuickSight::{kind}",
        "Scope": ["Properties"],
        "Details": [],
    }
    return {
        "Type": "Resource",
        "ResourceChange": found | ({"Replacement": replacement} if action == "Modify" else {}),
    }


class Cloud:
    """CloudFormation as far as a change set goes, in pages of one entry."""

    def __init__(self, changes: Sequence[dict[str, Any]], status: str = "UPDATE_COMPLETE") -> None:
        self.changes, self.status = changes, status
        self.prepared: list[str] = []
        self.deleted: list[str] = []

    def client(self, service: str) -> "Cloud":
        assert service == "cloudformation"
        return self

    def describe_stacks(self, **_: str) -> Any:
        if not self.status:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": ""}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status}]}

    def get_template(self, **_: str) -> Any:
        return {"TemplateBody": json.dumps(frozen("79c7181")["penstock-access"])}

    def describe_change_set(self, NextToken: str = "0", **_: str) -> Any:  # noqa: N803  AWS's name
        at = int(NextToken)
        page: dict[str, Any] = {"Changes": list(self.changes[at : at + 1])}
        return page | ({"NextToken": str(at + 1)} if at + 1 < len(self.changes) else {})

    def delete_change_set(self, **request: str) -> None:
        self.deleted.append(request["ChangeSetName"])


def checked(
    monkeypatch: pytest.MonkeyPatch, cloud: Cloud, steps: Sequence[Step], *, may_replace: bool = False
) -> list[str]:
    monkeypatch.setattr(replacements, "planned", lambda *_: tuple(steps))
    told: list[str] = []
    check(
        cloud.client,
        SHOP,
        PRODUCTION,
        prepare=cloud.prepared.append,
        may_replace=may_replace,
        tell=told.append,
    )
    return told


UPDATE = Step("DataSet", "penstock-orders-by-hour", "update", "the declaration changed")
REPLACE = Step(
    "DataSet", "penstock-orders-by-hour", "replace", "another shape", dependents=("Dashboard theirs",)
)


def test_updates_and_additions_pass_and_the_change_set_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud([
        change("DataSet", "penstock-orders-by-hour", "Modify"), change("Dashboard", "penstock-new", "Add"),
    ])  # fmt: skip
    assert checked(monkeypatch, cloud, [UPDATE]) == []
    assert cloud.prepared == ["penstock-dashboards"]
    assert cloud.deleted == [CHANGE_SET]


@pytest.mark.parametrize(
    "entry",
    [
        change("DataSet", "penstock-orders-by-hour", "Modify", "True"),
        change("DataSet", "penstock-orders-by-hour", "Modify", "Conditional"),
        change("DataSet", "penstock-orders-by-hour", "Remove"),
    ],
)
def test_a_replacement_that_the_plan_does_not_show_is_refused_whatever_was_allowed(
    monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]
) -> None:
    cloud = Cloud([change("Dashboard", "penstock-traffic", "Modify"), entry])
    with pytest.raises(ReplacementError, match=r"DataSet penstock-orders-by-hour.*does not show"):
        checked(monkeypatch, cloud, [UPDATE], may_replace=True)
    assert cloud.deleted == [CHANGE_SET]


def test_a_replacement_that_is_shown_needs_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud([change("DataSet", "penstock-orders-by-hour", "Modify", "True")])
    with pytest.raises(ReplacementError, match="--replace"):
        checked(monkeypatch, cloud, [REPLACE])
    assert cloud.prepared == []
    (told,) = checked(monkeypatch, cloud, [REPLACE], may_replace=True)
    assert "depends on it: Dashboard theirs" in told


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS"])
def test_a_first_deploy_has_nothing_to_lose(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    cloud = Cloud([], status)
    assert checked(monkeypatch, cloud, []) == []
    assert cloud.prepared == []


def test_a_deploy_that_would_replace_what_has_a_name_stops_and_names_it() -> None:
    wanted = {"penstock-access": frozen("1914c85")["penstock-access"]}
    with pytest.raises(ReplacementError, match=r"penstock-access: Operator41AE602D.*Description changed"):
        refuse_named(Cloud([]).client, wanted)
    refuse_named(Cloud([], status="").client, wanted)
    refuse_named(Cloud([]).client, {"penstock-access": frozen("79c7181")["penstock-access"]})


def test_what_is_not_an_asset_of_the_plan_does_not_count() -> None:
    assert lost([change("RefreshSchedule", "x", "Remove"), {"Type": "Hook"}]) == {}
