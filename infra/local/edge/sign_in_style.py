"""Cognito's style of its sign-in pages, as a resource that only exists: MiniStack's pages have one style."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.routing import BaseRoute

from infra.local.parts.service import ResourceHandler, Target

TYPE = "AWS::Cognito::ManagedLoginBranding"


class _Style:
    def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:  # noqa: ARG002
        """Its id is the client's: a client has one style."""
        return f"{properties['UserPoolId']}|{properties['ClientId']}", {"ManagedLoginBrandingId": "local"}

    def update(self, physical_id: str, properties: dict[str, Any]) -> dict[str, str]:  # noqa: ARG002
        """Nothing is drawn in it."""
        return {"ManagedLoginBrandingId": "local"}

    def delete(self, physical_id: str) -> None:
        """Nothing is left of it."""


class SignInStyle:
    """The part of the local server that serves it."""

    def __init__(self) -> None:
        self.targets: Mapping[str, Target] = {}
        self.resources: Mapping[str, ResourceHandler] = {TYPE: _Style()}
        self.routes: Sequence[BaseRoute] = ()

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to end."""
