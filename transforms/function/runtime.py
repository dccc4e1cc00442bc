"""What the function asks of its process: the request's bytes instead of parsed JSON, and rare collections."""

import gc
from typing import Any

_COLLECT_AFTER = 100_000
"""Containers made and not freed, from which garbage is looked for. Python's own 700 are made twelve times
in an invocation, or fifty times when the runtime parses the request; nothing here makes cycles.
"""


class PassThrough:
    """The runtime's marshaller that does nothing: request bytes to the handler, answer bytes from it.

    `stock` is the runtime's own one. It still serves answers that are not bytes, and all traffic once
    `passes` is set to False.
    """

    def __init__(self, stock: Any) -> None:
        self.stock = stock
        self.passes = True

    def unmarshal_request(self, request: bytes, content_type: str | None = "application/json") -> Any:
        """Give the request to the handler as it came."""
        return bytes(request) if self.passes else self.stock.unmarshal_request(request, content_type)

    def marshal_response(self, response: Any) -> tuple[Any, str]:
        """Give the answer to the runtime's client: (payload, content type)."""
        if isinstance(response, bytes):
            return response, "application/json"
        answer: tuple[Any, str] = self.stock.marshal_response(response)
        return answer


def install() -> PassThrough | None:
    """Put PassThrough in the runtime client's place for it. None where there is no such client or place.

    It holds for the whole process, so only the transformation's handler module calls it.
    """
    try:
        from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
    except ImportError:
        return None
    stock = getattr(LambdaRuntimeClient, "marshaller", None)
    if stock is None:
        return None
    if isinstance(stock, PassThrough):
        return stock
    ours = PassThrough(stock)
    LambdaRuntimeClient.marshaller = ours
    return ours


def collect_seldom() -> None:
    """Leave what is loaded out of garbage collection, and collect seldom. It holds for the whole process."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
