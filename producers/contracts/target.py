"""What the `penstock` command hands to every verb, whichever stage the verb belongs to."""

from typing import Any, Protocol


class CommandTarget(Protocol):
    """Where the pipeline runs that a command talks to: the local cloud, or a deployment on AWS.

    It is `ctx.obj` of typer. Each stage's protocol adds the names of deployed resources that its verbs read;
    `infra.command.target.Target` is all of them in one.

    Attributes:
        json: results are wanted as JSON.
    """

    json: bool

    def client(self, service: str) -> Any:
        """A boto3 client of the target."""
        ...
