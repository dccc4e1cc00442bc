"""What a part of the local server is: AWS calls it answers, resources it creates, pages it shows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

Target = Callable[[str, dict[str, Any], Request], Awaitable[Response]]
"""Answers one AWS JSON call: (operation name, decoded body, request)."""


class ResourceHandler(Protocol):
    """Creates, updates and deletes the CloudFormation resources of one type.

    Properties arrive resolved, with every scalar as a string, as CloudFormation hands them to custom
    resources. Raise to make the deployment fail with the exception's text.
    """

    def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Return (physical id, attributes for Fn::GetAtt)."""
        ...

    def update(self, physical_id: str, properties: dict[str, Any]) -> dict[str, str]:
        """Change the resource in place, keep its id, return its attributes.

        When the local server starts again it calls this once for each resource that exists, with the
        properties it already has: so an unknown id is not an error, and the same properties change nothing.
        """
        ...

    def delete(self, physical_id: str) -> None:
        """Delete it; an unknown id is not an error."""
        ...


class Service(Protocol):
    """One part of the local server, made by calling its class with the one `LocalContext`."""

    targets: Mapping[str, Target]
    """`X-Amz-Target` prefix, for example `AmazonAthena`, to what answers it."""
    resources: Mapping[str, ResourceHandler]
    """CloudFormation type, for example `AWS::Athena::NamedQuery`, to its handler."""
    routes: Sequence[BaseRoute]
    """Pages and REST-style APIs."""

    async def start(self) -> None:
        """Begin background work; called once the server listens."""
        ...

    async def stop(self) -> None:
        """End background work, leaving state that a restart can take up."""
        ...
