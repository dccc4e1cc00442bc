"""QuickSight: what `dashboards.emit` makes of the report contracts and the definitions, as resources."""

from typing import Any

from aws_cdk import Aws, CfnCondition, CfnParameter, CfnResource, Fn, Stack, Token
from constructs import Construct

from dashboards.emit import resources
from infra.deployment import Deployment
from infra.findings import accept
from queries.contracts import reports

NOBODY = "none"
_QUICKSIGHT_TEXT = "QuickSight's own parameters look like CloudFormation's; outside of Fn::Sub they are text."


class DashboardsStack(Stack):
    """Data source, datasets, analyses and dashboards. It needs an account that has QuickSight.

    Who may open them is the deployer's choice and a parameter of the stack. Without an owner the assets
    exist, and only the account's QuickSight administrators see them; viewers are granted beside an owner.
    """

    def __init__(self, scope: Construct, identifier: str, *, deployment: Deployment) -> None:
        super().__init__(scope, identifier, description="Penstock: QuickSight datasets and dashboards")
        self._owner = self._principal("OwnerArn", "who may change and share the dashboards")
        self._viewer = self._principal("ViewerArn", "who may open the dashboards, beside the owner")
        found = resources(
            reports(),
            prefix=deployment.prefix,
            account=Aws.ACCOUNT_ID,
            region=Aws.REGION,
            partition=Aws.PARTITION,
            database=deployment.database,
            work_group=deployment.analyst_work_group,
            owners=[self._owner.value_as_string],
            viewers=[self._viewer.value_as_string],
        )
        made: dict[str, CfnResource] = {}
        for logical_id, emitted in found.items():
            resource = emitted._replace(properties=_in_cloudformation(emitted.type, emitted.properties))
            granted = self._granted(resource.properties.get("Permissions", []))
            properties = {**resource.properties, **granted}
            made[logical_id] = CfnResource(self, logical_id, type=resource.type, properties=properties)
            # QuickSight writes its own parameters as `${Name}`; outside of Fn::Sub CloudFormation leaves
            # them alone.
            made[logical_id].add_metadata("cfn-lint", {"config": {"ignore_checks": ["E1029"]}})
            accept(made[logical_id], {"CloudFormation-Validate::E1029": _QUICKSIGHT_TEXT})
            for needed in resource.depends_on:
                made[logical_id].add_resource_dependency(made[needed])

    def _principal(self, name: str, purpose: str) -> CfnParameter:
        parameter = CfnParameter(
            self,
            name,
            type="String",
            default=NOBODY,
            description=f"ARN of the QuickSight user or group {purpose}",
        )
        CfnCondition(self, f"Has{name}", expression=Fn.condition_not(Fn.condition_equals(parameter, NOBODY)))
        return parameter

    def _granted(self, permissions: list[dict[str, Any]]) -> dict[str, Any]:
        """Each permission only when its principal is given: an empty ARN would be refused."""
        if not permissions:
            return {}
        given = [
            permission
            if permission["Principal"] == self._owner.value_as_string
            else {"Fn::If": ["HasViewerArn", permission, {"Ref": "AWS::NoValue"}]}
            for permission in permissions
        ]
        return {"Permissions": Token.as_any({"Fn::If": ["HasOwnerArn", given, {"Ref": "AWS::NoValue"}]})}


def _in_cloudformation(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties in CloudFormation's spelling, which differs from the API's in one name."""
    frequency = properties.get("Schedule", {}).get("ScheduleFrequency", {})
    if kind != "AWS::QuickSight::RefreshSchedule" or "Timezone" not in frequency:
        return properties
    renamed = {"TimeZone" if name == "Timezone" else name: value for name, value in frequency.items()}
    return {**properties, "Schedule": {**properties["Schedule"], "ScheduleFrequency": renamed}}
