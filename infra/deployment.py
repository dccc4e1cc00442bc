"""One installed copy of the pipeline: what it is called and how large it is. Copies differ in these data
only.

Physical names are stable: they follow from the prefix, so that a retained bucket is found again by the next
deploy, a policy can name what it grants, and no stack has to export a name for another one to import.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from producers.contracts import Stream

ACCOUNT = "${AWS::AccountId}"
REGION = "${AWS::Region}"
"""CloudFormation's pseudo parameters, as `Fn::Sub` spells them: one template serves every account and
region.
"""


@dataclass(frozen=True)
class Deployment:
    """A deployment, and every setting that may differ between two of them.

    Attributes:
        name: what the command calls it; tagged on every resource.
        prefix: first part of every physical name; lower case, unique per account and region.
        shards: provisioned shards; None for on-demand.
        stream_retention_hours: how long the stream keeps records: the time there is to fix a delivery that
        stands. buffer_seconds, buffer_mebibytes: when Firehose delivers; conversion and dynamic partitioning
        need
            at least 60 s and 64 MiB.
        transform_memory, transform_timeout_seconds, transform_batch_mebibytes: the transform, and the raw
        bytes of
            one invocation. Its answer must stay within 6 MB.
        transform_reserved_concurrency: concurrent transforms that no other function of the account can take
        away.
        pseudonym_key_ids: members of the secret that hold keys; the first one makes the pseudonyms.
        transform_key_number: which KMS key encrypts the transform's environment; a higher number makes a new
            key, and the old one is deleted after 30 days.
        query_memory, query_timeout_seconds, query_concurrency: the query function, and how many of it SQS
        may start.
        notification_window_seconds: how long notifications gather before the query function is called.
        cutoff_bytes: an Athena query of the pipeline that scans more is stopped; analysts have their own.
        collector: whether events are also taken over HTTP (docs/collector.md).
        collector_memory, collector_timeout_seconds: of its function.
        hooks_memory, hooks_timeout_seconds, hooks_concurrency: the worker that takes webhooks to their
            streams, and how many of it SQS may start.
        jobs: whether long work can be asked for over HTTP (docs/jobs.md).
        jobs_memory, jobs_timeout_seconds: of the function that runs the steps of jobs; its API has as much.
        reader_memory: of the function that reads reports over HTTP, which `jobs` deploys too (docs/api.md).
        imports_memory, imports_timeout_seconds: of the function that reads and writes chunks of imports by
            jobs.
        site: whether people look at dashboards on a site of the deployment's own (docs/site.md), which needs
            `jobs`.
        site_memory: of the function that draws dashboards, and of the one that answers the site's page.
        site_domain, site_certificate: a name of one's own for the site, and the ARN of its certificate in
            us-east-1; without them CloudFront gives it a name.
        lake_archive_days, failed_days, results_days, retired_days, access_log_days, log_days: lifecycles.
        iterator_age_minutes, freshness_minutes: the promises that alarms watch.
        monthly_scan_gigabytes: Athena volume of a month that the cost alarm takes as a plan.
    """

    name: str
    prefix: str
    shards: int | None = None
    stream_retention_hours: int = 24
    buffer_seconds: int = 60
    buffer_mebibytes: int = 64
    transform_memory: int = 512
    transform_timeout_seconds: int = 60
    transform_batch_mebibytes: int = 1
    transform_reserved_concurrency: int | None = None
    pseudonym_key_ids: tuple[str, ...] = ("k1",)
    transform_key_number: int = 1
    query_memory: int = 1024
    query_timeout_seconds: int = 300
    query_concurrency: int = 2
    notification_window_seconds: int = 10
    cutoff_bytes: int = 50_000_000_000
    analyst_cutoff_bytes: int = 200_000_000_000
    collector: bool = False
    collector_memory: int = 512
    collector_timeout_seconds: int = 20
    hooks_memory: int = 1024
    hooks_timeout_seconds: int = 60
    hooks_concurrency: int = 2
    jobs: bool = False
    jobs_memory: int = 512
    jobs_timeout_seconds: int = 60
    reader_memory: int = 1024
    imports_memory: int = 2048
    imports_timeout_seconds: int = 900
    site: bool = False
    site_memory: int = 1024
    site_domain: str = ""
    site_certificate: str = ""
    lake_archive_days: int = 90
    failed_days: int = 30
    results_days: int = 7
    retired_days: int = 7
    access_log_days: int = 90
    log_days: int = 30
    iterator_age_minutes: int = 5
    freshness_minutes: int = 10
    monthly_scan_gigabytes: int = 10_000

    def bucket(self, role: str) -> str:
        """Name of a bucket; bucket names are global, so account and region are part of them."""
        return f"{self.prefix}-{role}-{ACCOUNT}-{REGION}"

    @property
    def lake_bucket(self) -> str:
        return self.bucket("lake")

    @property
    def reporting_bucket(self) -> str:
        return self.bucket("reporting")

    @property
    def results_bucket(self) -> str:
        return self.bucket("results")

    @property
    def access_log_bucket(self) -> str:
        return self.bucket("access-logs")

    @property
    def database(self) -> str:
        return self.prefix.replace("-", "_")

    def stream(self, stream: str) -> str:
        """Name of a Kinesis data stream and of its delivery stream."""
        return f"{self.prefix}-{stream}"

    def transform_function(self, stream: Stream) -> str:
        """Each stream has a transformation of its own."""
        return f"{self.prefix}-{dashed(stream.named('transform'))}"

    @property
    def query_function(self) -> str:
        return f"{self.prefix}-queries"

    @property
    def refresh_function(self) -> str:
        return f"{self.prefix}-refresh"

    @property
    def queue(self) -> str:
        return f"{self.prefix}-objects"

    @property
    def dead_letter_queue(self) -> str:
        return f"{self.prefix}-objects-dead"

    @property
    def collector_function(self) -> str:
        return f"{self.prefix}-collector"

    @property
    def collector_queue(self) -> str:
        """Records that the collector could not put on their stream."""
        return f"{self.prefix}-collector-spill"

    @property
    def collector_dead_letter_queue(self) -> str:
        return f"{self.prefix}-collector-spill-dead"

    @property
    def keys_function(self) -> str:
        """The function behind `/v1/keys`."""
        return f"{self.prefix}-keys"

    @property
    def hooks_function(self) -> str:
        """The worker that takes deliveries of webhooks to their streams."""
        return f"{self.prefix}-hooks"

    @property
    def hooks_queue(self) -> str:
        return f"{self.prefix}-hooks"

    @property
    def hooks_dead_letter_queue(self) -> str:
        return f"{self.prefix}-hooks-dead"

    @property
    def jobs_function(self) -> str:
        """The worker of jobs, and their steps."""
        return f"{self.prefix}-jobs"

    @property
    def importer_function(self) -> str:
        """Reads and writes the chunks of imports by jobs."""
        return f"{self.prefix}-jobs-importer"

    @property
    def api_function(self) -> str:
        return f"{self.prefix}-api"

    @property
    def reader_function(self) -> str:
        """Reads reports for the API."""
        return f"{self.prefix}-reader"

    @property
    def extract_function(self) -> str:
        """Draws dashboards for the site."""
        return f"{self.prefix}-site-extract"

    @property
    def site_function(self) -> str:
        """Answers the site's page."""
        return f"{self.prefix}-site"

    @property
    def site_bucket(self) -> str:
        """The site's page."""
        return self.bucket("site")

    @property
    def site_data_bucket(self) -> str:
        """What the site's page shows."""
        return self.bucket("site-data")

    @property
    def site_log_bucket(self) -> str:
        """Who asked the site for what."""
        return self.bucket("site-logs")

    @property
    def sign_in(self) -> str:
        """The site's sign-in, in Cognito's own domain; such names are global."""
        return f"{self.prefix}-{ACCOUNT}"

    @property
    def jobs_queue(self) -> str:
        return f"{self.prefix}-jobs"

    @property
    def jobs_dead_letter_queue(self) -> str:
        return f"{self.prefix}-jobs-dead"

    @property
    def jobs_table(self) -> str:
        return f"{self.prefix}-jobs"

    @property
    def jobs_machine(self) -> str:
        return f"{self.prefix}-jobs"

    @property
    def updates_api(self) -> str:
        """The GraphQL API of live updates."""
        return f"{self.prefix}-updates"

    @property
    def updates_function(self) -> str:
        """Publishes live updates."""
        return f"{self.prefix}-updates"

    @property
    def updates_dead_letter_queue(self) -> str:
        return f"{self.prefix}-updates-dead"

    @property
    def user_pool(self) -> str:
        return f"{self.prefix}-people"

    @property
    def deliveries_table(self) -> str:
        return f"{self.prefix}-deliveries"

    @property
    def hook_secret_prefix(self) -> str:
        """Then comes the name of a source: what its provider signs with."""
        return f"{self.prefix}/hooks/"

    @property
    def write_keys_table(self) -> str:
        return f"{self.prefix}-write-keys"

    @property
    def ledger_table(self) -> str:
        return f"{self.prefix}-ledger"

    @property
    def work_group(self) -> str:
        return f"{self.prefix}-reports"

    @property
    def analyst_work_group(self) -> str:
        return f"{self.prefix}-analysts"

    def pseudonym_secret(self, stream: Stream) -> str:
        """And keys of its own: what is personal in one stream cannot be followed into another."""
        return f"{self.prefix}/{dashed(stream.named('pseudonym-keys'))}"

    def transform_key_alias(self, stream: Stream) -> str:
        """Alias of the KMS key of the transformation's environment."""
        return f"alias/{self.transform_function(stream)}"

    @property
    def alarm_topic(self) -> str:
        return f"{self.prefix}-alarms"

    def stream_topic(self, stream: Stream) -> str:
        """Where a stream's own alarms go."""
        return f"{self.prefix}-{dashed(stream.named('alarms'))}"

    def stream_dashboard(self, stream: Stream) -> str:
        """The operations dashboard of a stream."""
        return f"{self.prefix}-{dashed(stream.named('operations'))}"

    def role(self, role: str) -> str:
        """Name of a role; the region is part of it, since roles are global in an account."""
        return f"{self.prefix}-{role}-{REGION}"

    def stack(self, part: str) -> str:
        """Name of a stack."""
        return f"{self.prefix}-{part}"

    def naming_stacks(self, streams: Iterable[Stream]) -> list[str]:
        """The stacks whose outputs say what the resources are called, also those that may not be deployed."""
        own = [self.stream_stack(stream, "stream") for stream in streams]
        parts = ("lake", "collector", "reporting", "jobs", "monitoring")
        return [*own, *map(self.stack, parts)]

    def stream_stack(self, stream: Stream, part: str) -> str:
        """Name of a stack that is one stream's own."""
        return self.stack(dashed(stream.named(part)))


def dashed(name: str) -> str:
    """A stream's name in the names of what AWS allows no `_` in."""
    return name.replace("_", "-")


DEFAULT = "production"
"""Every project has it: what runs on a laptop is this deployment's template, byte for byte."""
