"""What tests of the running chain do: put events on the stream, have them delivered, wait for fresh reports."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from queries.commands.waiting import Standing, refresh_until_fresh
from queries.engine.port import QueryEngine, Rows


@dataclass(frozen=True)
class Chain:
    """One deployed local cloud, from stream to reports."""

    cloud: LocalCloud
    outputs: Outputs

    @classmethod
    def of(cls, cloud: LocalCloud) -> "Chain":
        return cls(cloud, Outputs.from_document(cloud.outputs))

    def client(self, service: str) -> Any:
        return self.cloud.context.client(service)

    def put(self, events: Sequence[dict[str, Any]]) -> None:
        """Put these events on the stream, one record each."""
        kinesis = self.client("kinesis")
        for start in range(0, len(events), 500):
            records = [
                {"Data": json.dumps(event).encode(), "PartitionKey": event["payload"]["client_address"]}
                for event in events[start : start + 500]
            ]
            answer = kinesis.put_records(StreamName=self.outputs.stream_name, Records=records)
            assert answer["FailedRecordCount"] == 0

    def deliver(self) -> None:
        """Have everything on the stream delivered to the lake now."""
        answer = self.cloud.context.ask("/_firehose/flush?seconds=60", method="POST", timeout=90)
        assert answer["drained"]

    def refresh(self) -> Standing:
        """Wait until no report is stale."""
        standing = refresh_until_fresh(
            lambda_client=self.client("lambda"),
            sqs=self.client("sqs"),
            query_function=self.outputs.query_function,
            queue_url=self.outputs.queue_url,
            timeout_seconds=240,
            clock=time.monotonic,
            sleep=time.sleep,
        )
        assert not standing.quarantined
        return standing

    @property
    def engine(self) -> QueryEngine:
        """Runs SQL over the lake, as analysts do."""
        import boto3

        from queries.engine.athena import AthenaEngine

        context = self.cloud.context
        session = boto3.Session(**context.credentials, region_name=context.region)
        return AthenaEngine(
            session,
            database=self.outputs.database,
            work_group=self.outputs.analyst_work_group,
            endpoint_url=context.server_url,
        )

    def rows(self, sql: str) -> Rows:
        """Rows of a query."""
        return self.engine.rows(sql)

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query as dicts."""
        found = self.rows(sql)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]
