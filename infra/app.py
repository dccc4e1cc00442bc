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
from infra.stacks.artefacts import ARTEFACTS

use_node()

import aws_cdk as cdk  # noqa: E402
from cdk_nag import AwsSolutionsChecks  # noqa: E402

from infra.stacks.access import AccessStack  # noqa: E402
from infra.stacks.dashboards import DashboardsStack  # noqa: E402
from infra.stacks.lake import LakeStack  # noqa: E402
from infra.stacks.monitoring import MonitoringStack  # noqa: E402
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
    table = next(iter(project.tables.values()))
    lake = LakeStack(app, deployment.stack("lake"), project=project, deployment=deployment)
    stream = StreamStack(
        app,
        deployment.stack("stream"),
        project=project,
        deployment=deployment,
        table=table,
        glue_table=lake.tables[table.name],
        code=code["transform"],
    )
    reporting = ReportingStack(
        app, deployment.stack("reporting"), project=project, deployment=deployment, code=code["query"]
    )
    dashboards = DashboardsStack(
        app, deployment.stack("dashboards"), project=project, deployment=deployment, code=code["refresh"]
    )
    monitoring = MonitoringStack(
        app, deployment.stack("monitoring"), deployment=deployment, stream=table.stream
    )
    access = AccessStack(app, deployment.stack("access"), project=project, deployment=deployment)
    stream.add_stack_dependency(lake)
    reporting.add_stack_dependency(lake)
    dashboards.add_stack_dependency(reporting)
    monitoring.add_stack_dependency(stream)
    monitoring.add_stack_dependency(reporting)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for key, value in {"penstock:deployment": deployment.name, "penstock:prefix": deployment.prefix}.items():
        cdk.Tags.of(app).add(key, value)
    return [lake, stream, reporting, dashboards, monitoring, access]


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
            for each, artefact in ARTEFACTS.items()
        }
        build(app, project, project.deployments[name], code)
        app.synth()


if __name__ == "__main__":
    main()
