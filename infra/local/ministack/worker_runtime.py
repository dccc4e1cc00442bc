"""MiniStack's Python worker, made to do what Lambda's own runtime does.

On AWS the runtime's client (`awslambdaric`) has a marshaller that handlers may replace to take a request's
bytes and to answer with bytes. MiniStack's worker parses and writes JSON by itself, so a replaced marshaller
would never be asked here, and another path of the handler would run than on AWS. The runtime also names the
class of what a handler raised, which a state machine's retries match on.
"""

import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any

import msgspec

from infra.local.ministack.end_marks import MARK

_YIELDS = "QUERIES_LEDGER_TABLE"
"""Only the query function has it. Where a core is missing, what comes in goes before what is made of it: an
import took twice as long beside the reports of the one before."""
_NICENESS = 5


class StockMarshaller:
    """What the runtime does unless a handler replaces it: JSON in, JSON out."""

    def unmarshal_request(self, request: bytes, content_type: str | None = "application/json") -> Any:
        """The request, parsed."""
        return json.loads(request) if content_type == "application/json" else request

    def marshal_response(self, response: Any) -> tuple[Any, str]:
        """(payload, content type). Raises TypeError for what JSON has no word for."""
        return json.dumps(response), "application/json"


class LambdaRuntimeClient:
    """Has the place where the runtime's client keeps its marshaller."""

    marshaller: Any = StockMarshaller()


class _Envelope(msgspec.Struct):
    event: msgspec.Raw
    ctx: dict[str, Any] | None = None


_ENVELOPES = msgspec.json.Decoder(_Envelope)


def install() -> None:
    """Put the client where handlers look for it, and forget our packages, which must come from the zip.

    Installed from a wheel, `penstock` is imported by now, and a handler's `penstock.queries` would be found
    there rather than in the function's own code.
    """
    if _YIELDS in os.environ:
        os.nice(_NICENESS)
    package, client = ModuleType("awslambdaric"), ModuleType("awslambdaric.lambda_runtime_client")
    client.LambdaRuntimeClient = LambdaRuntimeClient  # type: ignore[attr-defined]
    package.lambda_runtime_client = client  # type: ignore[attr-defined]
    sys.modules.update({"awslambdaric": package, "awslambdaric.lambda_runtime_client": client})
    ours = __name__.partition(".")[0]
    for name in [name for name in sys.modules if name.partition(".")[0] == ours]:
        del sys.modules[name]


def read_invocation(line: str) -> dict[str, Any]:
    """One line of MiniStack's protocol: `event` as the handler takes it, and `ctx`."""
    envelope = _ENVELOPES.decode(line)
    event = LambdaRuntimeClient.marshaller.unmarshal_request(bytes(envelope.event), "application/json")
    return {"event": event, "ctx": envelope.ctx}


def write_result(result: Any) -> str:
    """The line that answers it. The log is ended before: whoever reads the answer need not wait for it."""
    payload, _ = LambdaRuntimeClient.marshaller.marshal_response(result)
    text = payload.decode() if isinstance(payload, bytes) else payload
    if "\n" in text:
        text = json.dumps(json.loads(text))
    _end_log()
    return f'{{"status": "ok", "result": {text}}}\n'


def write_error(error: BaseException) -> str:
    """The line that says what the handler raised."""
    told = {
        "status": "error",
        "error": str(error),
        "error_type": type(error).__name__,
        "trace": traceback.format_exc(),
    }
    _end_log()
    return json.dumps(told) + "\n"


def _end_log() -> None:
    sys.stderr.flush()
    os.write(2, f"{MARK}\n".encode())


_PRELUDE = """
from infra.local.ministack import worker_runtime as _ms_runtime
_ms_runtime.install()
"""
_CHANGES = {
    "_ms_msg = json.loads(line)": "_ms_msg = _ms_runtime.read_invocation(line)",
    r'_real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\n")': (
        "_real_stdout.write(_ms_runtime.write_result(result))"
    ),
    r'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\n"': (
        "_ms_runtime.write_error(e)"
    ),
}


def worker_script(stock: str) -> str:
    """MiniStack's worker script with these changes. Raises ValueError when it is not as expected."""
    for before, after in _CHANGES.items():
        if stock.count(before) != 1:
            raise ValueError(f"MiniStack's worker script does not contain {before!r} exactly once.")
        stock = stock.replace(before, after)
    return _PRELUDE + stock
