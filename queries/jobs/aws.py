"""The plan of a job in S3, its message in SQS, its execution in Step Functions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from queries.jobs.import_plan import MANIFESTS, ImportFile
from queries.jobs.port import Message
from queries.jobs.rules import Health
from queries.jobs.running import message_body
from queries.jobs.state import Job


class S3Manifests:
    """`Manifests`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def read(self, job_id: str) -> Sequence[Sequence[str]]:
        """The partitions of each chunk of a job that has been planned."""
        body = self._client.get_object(Bucket=self._bucket, Key=_key(job_id))["Body"].read()
        return msgspec.json.decode(body, type=list[list[str]])

    def write(self, job_id: str, chunks: Sequence[Sequence[str]]) -> None:
        """Keep the plan. It may be written again."""
        self._client.put_object(Bucket=self._bucket, Key=_key(job_id), Body=msgspec.json.encode(chunks))


def _key(job_id: str) -> str:
    return f"{MANIFESTS}{job_id}.json"


class S3Imports:
    """`ImportStore`: the inbox lies in the lake bucket."""

    def __init__(self, client: Any, *, lake_bucket: str, plan_bucket: str) -> None:
        self._client, self._lake, self._plans = client, lake_bucket, plan_bucket

    def files(self, prefix: str) -> Iterator[ImportFile]:
        """The files below the prefix that have any bytes, in order of key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._lake, Prefix=prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Size"]:  # what consoles make as a folder is an empty object
                    yield ImportFile(each["Key"], each["ETag"].strip('"'), each["Size"])

    def read(self, key: str) -> bytes:
        """A plan, or an outcome. Raises ClientError where there is none."""
        body: bytes = self._client.get_object(Bucket=self._plans, Key=key)["Body"].read()
        return body

    def write(self, key: str, body: bytes) -> None:
        """Keep it, also over what there was."""
        self._client.put_object(Bucket=self._plans, Key=key, Body=body)


class SqsJobs:
    """`Queue`."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, message: Message) -> None:
        """Put it into the queue."""
        self._client.send_message(QueueUrl=self._url, MessageBody=message_body(message))


class StepFunctions:
    """`Orchestrator`."""

    def __init__(self, client: Any, machine_arn: str) -> None:
        self._client, self._machine = client, machine_arn

    def start(self, job: Job) -> None:
        """Begin the job's execution, unless it has begun."""
        told = {"job_id": job.job_id, "attempt": job.attempt}
        try:
            self._client.start_execution(
                stateMachineArn=self._machine, name=job.execution, input=json.dumps(told)
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return

    def health(self, job: Job) -> Health:
        """What has become of the job's execution."""
        try:
            answer = self._client.describe_execution(executionArn=execution_arn(self._machine, job.execution))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return "missing"
            raise
        return "running" if answer["status"] == "RUNNING" else "ended"


def execution_arn(machine_arn: str, execution: str) -> str:
    """The ARN of one of a state machine's executions."""
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{execution}"
