"""QuickSight: what `dashboards.emit` makes of the report contracts and the definitions, as resources; and the
function that keeps its copies of reports fresh.
"""

from pathlib import Path
from typing import Any

from aws_cdk import (
    Aws,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    CfnResource,
    Duration,
    Fn,
    Stack,
    Token,
)
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_logs as logs
from constructs import Construct

from dashboards.emit import resources
from dashboards.settings import Settings
from dashboards.telemetry import BEHIND, DATASETS_BEHIND
from infra.deployment import Deployment
from infra.functions import PipelineFunction, log_group_name
from infra.project.project import Project
from infra.stacks.artefacts import REFRESH
from infra.stacks.findings import accept
from infra.stacks.permissions import refresh_grants

NOBODY = "none"
_QUICKSIGHT_TEXT = "QuickSight's own parameters look like CloudFormation's; outside of Fn::Sub they are text."


class DashboardsStack(Stack):
    """Data source, datasets, analyses and dashboards. It needs an account that has QuickSight.

    Who may open them is the deployer's choice and a parameter of the stack. Without an owner the assets
    exist, and only the account's QuickSight administrators see them; viewers are granted beside an owner.
    """

    def __init__(
        self, scope: Construct, identifier: str, *, project: Project, deployment: Deployment, code: Path
    ) -> None:
        super().__init__(scope, identifier, description="Penstock: QuickSight datasets and dashboards")
        self._owner = self._principal("OwnerArn", "who may change and share the dashboards")
        self._viewer = self._principal("ViewerArn", "who may open the dashboards, beside the owner")
        found = resources(
            project.reports,
            project.dashboards,
            prefix=deployment.prefix,
            account=Aws.ACCOUNT_ID,
            region=Aws.REGION,
            partition=Aws.PARTITION,
            database=deployment.database,
            work_group=deployment.analyst_work_group,
            owners=[self._owner.value_as_string],
            viewers=[self._viewer.value_as_string],
        )
        self._deployment, self._folders = deployment, project.folders
        copies = {
            next(iter(emitted.properties["PhysicalTableMap"])).replace("-", "_"): emitted.properties[
                "DataSetId"
            ]
            for emitted in found.values()
            if emitted.properties.get("ImportMode") == "SPICE"
        }
        data_sets = {name: copies[name] for name in sorted(copies) if name in project.reports}
        if data_sets:  # without a copy there is nothing to keep fresh
            self._refresh(data_sets, code)
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

    def _refresh(self, data_sets: dict[str, str], code: Path) -> PipelineFunction:
        """The function that starts ingestions: called by every publish, and by a tick that ends its waits."""
        deployment = self._deployment
        name = deployment.refresh_function
        refresh = PipelineFunction(
            self,
            "Refresh",
            name=name,
            role_name=deployment.role("refresh"),
            artefact=REFRESH,
            folders=self._folders,
            code=code,
            environment=Settings(Aws.ACCOUNT_ID, deployment.database, data_sets).to_environ(),
            grants=refresh_grants(deployment, data_sets, log_group_name(name)),
            memory=256,
            timeout_seconds=60,
            log_days=deployment.log_days,
        )
        target = targets.LambdaFunction(refresh.function, retry_attempts=2, max_event_age=Duration.minutes(5))
        events.Rule(
            self,
            "ReportPublished",
            rule_name=f"{deployment.prefix}-report-published",
            description="A report that dashboards hold a copy of was published: its partitions changed.",
            event_pattern=events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Data Catalog Table State Change"],
                detail={
                    "databaseName": [deployment.database],
                    "tableName": list(data_sets),
                    "typeOfChange": ["BatchCreatePartition", "BatchUpdatePartition"],
                },
            ),
            targets=[target],
        )
        events.Rule(
            self,
            "RefreshTick",
            rule_name=f"{deployment.prefix}-refresh-tick",
            description="Ends the waits for a refresh's turn, and finds a publish that no event announced.",
            schedule=events.Schedule.rate(Duration.minutes(5)),
            targets=[target],
        )
        logs.MetricFilter(
            self,
            "Behind",
            log_group=refresh.log_group,
            filter_name=f"{deployment.prefix}-{DATASETS_BEHIND}",
            metric_namespace=deployment.prefix,
            metric_name=DATASETS_BEHIND,
            filter_pattern=logs.FilterPattern.string_value("$.message", "=", BEHIND),
            metric_value="1",
        )
        CfnOutput(self, "RefreshFunction", value=refresh.function.function_name)
        return refresh

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
