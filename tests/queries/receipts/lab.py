"""A laboratory for receipts: lake objects of real rows, failed records, a transform's log; and an explainer."""

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from benchmarks.receipt_lab import explainer_in, surroundings_in
from benchmarks.report_lab import Lab, tick, wall_clock
from infra.local.cloud import LocalCloud
from queries.partitions import Key
from queries.receipts.cell import parse_words
from queries.receipts.comparing import compare
from queries.receipts.model import Comparison, Receipt
from queries.refresh.catalog import ReportQuery
from tests.queries.events import event
from tests.shop import TABLE
from transforms.failed.arrow import rows_to_table
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted

NAME = "receipts"
Event = dict[str, Any]


@dataclass
class ReceiptLab:
    """A lake, reports over it, and receipts of their numbers."""

    lab: Lab

    @classmethod
    def on(cls, cloud: LocalCloud, queries: Mapping[str, ReportQuery], name: str = NAME) -> "ReceiptLab":
        made = cls(Lab.on(cloud, name, queries))
        made.lab.client("logs").create_log_group(logGroupName=made.log_group)
        return made

    @property
    def transforms(self) -> dict[str, str]:
        """The transformation of each stream."""
        return {TABLE.stream.name: f"{self.lab.settings.database}-transform"}

    @property
    def log_group(self) -> str:
        """The transformation's."""
        return f"/aws/lambda/{self.transforms[TABLE.stream.name]}"

    def put(self, hour: str, name: str, events: Iterable[Event], *, arrival_ms: int) -> None:
        """A lake object of these events, as the transformation makes their rows."""
        gate, rows = Gate(TABLE, key_id="k1", key=bytes(32)), list[bytes]()
        for each in events:
            outcome = gate.judge(json.dumps(each).encode(), arrival_ms)
            assert isinstance(outcome, Accepted), outcome
            assert outcome.event_hour == hour
            rows.append(outcome.row)
        body = io.BytesIO()
        pq.write_table(rows_to_table(TABLE, rows), body, compression="snappy")
        self.lab.put_bytes(hour, name, body.getvalue())

    def fail(self, name: str, events: Iterable[Event], *, arrival_ms: int) -> None:
        """An error object of Firehose with these records."""
        lines = [
            json.dumps(
                {
                    "attemptsMade": 4,
                    "arrivalTimestamp": arrival_ms,
                    "errorCode": "Lambda.FunctionError",
                    "errorMessage": "Record processing failed.",
                    "rawData": base64.b64encode(json.dumps(each).encode()).decode(),
                }
            )
            for each in events
        ]
        key = f"failed/processing-failed/dt=2026-03-01/{name}"
        self.lab.client("s3").put_object(
            Bucket=self.lab.settings.lake_bucket, Key=key, Body="\n".join(lines).encode()
        )

    def drop(self, hour: str, seqs: Mapping[str, str], count: int) -> None:
        """A line of the transformation's log, which names what it dropped."""
        logs, group = self.lab.client("logs"), self.log_group
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        line = json.dumps({"dropped": count, "dropped_seqs": dict(seqs), "dropped_hours": {hour: dict(seqs)}})
        entry = {"timestamp": wall_clock(), "message": line}
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[entry])

    def delete(self, hour: str, name: str) -> None:
        key = f"{TABLE.prefix}event_hour={hour}/{name}.parquet"
        self.lab.client("s3").delete_object(Bucket=self.lab.settings.lake_bucket, Key=key)

    def publish(self, queries: Mapping[str, ReportQuery] | None = None, again: Sequence[Key] = ()) -> None:
        """Compute what is stale, and these partitions again; with other SQL where it is given."""
        service = self.lab.service(queries=queries)
        service.refresher.mark(again, at_once=True)
        tick(service)

    def explain(self, query: ReportQuery, partition: str, *words: str) -> Receipt:
        return explainer_in(self.lab, self.transforms).explain(
            query, parse_words(query.report, partition, words)
        )

    def compare(self, query: ReportQuery, partition: str, *words: str, to: int) -> Comparison:
        asked = parse_words(query.report, partition, words)
        around = surroundings_in(self.lab, self.transforms)
        return compare(explainer_in(self.lab), around, query, asked, to)


def audit(hour: str, number: int, producer: str, last_seq: int) -> Event:
    """A producer's own statement of how far its sequence went."""
    told = event("producer_audited", hour, number, producer, {"producer": producer, "last_seq": last_seq})
    told["payload"]["closed"] = True
    told["seq"] = 0
    return told
