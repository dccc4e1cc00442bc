"""The CDK app: `python -m infra.app`, as `cdk.json` says. Which deployment: `-c deployment=dev`."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.aws.node import use_node
from infra.deployment import DEFAULT, DEPLOYMENTS, Deployment
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
from transforms.contracts import LAKE_TABLES  # noqa: E402

CONTEXT = {
    # The lake table cannot go before the delivery stream that writes by its columns.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
}


def build(app: cdk.App, deployment: Deployment, code: Mapping[str, Path]) -> list[cdk.Stack]:
    """Every stack of the deployment, in order of deployment; `code` is each artefact's zip by name."""
    table = LAKE_TABLES["web_events"]
    lake = LakeStack(app, deployment.stack("lake"), deployment=deployment)
    stream = StreamStack(
        app,
        deployment.stack("stream"),
        deployment=deployment,
        table=table,
        glue_table=lake.tables[table.name],
        code=code["transform"],
    )
    reporting = ReportingStack(app, deployment.stack("reporting"), deployment=deployment, code=code["query"])
    dashboards = DashboardsStack(
        app, deployment.stack("dashboards"), deployment=deployment, code=code["refresh"]
    )
    monitoring = MonitoringStack(
        app, deployment.stack("monitoring"), deployment=deployment, stream=table.stream
    )
    access = AccessStack(app, deployment.stack("access"), deployment=deployment)
    stream.add_stack_dependency(lake)
    reporting.add_stack_dependency(lake)
    dashboards.add_stack_dependency(reporting)
    monitoring.add_stack_dependency(stream)
    monitoring.add_stack_dependency(reporting)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for key, value in {"penstock:deployment": deployment.name, "penstock:prefix": deployment.prefix}.items():
        cdk.Tags.of(app).add(key, value)
    return [lake, stream, reporting, dashboards, monitoring, access]


def assemble(deployment: Deployment, code: Mapping[str, Path], out: Path) -> None:
    """Synthesize the deployment into `out`. `code` has each artefact's folder by name."""
    app = cdk.App(outdir=str(out), analytics_reporting=False, context=CONTEXT)
    build(app, deployment, code)
    app.synth()


def main() -> None:
    """Synthesize for the CDK's command line, which says where to and which deployment."""
    with tempfile.TemporaryDirectory() as scratch:
        app = cdk.App(analytics_reporting=False, context=CONTEXT)
        name = app.node.try_get_context("deployment") or DEFAULT
        if name not in DEPLOYMENTS:
            sys.exit(f"No deployment {name!r}. Use one of: {', '.join(DEPLOYMENTS)}.")
        code = {name: full_folder(artefact, Path(scratch)) for name, artefact in ARTEFACTS.items()}
        build(app, DEPLOYMENTS[name], code)
        app.synth()


if __name__ == "__main__":
    main()
