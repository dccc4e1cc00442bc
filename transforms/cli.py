"""This stage's commands, as the `penstock` command mounts them."""

from transforms.failed.cli import failed_app
from transforms.schema.cli import contracts_app

__all__ = ["contracts_app", "failed_app"]
