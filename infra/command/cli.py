"""`penstock`: one command, put together from the verbs of every stage."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

import typer
from typer.main import get_command

from infra.command.exits import Exit
from infra.command.failures import report
from infra.command.mounts import Mount, lazy_group
from infra.command.target import Target
from infra.deployment import DEFAULT

MACHINE, EVENTS, REPORTS, AWS = "On this machine", "Events", "Reports", "On AWS"
MOUNTS = (
    Mount("init", "infra.project.cli", "init", "Create a project: streams, reports, dashboards.", MACHINE),
    Mount(
        "add",
        "infra.project.adding.cli",
        "app",
        "Add to a project: a stream from a sample of its rows.",
        MACHINE,
    ),
    Mount("demo", "infra.demo.cli", "demo", "Run the whole pipeline once, on this machine.", MACHINE),
    Mount(
        "local",
        "infra.command.local_cli",
        "app",
        "The local cloud: up, down, reset, status, env, watch.",
        MACHINE,
    ),
    Mount(
        "produce",
        "producers.commands.cli",
        "app",
        "Send events: simulated, from a file, from a pipe.",
        EVENTS,
    ),
    Mount("keys", "producers.commands.keys", "app", "Write keys of the collector.", EVENTS),
    Mount("hooks", "producers.commands.hooks", "app", "Webhooks: addresses and secrets.", EVENTS),
    Mount(
        "collector",
        "infra.collector.commands",
        "app",
        "For clients of the collector: openapi, script, typings.",
        EVENTS,
    ),
    Mount("import", "infra.importing.cli", "import_files", "Files of any age into the lake.", EVENTS),
    Mount("failed", "transforms.cli", "failed_app", "Failed records: list, explain, replay.", EVENTS),
    Mount("contracts", "transforms.cli", "contracts_app", "Event types and what they promise.", EVENTS),
    Mount("reconcile", "infra.command.reconcile_cli", "reconcile", "Account for every event.", EVENTS),
    Mount(
        "reports",
        "queries.commands.cli",
        "reports_app",
        "Reports: list, lint, run, refresh, backfill.",
        REPORTS,
    ),
    Mount(
        "reference",
        "queries.reference.cli",
        "app",
        "Reference tables that reports join: list, publish.",
        REPORTS,
    ),
    Mount(
        "jobs",
        "queries.commands.jobs_cli",
        "app",
        "Long work that goes on by itself: start, list, show.",
        REPORTS,
    ),
    Mount("site", "infra.site.cli", "app", "The report site: publish, open.", REPORTS),
    Mount("api", "queries.commands.api_cli", "app", "For clients of the HTTP API: openapi.", REPORTS),
    Mount(
        "explain",
        "infra.command.explain_cli",
        "explain",
        "The receipt of a number: what it was computed from.",
        REPORTS,
    ),
    Mount("query", "queries.commands.cli", "query", "Ask the lake or the reports, in Athena's SQL.", REPORTS),
    Mount("dlq", "queries.commands.dlq_cli", "app", "The dead-letter queues: list, redrive.", REPORTS),
    Mount(
        "dashboards",
        "dashboards.cli",
        "app",
        "QuickSight: lint, preview, plan, refresh.",
        REPORTS,
        "dashboards",
    ),
    Mount("synth", "infra.aws.cli", "synth", "Write the CloudFormation templates.", AWS, "infra"),
    Mount("diff", "infra.aws.cli", "diff", "What a deployment would change.", AWS, "infra"),
    Mount("deploy", "infra.aws.cli", "deploy", "Deploy to AWS.", AWS, "infra"),
    Mount(
        "catch-up",
        "infra.aws.catch_up_cli",
        "catch_up",
        "Deliver what a stream took without a delivery.",
        AWS,
    ),
    Mount("destroy", "infra.aws.cli", "destroy", "Take a deployment down.", AWS, "infra"),
    Mount("cost", "infra.aws.cli", "cost", "What it costs a month.", AWS, "infra"),
    Mount(
        "capacity",
        "infra.aws.cli",
        "capacity",
        "How much it carries, and its first bottleneck.",
        AWS,
        "infra",
    ),
    Mount("doctor", "infra.aws.cli", "doctor", "Check a deployment and say what is wrong.", AWS, "infra"),
)

app = typer.Typer(cls=lazy_group(MOUNTS), no_args_is_help=True, add_completion=False)


@app.callback()
def penstock(
    context: typer.Context,
    target: Annotated[
        Literal["local", "aws"] | None,
        typer.Option(
            envvar="PENSTOCK_TARGET", help="Where the pipeline runs; the local cloud when one is up."
        ),
    ] = None,
    deployment: Annotated[
        str, typer.Option(envvar="PENSTOCK_DEPLOYMENT", help="Which deployment on AWS to talk to.")
    ] = DEFAULT,
    json: Annotated[
        bool, typer.Option("--json", help="Results as JSON, for every verb that has them.")
    ] = False,
) -> None:
    """Real-time analytics, with every event accounted for: on AWS, and the whole of it on this machine."""
    context.obj = Target.choose(target, environ=os.environ, deployment=deployment, json=json)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. Never raises; messages go to stderr."""
    try:
        result = get_command(app).main(args=argv, prog_name="penstock", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - the one place where every failure becomes a sentence
        return report(error, sys.stderr, debug="PENSTOCK_DEBUG" in os.environ)
    return int(result) if isinstance(result, int) else Exit.OK


if __name__ == "__main__":
    sys.exit(main())
