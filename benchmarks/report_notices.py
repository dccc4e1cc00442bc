"""How many query executions many notifications lead to: `python -m benchmarks.report_notices`

On a local cloud deployed from the template, by the deployed query function. First 1,000 objects are put into
ten lake hours within a minute, at AWS's pace (`at most every 1m` for reports by the hour): S3's own
notifications reach the function through its queue. A partition is computed at once when the first one comes,
and once more when the interval has passed. Then 100,000 messages about the same hours are redriven. The
emulator's mapping makes batches of 10; so these are given to the deployed function in batches of 3,000, two
at a time, as AWS's own mapping gives them (6 MB each, `MaximumConcurrency` 2). Some go through the
dead-letter queue and the code of `penstock dlq redrive`.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.report_kills import views
from benchmarks.report_lab import SOURCE, a_cloud, parquet
from benchmarks.shop import CATALOG
from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from queries.commands.dead_letters import redrive
from queries.commands.waiting import refresh_until_fresh
from queries.partitions import LakeHour, stale_partitions
from transforms.contracts import EVENT_HOUR

AWS_BATCH = 3_000
"""Messages of 1.84 kB in a batch of 6 MB, Lambda's limit."""
START = datetime(2026, 1, 5)  # noqa: DTZ001 - lake timestamps have no zone


