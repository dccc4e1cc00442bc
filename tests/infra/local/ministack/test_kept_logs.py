"""MiniStack's logs and metrics are bounded."""

import json
import subprocess
import sys
from typing import Any

from infra.local.ministack.kept_logs import bounded, trim_streams

_RUN = """
import json
from infra.local.ministack import kept_logs
kept_logs.install()
from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc
for number in range(1250):
    lambda_svc._emit_lambda_logs({"config": {"FunctionName": "f"}}, str(number), "a line", False, 1)
for number in range(4000):
    cloudwatch.record_metric("N", "m", number)
streams = list(cloudwatch_logs._log_groups["/aws/lambda/f"]["streams"].values())
(values,) = [values for _, values in cloudwatch._metrics.items()]
print(json.dumps([len(streams), streams[-1]["events"][0]["message"], len(values), values[-1]["Value"]]))
"""


def test_a_groups_oldest_log_streams_are_deleted_and_empty_ones_stay() -> None:
    made: dict[str, dict[str, Any]] = {str(number): {"events": ["line"]} for number in range(150)}
    groups = {"group": {"streams": {"of a template": {"events": []}, **made}}}
    trim_streams(groups, "group", most=40)
    left = list(groups["group"]["streams"])
    assert left == ["of a template", *(str(number) for number in range(110, 150))]
    trim_streams(groups, "no such group", most=40)


def test_a_metrics_oldest_values_are_deleted() -> None:
    values = list(range(150))
    assert bounded(lambda _: values, most=40)("key") is values
    assert values == list(range(110, 150))


def test_the_emulators_own_writers_of_logs_and_metrics_are_bounded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN], capture_output=True, text=True, check=True, timeout=60
    )
    streams, newest, values, last = json.loads(done.stdout.splitlines()[-1])
    assert 1000 <= streams <= 1101
    assert newest.startswith("START RequestId: 1249 ")
    assert 3600 <= values <= 3701
    assert last == 3999.0
