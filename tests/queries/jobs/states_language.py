"""What the States Language (JSONPath) asks of a machine, as far as ours uses it: MiniStack checks none of it.

From https://states-language.net/spec.html, and for the fields of tasks from AWS's own page of them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_COMMON = {"Type", "Comment", "InputPath", "OutputPath", "QueryLanguage"}
_FLOW = {"Next", "End"}
_RESULT = {"Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
FIELDS: Mapping[str, set[str]] = {
    "Task": _COMMON | _FLOW | _RESULT | {"Resource", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
    "Pass": _COMMON | _FLOW | {"Result", "ResultPath", "Parameters"},
    "Choice": _COMMON | {"Choices", "Default"},
    "Wait": _COMMON | _FLOW | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": _COMMON,
    "Fail": {"Type", "Comment", "Error", "Cause", "ErrorPath", "CausePath"},
    "Map": _COMMON
    | _FLOW
    | _RESULT
    | {"ItemProcessor", "ItemsPath", "ItemSelector", "MaxConcurrency", "ToleratedFailureCount"},
}
_REQUIRED = {"Task": {"Resource"}, "Choice": {"Choices"}, "Map": {"ItemProcessor"}, "Wait": set[str]()}
_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
}
_CATCHER = {"ErrorEquals", "Next", "ResultPath", "Comment"}
_PATH = re.compile(r"\$(\$)?(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\])*")
_LAMBDA = "arn:aws:states:::lambda:invoke"
_LONGEST_NAME = 80


def faults(machine: Mapping[str, Any], where: str = "") -> list[str]:
    """What is wrong with the machine, or with the one inside a Map."""
    states = machine.get("States", {})
    found = [] if machine.get("StartAt") in states else [f"{where}StartAt is no state"]
    for name, state in states.items():
        found += [f"{where}{name}: {fault}" for fault in _faults(name, state, states)]
    found += [f"{where}{name} is never reached" for name in states if name not in _reached(machine)]
    if not any(_ends(state) for state in states.values()):
        found.append(f"{where}nothing ends it")
    return found


def _faults(name: str, state: Mapping[str, Any], states: Mapping[str, Any]) -> Iterator[str]:
    kind = str(state.get("Type"))
    if len(name) > _LONGEST_NAME:
        yield "its name has more than 80 characters"
    if kind not in FIELDS:
        yield f"unknown type {kind!r}"
        return
    yield from (f"no field of a {kind}: {field}" for field in state if field not in FIELDS[kind])
    yield from (f"lacks {field}" for field in _REQUIRED.get(kind, set()) - state.keys())
    yield from (f"{target!r} is no state" for target in _targets(state) if target not in states)
    if kind not in ("Choice", "Succeed", "Fail") and ("Next" in state) == ("End" in state):
        yield "has Next and End, or neither"
    if kind == "Choice" and not state.get("Choices"):
        yield "has no choices"
    yield from (f"{path!r} is no path" for path in _paths(state) if not _PATH.fullmatch(path))
    for retrier in state.get("Retry", []):
        yield from _retrier_faults(retrier)
    for number, catcher in enumerate(state.get("Catch", [])):
        yield from (f"no field of a catcher: {field}" for field in catcher.keys() - _CATCHER)
        if "States.ALL" in catcher["ErrorEquals"] and number != len(state["Catch"]) - 1:
            yield "States.ALL must be the last catcher"
    if kind == "Task" and state.get("Resource") != _LAMBDA:
        yield f"calls {state.get('Resource')!r}, and tasks are functions"
    if kind == "Task" and not {"FunctionName", "Payload"} <= state.get("Parameters", {}).keys():
        yield "names no function, or gives it no payload"
    if kind == "Wait" and len(state.keys() & {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}) != 1:
        yield "waits for nothing, or for two things"
    if kind == "Map" and "ItemProcessor" in state:
        yield from faults(state["ItemProcessor"], "in the map: ")


def _retrier_faults(retrier: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"no field of a retrier: {field}" for field in retrier.keys() - _RETRIER)
    if "States.ALL" in retrier["ErrorEquals"] and len(retrier["ErrorEquals"]) != 1:
        yield "States.ALL must stand alone"
    if retrier.get("BackoffRate", 2.0) < 1 or retrier.get("IntervalSeconds", 1) < 1:
        yield "waits for less than a second, or ever shorter"
    if retrier.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        yield "JitterStrategy is FULL or NONE"


def _targets(state: Mapping[str, Any]) -> list[str]:
    nexts = [each["Next"] for each in (*state.get("Choices", []), *state.get("Catch", []))]
    return nexts + [state[field] for field in ("Next", "Default") if field in state]


def _paths(value: Any) -> Iterator[str]:
    for key, member in value.items() if isinstance(value, Mapping) else ():
        if key.endswith(".$") or (key.endswith("Path") and member is not None) or key == "Variable":
            yield member
        elif key != "ItemProcessor":
            yield from _paths(member)
    for member in value if isinstance(value, list) else ():
        yield from _paths(member)


def _ends(state: Mapping[str, Any]) -> bool:
    return bool(state.get("End")) or state.get("Type") in ("Succeed", "Fail")


def _reached(machine: Mapping[str, Any]) -> set[str]:
    states, found, left = machine.get("States", {}), set[str](), [str(machine.get("StartAt"))]
    while left:
        name = left.pop()
        if name in states and name not in found:
            found.add(name)
            left += _targets(states[name])
    return found


def tasks(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every task, also of the machines inside."""
    for state in machine["States"].values():
        if state["Type"] == "Task":
            yield state
        if state["Type"] == "Map":
            yield from tasks(state["ItemProcessor"])
