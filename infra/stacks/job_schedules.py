"""What EventBridge Scheduler asks of the function of jobs, and when."""

import msgspec
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.deployment import ACCOUNT, Deployment
from infra.project.project import Project
from infra.project.schedules import unknown_names
from infra.stacks.permissions import Grant, arn
from infra.stacks.roles import runtime_role
from queries.jobs.scheduled import FIRED_AT, Firing

_ASKED_FOR_SECONDS = 3_600
"""A call that does not come through is tried again for so long."""


class UnknownNameError(ValueError):
    """A schedule names what the project does not have; the text says which."""


def add_schedules(scope: Construct, project: Project, deployment: Deployment, function_arn: str) -> None:
    """The project's schedules; `function_arn` is of the function of jobs. Raises UnknownNameError."""
    if not project.schedules:
        return
    if wrong := unknown_names(project.schedules, project.reports, project.sources):
        raise UnknownNameError(f"{project.file}: {' '.join(wrong)}")
    role = runtime_role(
        scope,
        "ScheduleRole",
        name=deployment.role("jobs-schedule"),
        service="scheduler.amazonaws.com",
        grants=[
            Grant(
                "AskForJobs",
                ["lambda:InvokeFunction"],
                [arn("lambda", f"function:{deployment.jobs_function}")],
            )
        ],
        trust_conditions={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    )
    for schedule in project.schedules.values():
        firing = Firing(schedule.name, FIRED_AT, schedule.request)
        scheduler.CfnSchedule(
            scope,
            f"Schedule-{schedule.name}",
            name=f"{deployment.prefix}-{schedule.name}",
            description=f"Asks for a job: {schedule.name}.",
            schedule_expression=schedule.expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function_arn,
                role_arn=role.role_arn,
                input=msgspec.json.encode(firing).decode(),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_ASKED_FOR_SECONDS, maximum_retry_attempts=10
                ),
            ),
        )
