"""The port of the jobs API: people with a token of the user pool and programs with a key of this cloud.

MiniStack checks the tokens itself, against the pool's own keys. Signatures are checked as at the collector's
port, whose application serves this one too.
"""

from infra.deployment import Deployment

PATHS = ("/api/", "/iam/")
PORT, API_NAME = "PENSTOCK_LOCAL_JOBS_PORT", "PENSTOCK_LOCAL_JOBS_API"
"""Variables of MiniStack's process; without them there is no such port."""


def environment(port: int, deployment: Deployment) -> dict[str, str]:
    """Variables that make MiniStack answer on this port, where the deployment has jobs."""
    return {PORT: str(port), API_NAME: deployment.api_function} if deployment.jobs else {}
