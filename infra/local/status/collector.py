"""The collector of a project that takes events over HTTP: where it answers, and what its queue holds."""

from collections.abc import Callable, Mapping
from typing import Any

from infra.aws.outputs import Outputs
from infra.deployment import Deployment
from infra.local.files import read_json
from infra.local.ministack import emulator
from infra.local.parts.context import LocalContext
from infra.local.settings import LocalSettings


def address(context: LocalContext) -> str:
    """Where the collector of this local cloud answers, if it has one."""
    settings = LocalSettings(**(read_json(context.paths.cloud) or {}))
    return emulator.url(settings.collector, enforce_iam=context.enforce_iam)


def facts(
    place: str, deployment: Deployment, outputs: Outputs, depth: Callable[[str], Mapping[str, int]]
) -> dict[str, Any] | None:
    """What the page shows of it; None where none is deployed. `depth` counts the messages of a queue."""
    if not outputs.collector_queue_url:
        return None
    return {
        "place": place,
        "stack": deployment.stack("collector"),
        "function": outputs.collector_function,
        "queue": depth(outputs.collector_queue_url),
        "dead_letter_queue": depth(outputs.collector_dead_letter_queue_url),
    }
