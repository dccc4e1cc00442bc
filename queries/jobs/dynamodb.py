"""Jobs in DynamoDB: an item each, and one for the list of those that are not over."""

from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from msgspec.structs import replace

from queries.jobs.port import ChangedError
from queries.jobs.rules import expires_at
from queries.jobs.state import Active, Job

HASH_KEY = "job_id"
ACTIVE = "~active"
"""Key of the list; no job's id begins so."""
EXPIRES_AT = "expires_at"
NEWEST_INDEX, LISTED, CREATED_AT = "newest", "listed", "created_at"
"""The index of all jobs by when they were asked for. The list is not in it."""
_REVISION, DATA, STATE = "revision", "data", "state"
_CONFLICTS = {"ConditionalCheckFailed", "TransactionConflict"}


class DynamoDbJobs:
    """A `JobTable`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def job(self, job_id: str) -> Job | None:
        """The job, or None when there is none."""
        if job_id.startswith("~"):
            return None
        item = self._item(job_id)
        return None if item is None else msgspec.json.decode(item[DATA]["S"], type=Job)

    def active(self) -> Active:
        """The jobs that are not over."""
        item = self._item(ACTIVE)
        return Active() if item is None else msgspec.json.decode(item[DATA]["S"], type=Active)

    def newest(self, limit: int) -> Sequence[Job]:
        """The jobs that were asked for last, the newest first; may lag by a moment."""
        answer = self._client.query(
            TableName=self._table,
            IndexName=NEWEST_INDEX,
            KeyConditionExpression=f"{LISTED} = :all",
            ExpressionAttributeValues={":all": {"S": NEWEST_INDEX}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [msgspec.json.decode(item[DATA]["S"], type=Job) for item in answer["Items"]]

    def commit(self, job: Job, active: Active | None = None) -> Job:
        """Write the job, and the list with it, or neither. Raises ChangedError."""
        raised = replace(job, revision=job.revision + 1)
        puts = [self._put(job.revision, _job_item(raised))]
        if active is not None:
            after = replace(active, revision=active.revision + 1)
            puts.append(self._put(active.revision, _of(ACTIVE, after.revision, after)))
        try:
            if len(puts) == 1:
                self._client.put_item(**puts[0])
            else:
                self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
        except ClientError as error:
            if _is_conflict(error):
                raise ChangedError(f"Job {job.job_id} was written by somebody else.") from error
            raise
        return raised

    def _item(self, key: str) -> Any:
        return self._client.get_item(
            TableName=self._table, Key={HASH_KEY: {"S": key}}, ConsistentRead=True
        ).get("Item")

    def _put(self, revision: int, item: dict[str, Any]) -> dict[str, Any]:
        put = {"TableName": self._table, "Item": item}
        if not revision:
            return {**put, "ConditionExpression": f"attribute_not_exists({HASH_KEY})"}
        return {
            **put,
            "ConditionExpression": f"{_REVISION} = :read",
            "ExpressionAttributeValues": {":read": {"N": str(revision)}},
        }


def _of(key: str, revision: int, data: Job | Active) -> dict[str, Any]:
    return {
        HASH_KEY: {"S": key},
        _REVISION: {"N": str(revision)},
        DATA: {"S": msgspec.json.encode(data).decode()},
    }


def _job_item(job: Job) -> dict[str, Any]:
    item = _of(job.job_id, job.revision, job) | {
        # For those who follow the table's stream, and for the console.
        STATE: {"S": job.state},
        LISTED: {"S": NEWEST_INDEX},
        CREATED_AT: {"N": str(job.created_at)},
    }
    expires = expires_at(job)
    return item if expires is None else item | {EXPIRES_AT: {"N": str(expires)}}


def _is_conflict(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    return code == "ConditionalCheckFailedException" or (
        code == "TransactionCanceledException" and bool(reasons & _CONFLICTS)
    )
