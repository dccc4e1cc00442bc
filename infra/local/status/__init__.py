"""The live page: every stage as it is now, one event's way through all of them, the reports."""

from infra.local.status.service import StatusService

__all__ = ["StatusService"]
