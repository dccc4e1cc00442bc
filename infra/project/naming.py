"""Names that a deployment would give and AWS would refuse for their length (pure).

A prefix has at most 32 characters and a stream's name 24. Only buckets, roles and functions can then get
longer than AWS allows; every other limit is further away.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from infra.deployment import ACCOUNT, REGION, Deployment
from producers.contracts import Stream

LONGEST_REGION = "ap-southeast-1"
"""No region that has the pipeline's services has a longer name."""
_ACCOUNT_ID = "0" * 12
LIMITS = {"bucket": 63, "role": 64, "function": 64}
"""Characters that AWS allows, by kind."""


class NameTooLongError(ValueError):
    """AWS would refuse a name. The message says which, whose it is, and by how much to shorten what."""


class Named(NamedTuple):
    """One name, as it is in the region with the longest name; `stream` is empty for shared resources."""

    kind: str
    name: str
    stream: str = ""


def names(deployment: Deployment, streams: Iterable[Stream]) -> Iterator[Named]:
    """Every name of a kind that can get too long."""
    shared = (
        *("lake_bucket", "reporting_bucket", "results_bucket", "access_log_bucket"),
        *("site_bucket", "site_data_bucket", "site_log_bucket"),
    )
    yield from (Named("bucket", _longest(getattr(deployment, each))) for each in shared)
    yield from (
        Named("role", _longest(deployment.role(each)))
        for each in (
            "queries",
            "refresh",
            "collector",
            "keys",
            "hooks",
            "hooks-gateway",
            "jobs",
            "api",
            "reader",
            "jobs-steps",
            "jobs-importer",
            "jobs-schedule",
            "site",
            "site-extract",
            "updates",
            "updates-jobs",
            "updates-log",
            "updates-reports",
        )
    )
    yield Named("function", deployment.query_function)
    yield Named("function", deployment.refresh_function)
    yield Named("function", deployment.collector_function)
    yield Named("function", deployment.keys_function)
    yield Named("function", deployment.hooks_function)
    yield Named("function", deployment.jobs_function)
    yield Named("function", deployment.importer_function)
    yield Named("function", deployment.api_function)
    yield Named("function", deployment.reader_function)
    yield Named("function", deployment.site_function)
    yield Named("function", deployment.extract_function)
    yield Named("function", deployment.updates_function)
    for stream in streams:
        own = [stream.named("transform"), f"{stream.name}-delivery"]
        own += [] if stream.is_direct else [f"{stream.name}-source"]
        yield from (Named("role", _longest(deployment.role(each)), stream.name) for each in own)
        yield Named("function", deployment.transform_function(stream), stream.name)


def require_short_names(deployments: Iterable[Deployment], streams: Iterable[Stream], file: str) -> None:
    """Raise NameTooLongError for the name that is furthest beyond its limit. `file` has the deployments."""
    given = list(streams)
    found = (
        (len(each.name) - LIMITS[each.kind], deployment, each)
        for deployment in deployments
        for each in names(deployment, given)
    )
    beyond, deployment, worst = max(found, key=lambda one: one[0])
    if beyond > 0:
        whose = f" of the stream {worst.stream!r}" if worst.stream else ""
        shorten = f"the prefix {deployment.prefix!r}" + (" or the stream's name" if worst.stream else "")
        raise NameTooLongError(
            f"{file}: in the deployment {deployment.name!r} the {worst.kind}{whose} would be called "
            f"{worst.name}: {len(worst.name)} characters, and AWS allows {LIMITS[worst.kind]}. "
            f"Shorten {shorten} by {beyond}."
        )


def _longest(name: str) -> str:
    return name.replace(ACCOUNT, _ACCOUNT_ID).replace(REGION, LONGEST_REGION)
