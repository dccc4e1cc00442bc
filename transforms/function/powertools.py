"""How the transformation uses Powertools: its log line's form, its metrics' form, and its tracer.

Not its decorators: the one log line of an invocation is its metrics too, and the tracer loads where it is on.
"""

import logging
import sys
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer


def json_lines(service: str) -> logging.Logger:
    """A logger that writes Powertools' JSON lines to stdout, whatever the runtime's own logging does."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LambdaPowertoolsFormatter(service=service))
    logger = logging.Logger(service, logging.INFO)
    logger.addHandler(handler)
    return logger


def counts(namespace: str, service: str, values: dict[str, tuple[str, float]]) -> dict[str, Any]:
    """Metrics in CloudWatch's embedded metric format. `values`: name -> (unit, value)."""
    metrics = EphemeralMetrics(namespace=namespace, service=service)
    for name, (unit, value) in values.items():
        metrics.add_metric(name, unit, value)
    return dict(metrics.serialize_metric_set())


def tracer(service: str) -> "Tracer":
    """A tracer that leaves other libraries as they are."""
    from aws_lambda_powertools import Tracer

    return Tracer(service=service, auto_patch=False)
