"""`penstock dlq`: messages that could not be handled, of each queue that has dead letters."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from queries.commands import present
from queries.commands.dead_letters import (
    DeadLetter,
    NoQueueError,
    dead_letters,
    delivery,
    describe,
    redrive,
    unopened,
    waiting_job,
)
from queries.commands.target import Target

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The dead-letter queues.")

Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Queue = Annotated[
    Literal["objects", "collector", "hooks", "jobs"],
    typer.Option(
        help="Notifications of lake objects, records that the collector could not put, deliveries of "
        "webhooks that were refused, or jobs that could not begin."
    ),
]
_DESCRIBED: Mapping[str, Callable[[dict[str, Any]], DeadLetter]] = {
    "objects": describe,
    "collector": unopened,
    "hooks": delivery,
    "jobs": waiting_job,
}


@app.command("list")
def list_dead_letters(
    context: typer.Context,
    queue: Queue = "objects",
    limit: Annotated[int, typer.Option(help="At most so many messages.")] = 20,
    as_json: Json = False,
) -> None:
    """Messages that could not be read, and why."""
    target: Target = context.obj
    _, dead = _queues(target, queue)
    found = dead_letters(target.client("sqs"), dead, limit, _DESCRIBED[queue])
    present.show([asdict(letter) for letter in found], as_json=as_json or target.json)


@app.command("redrive")
def redrive_dead_letters(
    context: typer.Context,
    queue: Queue = "objects",
    limit: Annotated[int | None, typer.Option(help="At most so many messages; all without it.")] = None,
    as_json: Json = False,
) -> None:
    """Send the messages back to the queue. What still cannot be read comes back here."""
    target: Target = context.obj
    alive, dead = _queues(target, queue)
    moved = redrive(target.client("sqs"), dead, alive, limit=limit)
    present.show_one({"redriven": moved}, as_json=as_json or target.json)


def _queues(target: Target, queue: str) -> tuple[str, str]:
    """URLs of a queue and of its dead letters. Raises NoQueueError."""
    if queue == "objects":
        return target.queue_url, target.dead_letter_queue_url
    match queue:
        case "collector":
            alive, dead, part = (
                target.collector_queue_url,
                target.collector_dead_letter_queue_url,
                "collector",
            )
        case "hooks":
            alive, dead, part = (
                target.hooks_queue_url,
                target.hooks_dead_letter_queue_url,
                "source of webhooks",
            )
        case _:
            alive, dead, part = target.jobs_queue_url, target.jobs_dead_letter_queue_url, "jobs API"
    if not alive:
        raise NoQueueError(part)
    return alive, dead
