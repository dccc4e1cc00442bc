"""Webhooks through the deployed API: acknowledged by the queue, taken once by a worker that is killed, refused and
sent back.
"""

import json
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.hook_deliveries import Gate, Hooks, Request, order, trial
from infra.local.cloud import LocalCloud
from producers.commands.hooks import HooksError
from producers.commands.hooks import app as hooks_app
from queries.commands.dlq_cli import app as dlq_app
from tests.shop import SHOP

pytestmark = pytest.mark.cloud

HOUR = (datetime.now(UTC) - timedelta(days=25)).replace(minute=7, second=0, microsecond=0)
"""No other test has events in it."""


def until(found: Callable[[], Any], seconds: float = 240.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.5)
    return value


@pytest.fixture
def target(local_cloud: LocalCloud) -> SimpleNamespace:
    outputs = Hooks(local_cloud).outputs
    return SimpleNamespace(
        json=True,
        client=local_cloud.context.client,
        sources=SHOP.sources,
        collector_url=local_cloud.collector_url,
        hook_secret_prefix=outputs.hook_secret_prefix,
        hooks_queue_url=outputs.hooks_queue_url,
        hooks_dead_letter_queue_url=outputs.hooks_dead_letter_queue_url,
    )


def run(app: Any, target: SimpleNamespace, *arguments: str, stdin: str = "") -> Any:
    ran = CliRunner().invoke(app, list(arguments), obj=target, catch_exceptions=False, input=stdin)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_each_delivery_counts_once_and_each_refusal_is_found_though_the_worker_is_killed(
    local_cloud: LocalCloud,
) -> None:
    outcome = trial(local_cloud, f"k{secrets.token_hex(4)}", 150, 3, HOUR)
    assert outcome.faults == []
    assert outcome.copies > 0
    assert outcome.forged > 0
    assert outcome.poison > 0
    assert outcome.kills > 0


def test_a_delivery_that_a_wrong_secret_refused_is_taken_once_the_secret_is_added(
    local_cloud: LocalCloud, target: SimpleNamespace
) -> None:
    hooks, name = Hooks(local_cloud), f"s{secrets.token_hex(4)}-0"
    secret = f"whsec_{secrets.token_hex(8)}"
    with closing(Gate(local_cloud, secret)) as gate:
        gate.send(Request("good", name, order(name, HOUR)))

    def listed() -> Any:
        found = run(dlq_app, target, "list", "--queue", "hooks", "--limit", "100")
        return [each for each in found if each["reason"] == "bad_signature"]

    [letter, *_] = until(listed)
    assert letter["body"].startswith("a delivery to stripe, ")
    assert name not in json.dumps(letter), "a provider's data is not shown"
    added = run(hooks_app, target, "add-secret", "stripe", stdin=f"{secret}\n")
    assert secret not in json.dumps(added)
    assert added["name"] in run(hooks_app, target, "secrets", "stripe")

    def landed() -> Any:
        run(dlq_app, target, "redrive", "--queue", "hooks")
        until(lambda: not hooks.waiting())
        if listed():  # the worker reads its secrets again some seconds after it last did
            return None
        hooks.chain.deliver()
        return hooks.orders(name.partition("-")[0], HOUR)

    assert [(order, rows) for order, _, rows in until(landed)] == [(name, 1)]
    assert added["name"] not in run(hooks_app, target, "drop-secret", "stripe", added["name"])


def test_addresses_are_listed_and_the_last_secret_stays(target: SimpleNamespace) -> None:
    assert run(hooks_app, target, "list") == [
        {
            "source": "stripe",
            "webhook": "stripe",
            "stream": "web",
            "url": f"{target.collector_url}/v1/hooks/stripe",
        }
    ]
    assert list(run(hooks_app, target, "secrets", "stripe", "--show").values()) != []
    for arguments, words in (
        (("secrets", "access_log"), "No source 'access_log' takes webhooks"),
        (("drop-secret", "stripe", "first"), "last secret"),
        (("drop-secret", "stripe", "another"), "has no secret"),
    ):
        with pytest.raises(HooksError, match=words):
            CliRunner().invoke(hooks_app, list(arguments), obj=target, catch_exceptions=False)
