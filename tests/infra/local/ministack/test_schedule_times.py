"""A schedule's input names the time that it fires for."""

from typing import Any

import pytest

from infra.local.ministack.schedule_times import TIME, filling, with_time
from queries.jobs.scheduled import FIRED_AT

INPUT = f'{{"schedule":"orders","at":"{TIME}"}}'
FIRED = {"Source": "aws.scheduler", "Time": 1_796_000_000.7}


def test_it_is_what_the_function_of_jobs_waits_for() -> None:
    assert TIME == FIRED_AT


def test_the_time_is_put_where_the_input_asks_for_it() -> None:
    target = {"Arn": "a", "Input": INPUT}
    assert with_time(target, FIRED) == {
        "Arn": "a",
        "Input": '{"schedule":"orders","at":"2026-11-30T00:53:20Z"}',
    }
    assert target["Input"] == INPUT, "the schedule itself stays as it was"


@pytest.mark.parametrize(
    ("target", "event"),
    [
        ({"Arn": "a"}, FIRED),
        ({"Arn": "a", "Input": "{}"}, FIRED),
        ({"Arn": "a", "Input": INPUT}, {"Source": "aws.events", "Time": 1}),
    ],
)
def test_every_other_target_is_called_as_it_is(target: dict[str, Any], event: dict[str, Any]) -> None:
    called: list[tuple[Any, ...]] = []
    filling(lambda *given, **named: called.append((*given, named)))(target, event, "rule", view=1)
    assert called == [(target, event, "rule", {"view": 1})]
