"""What jobs cost a month, and reading reports over HTTP."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from infra.deployment import Deployment

if TYPE_CHECKING:
    from infra.cost.cost import Assumptions

Cost = Callable[[Deployment, Mapping[str, Any], "Assumptions"], tuple[float, str]]
TRANSITIONS = 8
"""Of a chunk: marked, looked at, waited for once."""
REQUESTS = 100
"""To the API for a job that somebody follows."""
SECONDS_PER_CHUNK = 25
"""Of the function: most of it waits for Athena."""
TICK_SECONDS = 0.01
IMPORT_SECONDS_PER_GIGABYTE = 1_200
"""Of the importer, reading and writing: ten million events, at twice what they take on a processor here."""
POLLS = 2 * 86_400 * 30 / 20
"""Of the queue, which two pollers ask every twenty seconds."""


def jobs(deployment: Deployment, prices: Mapping[str, Any], assume: "Assumptions") -> tuple[float, str]:
    """(dollars, what they are made of): functions, state machine, API, queue. Athena's share is not in it."""
    chunks, ticks = assume.job_chunks, 43_200
    seconds = chunks * SECONDS_PER_CHUNK + ticks * TICK_SECONDS
    calls = ticks + chunks * TRANSITIONS + REQUESTS
    imported = assume.imported_gigabytes * IMPORT_SECONDS_PER_GIGABYTE
    dollars = (
        imported * deployment.imports_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + seconds * deployment.jobs_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + calls / 1e6 * prices["lambda"]["requests_million"]
        + chunks * TRANSITIONS / 1e3 * prices["step_functions"]["transitions_thousand"]
        + REQUESTS / 1e6 * prices["api_gateway"]["http_requests_million"]
        + POLLS / 1e6 * prices["sqs"]["requests_million"]
    )
    return dollars, f"{chunks:,.0f} chunks, {seconds:,.0f} s, {assume.imported_gigabytes:,.0f} GB of files"


READS = 100_000
"""Requests of a month for reports over HTTP."""
READ_SECONDS = 0.03
"""Of a page of rows, most of them read by an environment that has the files already."""
LEDGER_READS = 10
"""Of a request: the items of a day of hours, strongly consistent."""
FILES_READ = 2
"""Of a request: listings and files."""


def reader(deployment: Deployment, prices: Mapping[str, Any], _: "Assumptions") -> tuple[float, str]:
    """(dollars, what they are made of): gateway, function, ledger and files. No query is run."""
    dollars = (
        READS / 1e6 * (prices["api_gateway"]["http_requests_million"] + prices["lambda"]["requests_million"])
        + READS * READ_SECONDS * deployment.reader_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + READS * LEDGER_READS / 1e6 * prices["dynamodb"]["reads_million"]
        + READS * FILES_READ / 1e3 * prices["s3"]["gets_thousand"]
    )
    return dollars, f"{READS:,} requests"


VIEWS = 100_000
"""Sheets that people look at in a month, each with one more request for another choice."""
DRAWINGS = 12_000
"""Of a dashboard in a month: one for each publish of the hour and of those that follow it."""
DRAWING_SECONDS, VIEW_SECONDS = 2.0, 0.05
OBJECTS_DRAWN = 20
"""Sheets and rows of a version."""


def site(deployment: Deployment, prices: Mapping[str, Any], _: "Assumptions") -> tuple[float, str]:
    """(dollars, what they are made of): gateway, functions, objects. CloudFront's first terabyte is free."""
    requests = 2 * VIEWS
    seconds = requests * VIEW_SECONDS + DRAWINGS * DRAWING_SECONDS
    dollars = (
        requests / 1e6 * prices["api_gateway"]["http_requests_million"]
        + (requests + DRAWINGS) / 1e6 * prices["lambda"]["requests_million"]
        + seconds * deployment.site_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + requests / 1e3 * prices["s3"]["gets_thousand"]
        + DRAWINGS * OBJECTS_DRAWN / 1e3 * prices["s3"]["puts_thousand"]
    )
    return dollars, f"{VIEWS:,} views, {DRAWINGS:,} drawings; who signs in is paid by user"


JOB_CHANGES = 20
"""Of a chunk and of its job: states, and chunks that are done."""
PUBLISHES = 20_000
"""Of reports in a month."""
LISTENERS, LISTENING_MINUTES = 10, 160 * 60
"""Pages that are open through the working hours of a month."""
UPDATE_SECONDS = 0.05


def live_updates(_: Deployment, prices: Mapping[str, Any], assume: "Assumptions") -> tuple[float, str]:
    """(dollars, what they are made of): mutations, messages and connections of subscribers, the function."""
    published = assume.job_chunks * JOB_CHANGES + PUBLISHES
    delivered, minutes = published * LISTENERS, LISTENERS * LISTENING_MINUTES
    asked = minutes  # each listener asks once a minute
    dollars = (
        (published + asked) / 1e6 * prices["appsync"]["queries_million"]
        + delivered / 1e6 * prices["appsync"]["updates_million"]
        + minutes / 1e6 * prices["appsync"]["minutes_million"]
        + published / 1e6 * prices["lambda"]["requests_million"]
        + published * UPDATE_SECONDS / 4 * prices["lambda"]["arm_gb_second"]
        + published * LEDGER_READS / 1e6 * prices["dynamodb"]["reads_million"]
    )
    return dollars, f"{published:,.0f} updates, {LISTENERS} listeners"


def lines_of(deployment: Deployment) -> Mapping[str, Cost]:
    """What a deployment with jobs pays for besides, by the name of the line."""
    if not deployment.jobs:
        return {}
    return {
        "Jobs": jobs,
        "Read API": reader,
        "Live updates": live_updates,
        **({"Report site": site} if deployment.site else {}),
    }
