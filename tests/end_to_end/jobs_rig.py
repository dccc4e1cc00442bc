"""The jobs of a running cloud, and their API as a client asks it."""

import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace
from typer.testing import CliRunner

from infra.local.cloud import LocalCloud
from queries.jobs.dynamodb import DynamoDbJobs
from queries.jobs.state import Backfill, Expected, Job
from queries.ledger.dynamodb import DynamoDbLedger
from tests.queries.cloud import Chain

DAY = f"{datetime.now(UTC) - timedelta(days=22):%Y-%m-%d}"
"""No other test has events in it."""
FIRST, LAST = f"{DAY}-02", f"{DAY}-05"
REPORT = "traffic_by_hour"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


class World:
    """The jobs of the cloud, and its API as a client asks it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, self.chain = cloud, Chain.of(cloud)
        self.outputs = self.chain.outputs
        self.table = DynamoDbJobs(self.chain.client("dynamodb"), self.outputs.jobs_table)
        self.place = urlsplit(cloud.jobs_url).netloc
        keys = cloud.context.keys
        self.credentials = Credentials(keys.access_key_id, keys.secret_access_key)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = HTTPConnection(self.place, timeout=240)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            found = connection.getresponse()
            text = found.read()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, told, json.loads(text) if text else None)
        finally:
            connection.close()

    def signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        credentials: Credentials | None = None,
        **headers: str,
    ) -> Answer:
        request = AWSRequest(method, f"http://{self.place}{path}", data=body)
        SigV4Auth(credentials or self.credentials, "execute-api", self.cloud.context.region).add_auth(request)
        return self.ask(method, path, body, **dict(request.headers.items()), **headers)

    def start(self, key: str, **changed: Any) -> Answer:
        asked = {"kind": "backfill", "report": REPORT, "from": FIRST, "to": LAST, "force": True} | changed
        body = json.dumps(asked).encode()
        return self.signed("POST", "/iam/v1/jobs", body, Idempotency_Key=key)

    def over(self, job_id: str) -> Job:
        def found() -> Job | None:
            job = self.table.job(job_id)
            return job if job and job.is_over else None

        over: Job = until(found)
        return over

    def versions(self) -> dict[str, str]:
        """Partition to the query execution that made what is published."""
        ledger = DynamoDbLedger(self.chain.client("dynamodb"), self.outputs.ledger_table)
        return {
            state.partition: state.published.query_execution_id
            for state in ledger.report(REPORT)
            if state.published and FIRST <= state.partition <= LAST
        }


def written(world: World, job: Job | None = None, **changed: Any) -> Job:
    """A job as the functions write it, which no worker knows of and the tick does not see."""
    now = time.time_ns() // 1_000_000
    made = job or Job(
        job_id=secrets.token_hex(10), kind="backfill", request=Backfill(report=REPORT, first=FIRST, last=FIRST),
        owner="somebody", expected=Expected(), created_at=now, queued_at=now,
    )  # fmt: skip
    return world.table.commit(replace(made, **changed))


def until(found: Callable[[], Any], seconds: float = 240.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)
    return value


def target_of(world: World, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What commands read of the cloud."""
    for name, value in world.cloud.environment().items():
        monkeypatch.setenv(name, value)
    return SimpleNamespace(
        json=True,
        client=world.cloud.context.client,
        jobs_url=world.cloud.jobs_url,
        jobs_queue_url=world.outputs.jobs_queue_url,
        jobs_dead_letter_queue_url=world.outputs.jobs_dead_letter_queue_url,
    )


def run(app: typer.Typer, target: SimpleNamespace, *arguments: str) -> Any:
    """What a command prints."""
    ran = CliRunner().invoke(app, list(arguments), obj=target, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout) if target.json else ran.stdout


def person(world: World, *groups: str) -> tuple[str, str]:
    """Name and password of somebody new in the groups."""
    people, pool = world.chain.client("cognito-idp"), world.outputs.user_pool_id
    name, password = f"{secrets.token_hex(4)}@example.com", f"Aa1!{secrets.token_hex(8)}"
    people.admin_create_user(
        UserPoolId=pool,
        Username=name,
        MessageAction="SUPPRESS",
        TemporaryPassword=f"Aa1!{secrets.token_hex(8)}",
    )
    people.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    for group in groups:
        with suppress(people.exceptions.GroupExistsException):
            people.create_group(UserPoolId=pool, GroupName=group)
        people.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
    return name, password


def token(world: World, *groups: str) -> str:
    """An access token of somebody new in the groups."""
    name, password = person(world, *groups)
    answer = world.chain.client("cognito-idp").admin_initiate_auth(
        UserPoolId=world.outputs.user_pool_id,
        ClientId=world.outputs.user_pool_client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])
