"""Names the class of what a function raised, where MiniStack answers `Runtime.HandlerError` for everything.

A state machine's retries and catches match on that name, and a person reads it first.
"""

import threading
from typing import Any


def install() -> None:
    """Make MiniStack's answers carry it. The caller has checked the version."""
    from ministack.core.lambda_runtime import Worker
    from ministack.services import lambda_svc

    raised = threading.local()  # a worker's answer and what is made of it are one thread's
    invoke, execute = Worker.invoke, lambda_svc._execute_function_warm

    def invoked(worker: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(worker, *arguments, **named)
        raised.name = answer.get("error_type")
        return answer

    def executed(*arguments: Any, **named: Any) -> dict[str, Any]:
        raised.name = None
        outcome: dict[str, Any] = execute(*arguments, **named)
        if raised.name is not None and outcome.get("error"):
            outcome["body"]["errorType"] = raised.name
        return outcome

    Worker.invoke, lambda_svc._execute_function_warm = invoked, executed
