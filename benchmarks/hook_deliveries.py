"""Webhooks while their worker is killed: `python -m benchmarks.hook_deliveries`.

Requests to the deployed API of a local cloud of its own: good ones, copies, some that nobody signed, some
whose signed body is not JSON. The worker is killed at random moments. Then every good one must be in the lake
under one event id, every other one among the dead letters, and `reconcile` must miss nothing.

`ack_p95_ms` is how long a provider waits while the worker is stopped.
"""

import argparse
import hashlib
import hmac
import http.client
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median, quantiles
from urllib.parse import urlsplit

from benchmarks.local import roles
from infra.accounting.evidence import Places, gather
from infra.accounting.reconcile import reconcile
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from tests.queries.cloud import Chain
from tests.shop import SHOP, TABLE

SOURCE = "stripe"
_VISIBLE_SECONDS = "4"
"""How long a killed worker's messages wait here; deployed it is six minutes."""


@dataclass(frozen=True)
class Request:
    """One request. `kind` is `good`, `forged` or `poison`."""

    kind: str
    name: str
    body: str


@dataclass
class Outcome:
    """What came of a run. `faults` is empty when everything is as it should be."""

    requests: int = 0
    good: int = 0
    copies: int = 0
    forged: int = 0
    poison: int = 0
    kills: int = 0
    rows: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    ack_p50_ms: float = 0
    ack_p95_ms: float = 0
    seconds: float = 0
    faults: list[str] = field(default_factory=list)


def planned(run: str, count: int, at: datetime, random: Random) -> list[Request]:
    """So many requests: a fifth of them copies, 5 % not signed, 2 % signed and not JSON."""
    found: list[Request] = []
    good: list[Request] = []
    for number in range(count):
        name, chance = f"{run}-{number}", random.random()
        if chance < 0.05:
            found.append(Request("forged", name, order(name, at)))
        elif chance < 0.07:
            found.append(Request("poison", name, f'{{"id":"evt_{name}",'))
        elif chance < 0.27 and good:
            found.append(random.choice(good))
        else:
            found.append(Request("good", name, order(name, at)))
            good.append(found[-1])
    return found


def order(name: str, at: datetime) -> str:
    """The body of a delivery that is an order of this id."""
    said = {
        "client_reference_id": name, "amount_total": 1999, "currency": "eur",
        "metadata": {
            "client_address": "203.0.113.9",
            "items": json.dumps([{"product_id": "p1", "quantity": 1, "price_minor": 1999}]),
        },
    }  # fmt: skip
    return json.dumps(
        {
            "id": f"evt_{name}", "type": "checkout.session.completed", "created": int(at.timestamp()),
            "data": {"object": said},
        }
    )  # fmt: skip


class Gate:
    """The collector's API, as a provider sees it."""

    def __init__(self, up: LocalCloud, secret: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(up.collector_url).netloc, timeout=120)
        self._secret = secret

    def send(self, request: Request) -> float:
        """Seconds until it was acknowledged."""
        now = int(time.time())
        secret = "forged" if request.kind == "forged" else self._secret
        digest = hmac.new(secret.encode(), f"{now}.{request.body}".encode(), hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "stripe-signature": f"t={now},v1={digest}"}
        began = time.perf_counter()
        self._connection.request("POST", f"/v1/hooks/{SOURCE}", request.body, headers)
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"a delivery was answered with {answer.status}")
        return took

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Hooks:
    """What the run works with of a deployment."""

    def __init__(self, up: LocalCloud) -> None:
        self.up, self.chain = up, Chain.of(up)
        self.sqs, self.functions = up.context.client("sqs"), up.context.client("lambda")
        self.outputs = self.chain.outputs
        held = up.context.client("secretsmanager").get_secret_value(
            SecretId=f"{self.outputs.hook_secret_prefix}{SOURCE}"
        )
        self.secret = next(iter(json.loads(held["SecretString"]).values()))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """No message is taken from the queue inside."""
        [mapping] = self.functions.list_event_source_mappings(FunctionName=self.outputs.hooks_function)[
            "EventSourceMappings"
        ]
        self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Messages of a killed worker come again after some seconds inside."""
        url = self.outputs.hooks_queue_url
        before = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": _VISIBLE_SECONDS})
        try:
            yield
        finally:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes=before["Attributes"])

    def kill_one(self) -> bool:
        """SIGKILL for a worker of the function, if one runs."""
        for pid, role in list(roles(self.up.context.paths.root.parent, os.getpid())):
            if role == f"function {self.outputs.hooks_function}":
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return True
        return False

    def waiting(self) -> int:
        """Messages that are in the queue or with a worker."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.outputs.hooks_queue_url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def refused(self, run: str) -> list[tuple[str, str]]:
        """(body, reason) of every dead letter of the run, which it takes away."""
        url, found = self.outputs.hooks_dead_letter_queue_url, []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                if f"evt_{run}-" in message["Body"]:
                    found.append((message["Body"], message["MessageAttributes"]["reason"]["StringValue"]))
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def orders(self, run: str, at: datetime) -> list[tuple[str, str, int]]:
        """(order, event id, rows) in the lake."""
        rows = self.chain.rows(
            f"""
            SELECT order_placed.order_id, event_id, count(*) FROM {TABLE.name}
            WHERE event_hour = '{at:%Y-%m-%d-%H}' AND source = '{SOURCE}'
              AND order_placed.order_id LIKE '{run}-%' GROUP BY 1, 2
            """
        ).rows
        return [(str(row[0]), str(row[1]), int(row[2])) for row in rows]

    def missing(self) -> int:
        """Places of the workers' sequences that are nowhere."""
        places = Places(
            engine=self.chain.engine,
            s3=self.chain.client("s3"),
            logs=self.chain.client("logs"),
            lake_bucket=self.outputs.lake_bucket,
            transform_functions=[self.outputs.transform_function],
            tables=[TABLE.name],
        )
        lines = reconcile(gather(places)).lines
        lines = reconcile(gather(places)).lines
        return sum(len(line.missing) for line in lines if line.name.producer_id.startswith("hooks-"))


