"""What analysts find in Athena besides the tables: a view for each event type, and the usual questions."""

from aws_cdk import Stack
from aws_cdk import aws_athena as athena

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.lake import glue_table
from queries.store.event_views import event_views
from queries.store.tables import event_view_input


def add_event_views(stack: Stack, project: Project, deployment: Deployment) -> None:
    """A view for each event type."""
    for view in event_views(project.tables).values():
        glue_table(stack, None, deployment.database, event_view_input(view, deployment.database))


def add_questions(
    stack: Stack, project: Project, deployment: Deployment, work_group: athena.CfnWorkGroup
) -> None:
    """The usual questions, as saved queries of the analysts' work group."""
    for question in project.questions:
        saved = athena.CfnNamedQuery(
            stack,
            "Question" + "".join(part.title() for part in question.name.split("_")),
            name=question.title,
            description=question.says,
            database=deployment.database,
            query_string=question.sql,
            work_group=deployment.analyst_work_group,
        )
        saved.add_resource_dependency(work_group)
