"""The state machine is one that Step Functions takes, and calls steps that there are, with what they take."""

import copy
import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest

from queries.jobs.machine import definition
from queries.jobs.steps import Outcome, Steps
from tests.queries.jobs.states_language import faults, tasks

IMPORTER = "arn:aws:lambda:us-east-1:000000000000:function:importer"
MACHINE = definition("arn:aws:lambda:us-east-1:000000000000:function:jobs", IMPORTER)


@pytest.mark.parametrize("importer", ["", IMPORTER])
def test_the_machine_keeps_the_rules_of_the_states_language(importer: str) -> None:
    assert faults(json.loads(json.dumps(definition("function", importer)))) == []


SEEDED: list[tuple[str, Callable[[Any], Any]]] = [
    ("StartAt is no state", lambda m: m.update(StartAt="Nowhere")),
    ("Begin: 'Nowhere' is no state", lambda m: m["States"]["Begin"].update(Next="Nowhere")),
    ("Finish: has Next and End, or neither", lambda m: m["States"]["Finish"].pop("End")),
    ("Plan: no field of a Task: ItemSelector", lambda m: m["States"]["Plan"].update(ItemSelector={})),
    ("Begun: has no choices", lambda m: m["States"]["Begun"].update(Choices=[])),
    ("Chunks: 'step.chunks' is no path", lambda m: m["States"]["Chunks"].update(ItemsPath="step.chunks")),
    ("Begin: JitterStrategy is FULL or NONE", lambda m: m["States"]["Begin"]["Retry"][0].update(JitterStrategy="SOME")),
    ("Begin: calls 'arn:aws:states:::http:invoke'", lambda m: m["States"]["Begin"].update(Resource="arn:aws:states:::http:invoke")),
    ("Orphan is never reached", lambda m: m["States"].update(Orphan={"Type": "Succeed"})),
    ("in the map: Wait: waits for nothing", lambda m: m["States"]["Chunks"]["ItemProcessor"]["States"]["Wait"].pop("Seconds")),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "seed"), SEEDED, ids=[fault for fault, _ in SEEDED])
def test_a_machine_that_breaks_a_rule_is_found_out(fault: str, seed: Callable[[Any], Any]) -> None:
    broken = copy.deepcopy(json.loads(json.dumps(MACHINE)))
    seed(broken)
    assert [each for each in faults(broken) if fault in each]


def steps_of(machine: Any) -> list[Any]:
    return [task for task in tasks(machine) if task["Parameters"]["FunctionName"] != IMPORTER]


def test_the_importer_gets_the_job_and_the_chunk() -> None:
    [work] = [task for task in tasks(MACHINE) if task["Parameters"]["FunctionName"] == IMPORTER]
    assert work["Parameters"]["Payload"].keys() == {"step", "job_id.$", "attempt.$", "chunk.$"}


def test_every_task_gives_a_step_what_it_takes() -> None:
    for task in steps_of(MACHINE):
        given = {name.removesuffix(".$") for name in task["Parameters"]["Payload"]}
        step = inspect.signature(getattr(Steps, task["Parameters"]["Payload"]["step"]))
        wanted = {name for name, each in step.parameters.items() if each.default is inspect.Parameter.empty}
        assert wanted - {"self"} <= given - {"step"} <= step.parameters.keys()


def test_every_choice_is_between_outcomes_that_there_are() -> None:
    outcomes = set(Outcome.__args__)  # type: ignore[attr-defined]
    choices = [state for state in MACHINE["States"].values() if state["Type"] == "Choice"]
    choices += [
        state
        for state in MACHINE["States"]["Chunks"]["ItemProcessor"]["States"].values()
        if state["Type"] == "Choice"
    ]
    named = {each["StringEquals"] for state in choices for each in state["Choices"]}
    assert len(choices) == 5
    assert named <= outcomes


def test_every_task_is_tried_again_and_ends_before_its_function_is_cut_off() -> None:
    for task in tasks(MACHINE):
        assert task["Retry"][0]["MaxAttempts"] == 5
        assert task["TimeoutSeconds"] == (960 if task["Parameters"]["FunctionName"] == IMPORTER else 120)
