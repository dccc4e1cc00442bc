"""A deployment is not destroyed while producers write to its streams."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from msgspec import structs
from typer.testing import CliRunner

from infra.aws import cdk
from infra.aws import cli as aws_cli
from infra.aws.writers import LOOK_BACK, written
from infra.command.cli import app
from tests.shop import SHOP, WEB


class _Counts:
    """CloudWatch, which counted so many records of a stream in each minute."""

    def __init__(self, **counts: list[float]) -> None:
        self._counts = counts

    def get_metric_data(self, *, MetricDataQueries: Any, StartTime: Any, EndTime: Any) -> Any:  # noqa: N803
        assert EndTime - StartTime == LOOK_BACK
        named = {
            each["MetricStat"]["Metric"]["Dimensions"][0]["Value"]: each["Id"] for each in MetricDataQueries
        }
        return {
            "MetricDataResults": [
                {"Id": identifier, "Values": self._counts.get(name.removeprefix("penstock-"), [])}
                for name, identifier in named.items()
            ]
        }


def test_streams_that_are_written_to_are_named_and_those_at_rest_or_without_one_are_not() -> None:
    direct = structs.replace(WEB, name="direct", ingest="direct", plain_names=False)
    quiet = structs.replace(WEB, name="quiet", plain_names=False)
    streams, now = [WEB, direct, quiet], datetime(2026, 11, 24, 10, tzinfo=UTC)
    counts = _Counts(web=[0.0, 3.0], direct=[9.0], quiet=[0.0])
    assert written(counts, SHOP.default, streams, now) == ["penstock-web"]
    assert written(_Counts(), SHOP.default, streams, now) == []
    assert written(None, SHOP.default, [direct], now) == []


def test_a_deployment_that_is_written_to_is_not_destroyed_unless_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(boto3, "client", lambda _: _Counts(web=[1.0]))
    monkeypatch.setattr(aws_cli, "synth", lambda *_, **__: None)
    monkeypatch.setattr(cdk, "call", lambda arguments, *_: calls.append(arguments))
    result = CliRunner().invoke(app, ["destroy", "--yes"])
    assert isinstance(result.exception, aws_cli.NotReadyError)
    assert "penstock-web" in str(result.exception)
    assert not calls
    assert CliRunner().invoke(app, ["destroy", "--yes", "--while-written"]).exit_code == 0
    assert calls[0][0] == "destroy"
