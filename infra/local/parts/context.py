"""What every service of the local server is given: where things are, clients, clock and activity list."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.config import Config

from infra.local.access.keys import Keys
from infra.local.ministack.service_roles import external_id
from infra.local.parts import kinesis_answers
from infra.local.parts.activity import Activity
from infra.local.paths import LocalPaths
from queries.engine.aws_session import aws_session

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
OURS = frozenset({"athena", "firehose", "quicksight"})
"""Services that the local server answers; MiniStack answers the others."""


SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True)
class ServiceRole:
    """A role that a service assumes to work for one resource, for example a delivery stream."""

    arn: str
    service: str
    source_arn: str


@dataclass
class LocalContext:
    """One local cloud as its services see it.

    Attributes:
        paths: folders and files.
        endpoint_url: MiniStack, without a slash at the end.
        server_url: the local server itself, without a slash at the end.
        activity: what has lately happened; services add to it, the live page reads it.
        clock: epoch seconds.
        ca_bundle: certificate to trust when MiniStack speaks TLS.
        enforce_iam: whether MiniStack checks the permissions of every call.
    """

    paths: LocalPaths
    endpoint_url: str
    server_url: str
    region: str = REGION
    account_id: str = ACCOUNT_ID
    activity: Activity = field(default_factory=Activity)
    clock: Callable[[], float] = time.time
    ca_bundle: Path | None = None
    enforce_iam: bool = False
    _clients: dict[tuple[str, "ServiceRole | None"], Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @cached_property
    def keys(self) -> Keys:
        """The keys of this local cloud. Never real ones: what runs here must not reach an AWS account."""
        return Keys.of(self.paths.keys)

    def ask(self, path: str, *, method: str = "GET", timeout: float = 30) -> Any:
        """What the local server answers, outside of AWS's APIs, to our own programs (JSON).

        `timeout` in seconds. Raises OSError, urllib.error.HTTPError.
        """
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.server_url + path, method=method, headers=self.keys.bearer
        )
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return json.load(answer)

    def client(self, service: str, *, role: "ServiceRole | None" = None) -> Any:
        """A boto3 client of `service`, made once and shared between threads.

        With `role` and enforced IAM the calls carry that role's credentials, not the all-powerful ones.
        """
        key = (service, role if self.enforce_iam else None)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, key[1])
            return self._clients[key]

    @property
    def credentials(self) -> dict[str, Any]:
        """The keys, as `boto3.Session` takes them."""
        keys = self.keys
        return {
            "aws_access_key_id": keys.access_key_id,
            "aws_secret_access_key": keys.secret_access_key,
        }

    def _make(self, service: str, role: "ServiceRole | None") -> Any:
        credentials = self._assume(role) if role else self.credentials
        session: Any = aws_session(**credentials, region_name=self.region)
        client = session.client(
            service,
            endpoint_url=self.server_url if service in OURS else self.endpoint_url,
            verify=str(self.ca_bundle) if self.ca_bundle else None,
            config=CLIENT_CONFIG,
        )
        if service == "kinesis":
            kinesis_answers.quicken(client)
        return client

    def _assume(self, role: "ServiceRole") -> dict[str, str]:
        answer = self.client("sts").assume_role(
            RoleArn=role.arn,
            RoleSessionName="penstock-local",
            ExternalId=external_id(role.service, role.source_arn),
            DurationSeconds=SESSION_SECONDS,
        )
        found = answer["Credentials"]
        return {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }


CLIENT_CONFIG = Config(
    s3={"addressing_style": "path"},
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 3},
    read_timeout=330,  # a transform may run for 5 minutes
    # Loopback garbles nothing, and the checksums are wrapped around every body.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
