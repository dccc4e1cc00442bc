"""A QuickSight endpoint for this machine: real boto3 in front, faithful states and refusals behind."""

from infra.local.quicksight.service import QuickSightService

__all__ = ["QuickSightService"]
