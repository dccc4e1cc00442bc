"""Clients of AWS that start fast and give up while a gateway still waits."""

from functools import cache
from typing import Any

from infra.site.function.published import PARALLEL_READS


@cache
def client(service: str) -> Any:
    """A client of the environment's account; boto3 would add 90 ms to the first request."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        retries={"total_max_attempts": 3, "mode": "standard"},
        connect_timeout=2,
        read_timeout=10,
        max_pool_connections=PARALLEL_READS,
    )
    return get_session().create_client(service, config=config)
