"""The parts of Powertools that the transformation uses, without the rest of the package.

`import aws_lambda_powertools` loads the logger with its JMESPath functions, the tracer and more: a third of
all that the function's cold start takes. The parts themselves do not need it. Decision 0025 has the figures.
"""

import logging
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics
    from aws_lambda_powertools.tracing import Tracer

_AROUND = ("aws_lambda_powertools", "aws_lambda_powertools.logging")
"""The packages whose `__init__` is not run."""


def part(name: str) -> ModuleType:
    """Import one module of Powertools. Whoever imports the package afterwards gets all of it, as always."""
    bare = [package for package in _AROUND if package not in sys.modules]
    try:
        for package in bare:
            spec = find_spec(package)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
            sys.modules[package] = module_from_spec(spec)
        return import_module(name)
    finally:
        for package in bare:
            sys.modules.pop(package, None)


_formatter = part("aws_lambda_powertools.logging.formatter")
_metrics = part("aws_lambda_powertools.metrics")


def json_lines(service: str) -> logging.Logger:
    """A logger that writes Powertools' JSON lines to stdout, whatever the runtime's own logging does."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter.LambdaPowertoolsFormatter(service=service))
    logger = logging.Logger(service, logging.INFO)
    logger.addHandler(handler)
    return logger


def counts(namespace: str, service: str, values: dict[str, tuple[str, float]]) -> dict[str, Any]:
    """Metrics in CloudWatch's embedded metric format. `values`: name -> (unit, value)."""
    metrics: EphemeralMetrics = _metrics.EphemeralMetrics(namespace=namespace, service=service)
    for name, (unit, value) in values.items():
        metrics.add_metric(name, unit, value)
    return dict(metrics.serialize_metric_set())


def tracer(service: str) -> "Tracer":
    """A tracer that leaves other libraries as they are."""
    made = part("aws_lambda_powertools.tracing.tracer").Tracer(service=service, auto_patch=False)
    return cast("Tracer", made)
