"""What the server tells the nursery, and what a worker knows of the local cloud."""

import json
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.parts.context import LocalContext
from infra.local.paths import LocalPaths

MESSAGE = struct.Struct("!cI")
"""`F` and a number: fork a worker of this number, whose connection comes with the message; answered with `F` and its
process id. `K` and a process id: kill that worker."""


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know of the local cloud, and the folder below which each has its own."""

    root: str
    endpoint_url: str
    server_url: str
    region: str
    account_id: str
    ca_bundle: str | None
    enforce_iam: bool
    folder: str

    @classmethod
    def of(cls, context: LocalContext, folder: Path) -> "Setup":
        """For workers of the server that has this context."""
        return cls(
            str(context.paths.root),
            context.endpoint_url,
            context.server_url,
            context.region,
            context.account_id,
            str(context.ca_bundle) if context.ca_bundle else None,
            context.enforce_iam,
            str(folder),
        )

    def json(self) -> str:
        """As an argument of the nursery."""
        return json.dumps(asdict(self))

    def context(self) -> LocalContext:
        """The same local cloud as the server's."""
        return LocalContext(
            LocalPaths(Path(self.root)),
            endpoint_url=self.endpoint_url,
            server_url=self.server_url,
            region=self.region,
            account_id=self.account_id,
            ca_bundle=Path(self.ca_bundle) if self.ca_bundle else None,
            enforce_iam=self.enforce_iam,
        )