@dataclass(frozen=True)
class Queue:
    """The deployed chain from the lake bucket to the reports, and its query executions."""

    cloud: LocalCloud
    outputs: Outputs
    hours: Sequence[str]

    @classmethod
    def of(cls, cloud: LocalCloud, hours: int, *, day: int = 0) -> "Queue":
        """The chain of this cloud, and so many lake hours from a day on."""
        first = START + timedelta(days=day)
        names = [f"{first + timedelta(hours=number):%Y-%m-%d-%H}" for number in range(hours)]
        return cls(cloud, Outputs.from_document(cloud.outputs), names)

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self.cloud.context.client(service)

    @property
    def partitions(self) -> Counter[str]:
        """How many partitions of each report read these hours."""
        reports = [query.report for query in CATALOG.values()]
        keys = stale_partitions([LakeHour(SOURCE.name, hour) for hour in self.hours], reports)
        return Counter(key.report for key in keys)

    def most_executions(self, seconds: float, scale: float) -> Counter[str]:
        """What objects that come within so many seconds may lead to: a run at once, and one per interval.

        That many would need a run for each partition; one run takes all that are due. `scale` is the
        cloud's, of the reports' intervals.
        """
        intervals = {name: query.report.max_delay_seconds * scale for name, query in CATALOG.items()}
        return Counter(
            {
                name: count * (1 + math.ceil(seconds / intervals[name]))
                for name, count in self.partitions.items()
            }
        )

    def executions(self) -> Counter[str]:
        """Query executions of the deployed function so far, by report."""
        athena, group = self.client("athena"), self.outputs.work_group
        pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=group)
        names = [name for page in pages for name in page["QueryExecutionIds"]]
        found: Counter[str] = Counter()
        for start in range(0, len(names), 50):
            answer = athena.batch_get_query_execution(QueryExecutionIds=names[start : start + 50])
            for one in answer["QueryExecutions"]:
                if one["SubstatementType"] == "UNLOAD" and any(
                    hour[:10] in one["Query"] for hour in self.hours
                ):
                    found[one["Query"].rpartition("/reports/")[2].partition("/")[0]] += 1
        return found

    def put(self, count: int, seconds: float, series: str = "n") -> float:
        """Put objects into the hours, evenly over that time; how long it took."""
        s3, pending = self.client("s3"), [self._object(number, series) for number in range(count)]
        began = time.monotonic()

        def put_in_time(number: int) -> None:
            time.sleep(max(0.0, began + seconds * number / count - time.monotonic()))
            key, body = pending[number]
            s3.put_object(Bucket=self.outputs.lake_bucket, Key=key, Body=body)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put_in_time, range(count)))
        return time.monotonic() - began

    def _object(self, number: int, series: str) -> tuple[str, bytes]:
        hour = self.hours[number % len(self.hours)]
        key = f"{SOURCE.prefix}{EVENT_HOUR}={hour}/{series}{number}.parquet"
        return key, parquet(views(hour, number))

    def settle(self, seconds: float) -> None:
        """Wait until the queue is empty and no report is stale, as `penstock reports refresh --wait` does."""
        refresh_until_fresh(
            lambda_client=self.client("lambda"),
            sqs=self.client("sqs"),
            query_function=self.outputs.query_function,
            queue_url=self.outputs.queue_url,
            timeout_seconds=seconds,
            clock=time.monotonic,
            sleep=time.sleep,
        )

    def wait_until_due(self, seconds: float) -> None:
        """Wait until the queue is empty and the function, told of the time alone, has left nothing stale."""
        deadline = time.monotonic() + seconds
        wanted = set(self.partitions)
        while self._messages() or set(self.executions()) != wanted or self._stale():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"after {seconds:.0f} s {self._stale()} partitions are stale and {self._messages()} "
                    "messages are in the queue or with the function"
                )
            time.sleep(1)

    def _messages(self) -> int:
        # Those that the function has received and not finished tell of objects that it may not know of yet.
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs.queue_url, AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def _stale(self) -> int:
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs.query_function, Payload=json.dumps({"penstock": "work", "seconds": 5})
        )
        return int(json.loads(answer["Payload"].read())["stale"])

    def redrive(self, messages: int, batch: int = AWS_BATCH) -> int:
        """Give the function so many messages about new objects of the hours; how many batches."""
        bodies = [self._body(number) for number in range(messages)]
        batches = [bodies[start : start + batch] for start in range(0, messages, batch)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._receive, batches))
        return len(batches)

    def redrive_dead_letters(self, messages: int) -> int:
        """Put messages into the dead-letter queue and send them back by the command's own code."""
        sqs = self.client("sqs")
        for number in range(messages):
            sqs.send_message(QueueUrl=self.outputs.dead_letter_queue_url, MessageBody=self._body(number))
        return redrive(sqs, self.outputs.dead_letter_queue_url, self.outputs.queue_url, limit=messages)

    def _receive(self, bodies: Sequence[str]) -> None:
        records = [
            {"messageId": str(number), "body": body, "eventSource": "aws:sqs"}
            for number, body in enumerate(bodies)
        ]
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs.query_function, Payload=json.dumps({"Records": records}).encode()
        )
        said = json.loads(answer["Payload"].read())
        assert said == {"batchItemFailures": []}, said

    def _body(self, number: int) -> str:
        hour = self.hours[number % len(self.hours)]
        key = f"{SOURCE.prefix}{EVENT_HOUR}%3D{hour}/r{number}.parquet"
        described = {"key": key, "size": 1000, "sequencer": f"{number:016X}"}
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self.outputs.lake_bucket}, "object": described},
        }
        return json.dumps({"Records": [record]})


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--dead", type=int, default=2_000)
    asked = parser.parse_args()
    with a_cloud(debounce_scale=1.0) as cloud:
        queue = Queue.of(cloud, 10)
        took = queue.put(asked.objects, 50)
        queue.wait_until_due(600)
        first = queue.executions()
        print(f"{asked.objects} notifications over {len(queue.hours)} hours in {took:.0f} s")
        print(
            f"  query executions: {first.total()} for {queue.partitions.total()} partitions {dict(first)}",
            flush=True,
        )
        # What a redrive tells of has to be new, else the function would not ask Athena at all.
        queue.put(len(queue.hours) * 2, 0, "r")
        batches = queue.redrive(asked.messages)
        moved = queue.redrive_dead_letters(asked.dead)
        queue.settle(600)
        second = queue.executions() - first
        print(
            f"{asked.messages} messages redriven in {batches} batches, {moved} through the dead-letter queue"
        )
        print(
            f"  query executions: {second.total()} for {queue.partitions.total()} partitions {dict(second)}"
        )
    most = queue.partitions
    goal = queue.most_executions(took, 1.0)
    print(f"  goal: first at most {dict(goal)}, then at most 2 for each partition")
    return int(any(first[name] > goal[name] or second[name] > 2 * most[name] for name in most))


if __name__ == "__main__":
    sys.exit(main())
