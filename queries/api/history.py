"""What the steps of a job's execution did: from Step Functions' history, and the lines of their log."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

MOST_LINES = 500
"""Of the log of one job, the first ones."""
_ENTERED, _EXITED = "StateEntered", "StateExited"
_QUIET = frozenset({"Choice", "Pass", "Wait", "Succeed", "Map"})
"""Kinds of states in which nothing of ours runs."""


def steps_of(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each task in order: name, state, input, outcome, duration in milliseconds (pure).

    One that was entered and never left is running, or died with its execution.
    """
    found: list[dict[str, Any]] = []
    open_ones: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        kind = str(event["type"])
        if kind.endswith(_ENTERED) and kind.removesuffix(_ENTERED) not in _QUIET:
            details = event["stateEnteredEventDetails"]
            given = _read(details.get("input"))
            step = {
                "step": details["name"],
                "state": "RUNNING",
                "input": {key: given[key] for key in ("attempt", "chunk") if key in given},
                "outcome": "",
                "at": event["timestamp"].isoformat(),
                "milliseconds": None,
            }
            found.append(step)
            open_ones[details["name"], str(given.get("chunk"))] = {"step": step, "at": event["timestamp"]}
        elif kind.endswith(_EXITED) and kind.removesuffix(_EXITED) not in _QUIET:
            details = event["stateExitedEventDetails"]
            told = _read(details.get("output"))
            if entered := open_ones.pop((details["name"], str(told.get("chunk"))), None):
                passed = event["timestamp"] - entered["at"]
                entered["step"] |= {
                    "state": "FAILED" if "error" in told and not told.get("step") else "DONE",
                    "outcome": (told.get("step") or {}).get("outcome", ""),
                    "milliseconds": int(passed.total_seconds() * 1000),
                }
    return found


def with_steps_of(steps: list[dict[str, Any]], lines: Iterable[Mapping[str, Any]], attempt: int) -> list[Any]:
    """The steps, with those that only the log has, in order of time (pure).

    What is inside a Map is in AWS's history, but not in every emulator's.
    """
    known = {(step["step"], step["input"].get("chunk")) for step in steps}
    logged = [
        {
            "step": state_of(line),
            "state": "DONE",
            "input": {key: line[key] for key in ("attempt", "chunk") if key in line},
            "outcome": line.get("outcome", ""),
            "at": _moment(line["timestamp"]),
            "milliseconds": line.get("milliseconds"),
        }
        for line in lines
        if line.get("message") == "step"
        and line.get("attempt") == attempt
        and (state_of(line), line.get("chunk")) not in known
    ]
    return sorted([*steps, *logged], key=lambda step: str(step["at"]))


def state_of(line: Mapping[str, Any]) -> str:
    """The name of the state that calls the step of a line: `chunk_failed` is `ChunkFailed`."""
    return "".join(part.title() for part in str(line.get("step", "")).split("_"))


def _moment(text: str) -> str:
    """Powertools' `2026-11-24 10:00:00,123+0000` as the history's times are written."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S,%f%z").isoformat()


def _read(text: str | None) -> dict[str, Any]:
    read = json.loads(text or "{}")
    return read if isinstance(read, dict) else {}


class Executions:
    """The histories of one state machine, and one function's log."""

    def __init__(self, stepfunctions: Any, logs: Any, log_group: str) -> None:
        self._stepfunctions, self._logs, self._log_group = stepfunctions, logs, log_group

    def events(self, execution_arn: str) -> Iterator[Mapping[str, Any]]:
        """The execution's events in order; none where it never began, or AWS has forgotten it (90 days)."""
        pages = self._stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn, includeExecutionData=True
        )
        try:
            for page in pages:
                yield from page["events"]
        except self._stepfunctions.exceptions.ExecutionDoesNotExist:
            return

    def lines(self, job_id: str, since: int) -> list[dict[str, Any]]:
        """Lines of the log about this job, from `since` (epoch ms) on, each a JSON object."""
        answer = self._logs.filter_log_events(
            logGroupName=self._log_group,
            startTime=since,
            filterPattern=f'"{job_id}"',
            limit=MOST_LINES,
        )
        return [line for each in answer["events"] if (line := _line(each["message"]))]


def _line(message: str) -> dict[str, Any]:
    try:
        read = _read(message)
    except ValueError:
        return {}
    names = (
        "timestamp",
        "level",
        "message",
        "step",
        "chunk",
        "outcome",
        "partitions",
        "waiting",
        "attempt",
        "milliseconds",
    )
    return {name: read[name] for name in names if read.get(name) is not None}
