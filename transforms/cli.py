"""This stage's commands, as the `penstock` command mounts them."""

from transforms.contracts_cli import contracts_app
from transforms.failed_cli import failed_app

__all__ = ["contracts_app", "failed_app"]
