"""How soon reports know of what the lake has: `python -m benchmarks.report_freshness --seconds 90`

On a local cloud deployed from the template `penstock produce simulate` sends 5,000 events a second. For each
object that Firehose delivers to the lake meanwhile, and each report that reads its hour: the time from the
object's creation (as S3 has it) until the publish of the first version whose input was listed after that. The
goal is a p95 of the longest interval between two runs of a report, at the local cloud's pace, and 30 seconds.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from benchmarks.report_lab import SOURCE, a_cloud, wall_clock
from benchmarks.shop import CATALOG, TABLES
from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from infra.local.settings import LocalSettings
from queries.ledger.dynamodb import DynamoDbLedger
from queries.partitions import Key, lake_hour, stale_partitions

POLL_SECONDS = 0.5
ALLOWANCE_SECONDS = 30.0


@dataclass
class Versions:
    """Every version of a partition that was served: when its input was listed, when it was published."""

    seen: dict[Key, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def look(self, ledger: DynamoDbLedger) -> None:
        """Note what the ledger says is published now; it remembers three versions before each."""
        for name in CATALOG:
            for state in ledger.report(name):
                for version in (state.published, *state.previous):
                    if version is not None:
                        self.seen[state.key][version.as_of] = version.published_at

    def published(self, key: Key, created: int) -> int | None:
        """When the first version was published whose input was listed at `created` or later."""
        later = [at for as_of, at in self.seen[key].items() if as_of >= created]
        return min(later, default=None)


@dataclass(frozen=True)
class Waits:
    """Seconds from an object's creation to the publish that has it, per (object, report); those without."""

    seconds: list[float]
    unpublished: int
    objects: int

    def quantile(self, share: float) -> float:
        """The value that so large a share does not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def objects(cloud: LocalCloud, bucket: str) -> list[tuple[str, int]]:
    """(key, creation in epoch ms) of the lake's objects."""
    pages = (
        cloud.context.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=SOURCE.prefix)
    )
    return [
        (found["Key"], int(found["LastModified"].timestamp() * 1000))
        for page in pages
        for found in page.get("Contents", [])
    ]


def waits(found: list[tuple[str, int]], versions: Versions, until: int) -> Waits:
    """How long each object that was created before `until` waited for each report that reads it."""
    seconds, missing, counted = [], 0, 0
    reports = [query.report for query in CATALOG.values()]
    for name, created in found:
        hour = lake_hour(name, TABLES)
        if hour is None or created >= until:
            continue
        counted += 1
        for key in stale_partitions([hour], reports):
            published = versions.published(key, created)
            if published is None:
                missing += 1
            else:
                seconds.append((published - created) / 1000)
    return Waits(seconds, missing, counted)


def produce(cloud: LocalCloud, rate: int, seconds: int) -> "subprocess.Popen[str]":
    """`penstock produce simulate` in a process of its own."""
    outputs = Outputs.from_document(cloud.outputs)
    command = [
        sys.executable,
        "-m",
        "infra.command.cli",
        "produce",
        "simulate",
        "--count",
        str(rate * seconds),
    ]
    command += ["--rate", str(rate), "--span", "1", "--stream-name", outputs.stream_name, "--json"]
    environ = {**os.environ, **cloud.environment()}
    folder = cloud.context.paths.root.parent  # there the command finds this local cloud
    return subprocess.Popen(command, env=environ, cwd=folder, stdout=subprocess.PIPE, text=True)


def measure(cloud: LocalCloud, rate: int, seconds: int, settle: float) -> tuple[Waits, dict[str, Any]]:
    """Events at that rate for so long; the waits, and what the producer says."""
    outputs, versions = Outputs.from_document(cloud.outputs), Versions()
    ledger = DynamoDbLedger(cloud.context.client("dynamodb"), outputs.ledger_table)
    producer = produce(cloud, rate, seconds)
    while producer.poll() is None:
        versions.look(ledger)
        time.sleep(POLL_SECONDS)
    until = wall_clock()
    deadline = time.monotonic() + settle
    while time.monotonic() < deadline:  # what came last is published a while later
        versions.look(ledger)
        time.sleep(POLL_SECONDS)
    said = json.loads(producer.communicate()[0])
    return waits(objects(cloud, outputs.lake_bucket), versions, until), said


def main() -> int:
    """Measure and print; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=90)
    asked = parser.parse_args()
    scale = LocalSettings().debounce_scale
    longest = max(query.report.max_delay_seconds for query in CATALOG.values()) * scale
    with a_cloud() as cloud:
        found, said = measure(cloud, asked.rate, asked.seconds, longest + ALLOWANCE_SECONDS)
    print(
        f"{said['produced']} events in {said['seconds']:.0f} s: {said['events_per_second']} a second "
        f"(asked: {asked.rate}), all delivered: {said['delivered'] == said['accepted']}"
    )
    print(
        f"{found.objects} lake objects, object created -> report published: p50 {found.quantile(0.5):.1f} s, "
        f"p95 {found.quantile(0.95):.1f} s, longest {max(found.seconds):.1f} s "
        f"over {len(found.seconds)} pairs of object and report; without a publish: {found.unpublished}"
    )
    goal = longest + ALLOWANCE_SECONDS
    print(f"goal: p95 <= {goal:.0f} s (at most every {longest:.0f} s at the local pace, and 30 s)")
    return int(found.quantile(0.95) > goal or bool(found.unpublished))


if __name__ == "__main__":
    sys.exit(main())
