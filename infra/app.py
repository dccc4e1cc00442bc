"""The CDK app: `python -m infra.app`, as `cdk.json` says. Which deployment: `-c deployment=dev`."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.aws.node import use_node
from infra.deployment import DEFAULT, Deployment
from infra.project.loading import find
from infra.project.project import Project
from infra.stacks.artefact_folder import full_folder
from infra.stacks.artefacts import artefacts_of, transform_artefact
from producers.contracts import Stream

use_node()

import aws_cdk as cdk  # noqa: E402
from cdk_nag import AwsSolutionsChecks  # noqa: E402

from infra.stacks.access import AccessStack  # noqa: E402
from infra.stacks.collector import CollectorStack  # noqa: E402
from infra.stacks.dashboards import DashboardsStack  # noqa: E402
from infra.stacks.jobs import JobsStack  # noqa: E402
from infra.stacks.lake import LakeStack  # noqa: E402
from infra.stacks.monitoring import MonitoringStack, StreamMonitoringStack  # noqa: E402
from infra.stacks.reporting import ReportingStack  # noqa: E402
from infra.stacks.stream import StreamStack  # noqa: E402

CONTEXT = {
    # The lake table cannot go before the delivery stream that writes by its columns.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
}


def build(
    app: cdk.App, project: Project, deployment: Deployment, code: Mapping[str, Path]
) -> list[cdk.Stack]:
    """Every stack of the project's deployment, in order of deployment; `code` has each artefact's folder."""
    lake = LakeStack(app, deployment.stack("lake"), project=project, deployment=deployment)
    streams = {
        table.stream.name: StreamStack(
            app,
            deployment.stream_stack(table.stream, "stream"),
            project=project,
            deployment=deployment,
            table=table,
            glue_table=lake.tables[table.name],
            code=code[transform_artefact(table.stream).name],
        )
        for table in project.tables.values()
    }
    reporting = ReportingStack(
        app, deployment.stack("reporting"), project=project, deployment=deployment, code=code["query"]
    )
    dashboards = DashboardsStack(
        app, deployment.stack("dashboards"), project=project, deployment=deployment, code=code["refresh"]
    )
    collector = (
        [
            CollectorStack(
                app,
                deployment.stack("collector"),
                project=project,
                deployment=deployment,
                code=code,
            )
        ]
        if deployment.collector
        else []
    )
    jobs = (
        [JobsStack(app, deployment.stack("jobs"), project=project, deployment=deployment, code=code)]
        if deployment.jobs
        else []
    )
    plain = next((stream for stream in project.streams.values() if stream.plain_names), None)
    monitoring = MonitoringStack(
        app,
        deployment.stack("monitoring"),
        deployment=deployment,
        plain=plain,
        hooks=bool(project.hooks),
        imports=bool(project.sources),
    )
    watched = [
        StreamMonitoringStack(
            app, deployment.stream_stack(stream, "monitoring"), deployment=deployment, stream=stream
        )
        for stream in project.streams.values()
        if stream is not plain
    ]
    access = AccessStack(app, deployment.stack("access"), project=project, deployment=deployment)
    for stream in streams.values():
        stream.add_stack_dependency(lake)
        for taking in collector:
            taking.add_stack_dependency(stream)
    reporting.add_stack_dependency(lake)
    dashboards.add_stack_dependency(reporting)
    for worked in jobs:
        worked.add_stack_dependency(reporting)
    if plain is not None:
        monitoring.add_stack_dependency(streams[plain.name])
    for each in watched:
        each.add_stack_dependency(streams[each.stream.name])
    monitoring.add_stack_dependency(reporting)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for key, value in {"penstock:deployment": deployment.name, "penstock:prefix": deployment.prefix}.items():
        cdk.Tags.of(app).add(key, value)
    for one in streams.values():
        _tag(one, one.stream)
    for each in watched:
        _tag(each, each.stream)
    return [lake, *streams.values(), *collector, reporting, *jobs, dashboards, monitoring, *watched, access]


def _tag(stack: cdk.Stack, stream: Stream) -> None:
    """Whose it is, on everything that is one stream's own."""
    if not stream.plain_names:
        cdk.Tags.of(stack).add("penstock:stream", stream.name)
    if stream.owner:
        cdk.Tags.of(stack).add("penstock:owner", stream.owner)


def assemble(project: Project, deployment: Deployment, code: Mapping[str, Path], out: Path) -> None:
    """Synthesize the project's deployment into `out`. `code` has each artefact's folder by name."""
    app = cdk.App(outdir=str(out), analytics_reporting=False, context=CONTEXT)
    build(app, project, deployment, code)
    app.synth()


def main() -> None:
    """Synthesize for the CDK's command line, which says where to and which deployment."""
    with tempfile.TemporaryDirectory() as scratch:
        app = cdk.App(analytics_reporting=False, context=CONTEXT)
        name = app.node.try_get_context("deployment") or DEFAULT
        project = find(Path.cwd())
        if name not in project.deployments:
            sys.exit(f"No deployment {name!r}. Use one of: {', '.join(project.deployments)}.")
        code = {
            each: full_folder(artefact, project.folders, Path(scratch))
            for each, artefact in artefacts_of(project).items()
        }
        build(app, project, project.deployments[name], code)
        app.synth()


if __name__ == "__main__":
    main()