def trial(
    up: LocalCloud, run: str, count: int, kills: int, at: datetime, *, seed: int = 0, patience: float = 600
) -> Outcome:
    """One run on a local cloud. `run` names its orders; the queue may take `patience` seconds."""
    random, began = Random(seed), time.monotonic()
    hooks, requests = Hooks(up), planned(run, count, at, Random(seed))
    kinds = Counter(each.kind for each in requests)
    good = {each.name for each in requests if each.kind == "good"}
    outcome = Outcome(len(requests), len(good), kinds["good"] - len(good), kinds["forged"], kinds["poison"])
    with closing(Gate(up, hooks.secret)) as gate, hooks.impatient():
        first, rest = requests[: max(20, count // 10)], requests[max(20, count // 10) :]
        with hooks.stopped():
            took = [gate.send(each) * 1000 for each in first]
        outcome.ack_p50_ms, outcome.ack_p95_ms = median(took), quantiles(took, n=20)[-1]
        sent = threading.Event()
        killer = threading.Thread(target=_kill, args=(hooks, kills, random, sent, outcome))
        killer.start()
        try:
            for each in rest:
                gate.send(each)
        finally:
            sent.set()
            killer.join()
        deadline = time.monotonic() + patience
        while hooks.waiting():
            if time.monotonic() > deadline:
                outcome.faults.append(f"{hooks.waiting()} messages are still in the queue")
                break
            time.sleep(0.5)
    hooks.chain.deliver()
    _check(hooks, run, at, requests, good, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


def _kill(hooks: Hooks, kills: int, random: Random, sent: threading.Event, outcome: Outcome) -> None:
    """Kill so many workers, until everything was sent and the queue is empty."""
    while outcome.kills < kills and not (sent.is_set() and not hooks.waiting()):
        time.sleep(random.uniform(0.05, 0.6))
        if hooks.waiting():
            outcome.kills += hooks.kill_one()


def _check(
    hooks: Hooks, run: str, at: datetime, requests: list[Request], good: set[str], outcome: Outcome
) -> None:
    orders, refused = hooks.orders(run, at), hooks.refused(run)
    outcome.rows = sum(count for _, _, count in orders)
    outcome.refused = dict(Counter(reason for _, reason in refused))
    ids = Counter(name for name, _, _ in orders)
    if ids.keys() != good:
        outcome.faults.append(
            f"{len(good - ids.keys())} orders are missing, {len(ids.keys() - good)} too many"
        )
    if several := [name for name, count in ids.items() if count > 1]:
        outcome.faults.append(f"{len(several)} orders have several event ids")
    for kind, reason in (("forged", "bad_signature"), ("poison", "unreadable_body")):
        wanted = {each.body for each in requests if each.kind == kind}
        found = {body for body, said in refused if said == reason}
        if found != wanted:
            outcome.faults.append(f"{kind}: {len(wanted)} sent, {len(found)} found as {reason}")
    if missing := hooks.missing():
        outcome.faults.append(f"reconcile misses {missing} events")


def main() -> None:
    """Run it and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    port, server_port, collector_port, jobs_port, site_port = processes.free_ports(5)
    settings = LocalSettings(
        port=port,
        server_port=server_port,
        collector_port=collector_port,
        jobs_port=jobs_port,
        site_port=site_port,
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = LocalPaths.of(Path(folder))
        try:
            up = cloud.up(paths, settings, lambda text: print(text, file=sys.stderr), project=SHOP)
            at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            found = trial(up, "run", asked.deliveries, asked.kills, at, seed=asked.seed, patience=3600)
        finally:
            cloud.down(paths, lambda _: None)
    print(json.dumps({**vars(found), "load": os.getloadavg()[0]}, indent=2))
    sys.exit(bool(found.faults))


if __name__ == "__main__":
    main()
