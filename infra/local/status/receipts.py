"""Receipts of the numbers on the live page, made in the process that shows it."""

from infra.aws.outputs import Outputs, OutputsError
from infra.local.parts.context import LocalContext
from infra.local.status.names import NotDeployedError, Resources
from infra.project.project import Project
from infra.receipts.pages import ReceiptPages
from infra.receipts.place import Place
from queries.engine.athena import AthenaEngine
from queries.engine.aws_session import aws_session

_POLL_SECONDS = 0.02


def receipts_of(context: LocalContext, resources: Resources, project: Project) -> ReceiptPages:
    """Receipts over what is deployed at the time."""
    known: list[Place] = []

    def place() -> Place:
        try:
            outputs = resources.outputs
        except NotDeployedError as error:
            raise OutputsError(str(error)) from error
        if not known or known[0].outputs is not outputs:
            known[:] = [Place(project, outputs, context.client, engine_of(context, outputs))]
        return known[0]

    return ReceiptPages(place, project.catalog)


def engine_of(context: LocalContext, outputs: Outputs) -> AthenaEngine:
    """Runs SQL at the local server, in the analysts' work group."""
    return AthenaEngine(
        aws_session(**context.credentials, region_name=context.region),
        database=outputs.database,
        work_group=outputs.analyst_work_group,
        poll_seconds=_POLL_SECONDS,
        endpoint_url=context.server_url,
    )
