"""The state machine that runs a job's steps, as the States Language has it (pure).

Steps return outcomes, and a Choice decides by them. What a step raises is infrastructure: it is tried again,
and what goes on failing in a chunk fails that chunk only.
"""

from collections.abc import Mapping
from typing import Any

CONCURRENCY = 2
"""Chunks of one job at the same time: a job must not take all of Athena's queries."""
WAIT_SECONDS = 5
TRIES = 5
"""Times that a step is tried again after the first."""
_RETRY = [
    {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": TRIES,
        "JitterStrategy": "FULL",
    }
]
_OUTCOME = "$.step.outcome"


STEP_SECONDS = 120
"""A step is given up after so long; its function ends before."""


def definition(
    function_arn: str,
    importer_arn: str = "",
    *,
    importer_seconds: int = 900,
    invoke: str = "arn:aws:states:::lambda:invoke",
) -> Mapping[str, Any]:
    """The machine whose tasks call this function, and the importer for the chunks of imports where there is
    one, which ends after `importer_seconds`. `invoke` is the partition's name for such calls.
    """

    def step(
        name: str, then: str, calls: str = function_arn, seconds: int = STEP_SECONDS, **given: str
    ) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": invoke,
            "Parameters": {
                "FunctionName": calls,
                "Payload": {
                    "step": name,
                    "job_id.$": "$.job_id",
                    "attempt.$": "$.attempt",
                    **{f"{key}.$": path for key, path in given.items()},
                },
            },
            "ResultSelector": {"outcome.$": "$.Payload.outcome"},
            "ResultPath": "$.step",
            "TimeoutSeconds": seconds,
            "Retry": _RETRY,
            "Next": then,
        }

    def caught(made: dict[str, Any], by: str) -> dict[str, Any]:
        return {**made, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": by}]}

    def otherwise(default: str, **nexts: str) -> dict[str, Any]:
        choices = [
            {"Variable": _OUTCOME, "StringEquals": outcome, "Next": then} for outcome, then in nexts.items()
        ]
        return {"Type": "Choice", "Choices": choices, "Default": default}

    def ending(made: dict[str, Any]) -> dict[str, Any]:
        return {**{key: value for key, value in made.items() if key != "Next"}, "End": True}

    chunk = {
        "Chunk": caught(step("chunk", "Marked", chunk="$.chunk"), "ChunkFailed"),
        "Marked": otherwise("ChunkOver", wait="Check", **({"work": "Work"} if importer_arn else {})),
        "Check": caught(step("check", "Settled", chunk="$.chunk"), "ChunkFailed"),
        "Settled": otherwise("ChunkOver", wait="Wait"),
        "Wait": {"Type": "Wait", "Seconds": WAIT_SECONDS, "Next": "Check"},
        "ChunkFailed": step("chunk_failed", "ChunkOver", chunk="$.chunk", error="$.error.Error"),
        "ChunkOver": {"Type": "Pass", "Result": {}, "End": True},
    }
    if importer_arn:
        work = step("work", "Check", importer_arn, importer_seconds + 60, chunk="$.chunk")
        chunk["Work"] = caught(work, "ChunkFailed")
    plan = caught(step("plan", "Planned"), "GiveUp")
    plan["ResultSelector"] = {"outcome.$": "$.Payload.outcome", "chunks.$": "$.Payload.chunks"}
    return {
        "Comment": "A job of Penstock: its chunks, two at a time.",
        "StartAt": "Begin",
        "States": {
            "Begin": caught(step("begin", "Begun"), "GiveUp"),
            "Begun": otherwise("Finish", go="Plan", superseded="Superseded"),
            "Plan": plan,
            "Planned": otherwise("Verify", go="Chunks", superseded="Superseded"),
            "Chunks": caught(
                {
                    "Type": "Map",
                    "ItemsPath": "$.step.chunks",
                    "ItemSelector": {
                        "job_id.$": "$.job_id",
                        "attempt.$": "$.attempt",
                        "chunk.$": "$$.Map.Item.Value",
                    },
                    "MaxConcurrency": CONCURRENCY,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "Chunk",
                        "States": chunk,
                    },
                    "ResultPath": "$.over",  # an empty object for each chunk
                    "Next": "Verify",
                },
                "GiveUp",
            ),
            "Verify": caught(step("verify", "Verified"), "GiveUp"),
            "Verified": otherwise("Finish", go="Plan", superseded="Superseded"),
            "Finish": ending(step("finish", "")),
            "GiveUp": ending(step("finish", "", error="$.error.Error")),
            "Superseded": {"Type": "Succeed"},
        },
    }
