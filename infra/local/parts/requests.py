"""Bodies of AWS's JSON calls, read by the service's own model: others are refused as on AWS."""

import json
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

_MODELS = {"AmazonAthena": "athena", "Firehose_20150804": "firehose"}
"""`X-Amz-Target` prefix to botocore's name of the service."""


class RequestError(ValueError):
    """AWS answers this request with 400. `code` is the exception's name there."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_request(prefix: str, operation: str, body: bytes) -> dict[str, Any]:
    """The decoded body of one call. Raises RequestError for what the operation cannot mean.

    What `botocore` would not let a client send is named member by member; an operation that it does not know
    is left to the service that answers it.
    """
    try:
        read = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise RequestError("SerializationException", f"The body is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise RequestError("SerializationException", "The body is not a JSON object.")
    model = _model(prefix)
    if model is not None and operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        report = _Validator().validate(read, shape) if shape is not None else None
        if report is not None and report.has_errors():
            raise RequestError(_CODES[_MODELS[prefix]], report.generate_report())
    return read


_CODES = {"athena": "InvalidRequestException", "firehose": "InvalidArgumentException"}


class _Validator(ParamValidator):
    def _validate_blob(self, param: Any, shape: Shape, errors: Any, name: str) -> None:  # noqa: ARG002
        """In JSON bytes are base64."""
        if not isinstance(param, str):
            errors.report(name, "invalid type", param=param, valid_types=["base64 text"])


@lru_cache
def _model(prefix: str) -> ServiceModel | None:
    name = _MODELS.get(prefix)
    return ServiceModel(Loader().load_service_model(name, "service-2"), name) if name else None
