"""`json` and `base64`, three times as fast for what MiniStack carries: invocations of 2 MB, Kinesis batches.

They stand in for the modules in MiniStack's hot files. What they cannot do like the modules they leave to
them. An invocation of that size is not opened at all: MiniStack would read and write its payload and its
answer twice each, only to hand on what it was given.
"""

import base64
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from infra.local.ministack.kept_records import LARGE_TEXT, Decoded
from infra.local.ministack.stream_log import Stored

LARGE = 256 * 1024
"""Bytes from which a payload stays closed. Answers that MiniStack itself looks into are far smaller."""


class Parcel:
    """JSON of an invocation or of its answer that is handed on as it is."""

    __slots__ = ("body",)

    def __init__(self, body: bytes | msgspec.Raw) -> None:
        self.body = body


class _Answer(msgspec.Struct):
    status: str
    result: msgspec.Raw


_ANSWERS = msgspec.json.Decoder(_Answer)
_ANY = msgspec.json.Decoder(msgspec.Raw)


class FastJson:
    """Has every name of the `json` module; `loads` and `dumps` are quicker for plain values."""

    def __getattr__(self, name: str) -> Any:
        return getattr(json, name)

    @staticmethod
    def loads(text: "str | bytes | bytearray | Parcel", **options: Any) -> Any:
        """As `json.loads`, its errors included. A parcel stays closed, as does a worker's large result."""
        if isinstance(text, Parcel):
            return text
        if options:
            return json.loads(text, **options)
        try:
            if len(text) >= LARGE and isinstance(text, str) and text.startswith('{"status": "ok"'):
                answer = _ANSWERS.decode(text)
                return {"status": answer.status, "result": Parcel(answer.result)}
            return msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeError):
            return json.loads(text)  # NaN, lone surrogates, or a JSONDecodeError that the caller expects

    @staticmethod
    def dumps(value: Any, **options: Any) -> str:
        """As `json.dumps` without spaces, for values that came out of JSON and for parcels."""
        if options.keys() - {"ensure_ascii"}:
            return json.dumps(value, **options)
        try:
            return msgspec.json.encode(value, enc_hook=_closed).decode()
        except (TypeError, ValueError, OverflowError):
            return json.dumps(value, **options)


class FastBase64:
    """Has every name of the `base64` module; `b64decode` is quicker for large texts.

    Data that lies in the stream's log is encoded as what lies there.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(base64, name)

    @staticmethod
    def b64decode(data: Any, *arguments: Any, **options: Any) -> bytes:
        """As `base64.b64decode`, its errors and its leniency included."""
        if type(data) is Decoded:
            return data
        if type(data) is str and len(data) >= LARGE_TEXT and not arguments:
            try:
                return msgspec.convert(data, bytes)
            except msgspec.ValidationError:
                pass
        return base64.b64decode(data, *arguments, **options)

    @staticmethod
    def b64encode(data: Any, *arguments: Any) -> bytes:
        """As `base64.b64encode`."""
        return data.base64() if type(data) is Stored else base64.b64encode(data, *arguments)


Handler = Callable[[str, str, Mapping[str, str], Any, Mapping[str, Any]], Coroutine[Any, Any, Any]]


def unopened(handle: Handler) -> Handler:
    """MiniStack's handler of Lambda's API, given the bodies of large synchronous invocations as parcels."""

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]
    ) -> Any:
        is_invocation = method == "POST" and len(body) >= LARGE and path.endswith("/invocations")
        kinds = {value for name, value in headers.items() if name.lower() == "x-amz-invocation-type"}
        if is_invocation and kinds <= {"RequestResponse"} and _fits_a_line(body):
            return await handle(method, path, headers, Parcel(body), query_params)
        return await handle(method, path, headers, body, query_params)

    return handle_request


def _fits_a_line(body: bytes) -> bool:
    """Whether it is JSON without a line break, which would end the worker's message."""
    if b"\n" in body or b"\r" in body:
        return False
    try:
        _ANY.decode(body)
        body.decode()
    except (msgspec.DecodeError, UnicodeError):
        return False
    return True


def install() -> None:
    """Make MiniStack use them where it pays. The caller has checked the version."""
    from ministack.core import lambda_runtime, responses
    from ministack.services import kinesis, lambda_svc

    fast = FastJson()
    for module in (lambda_runtime, responses, kinesis, lambda_svc):
        module.json = fast
    kinesis.base64 = lambda_svc.base64 = FastBase64()
    lambda_svc.handle_request = unopened(lambda_svc.handle_request)


def _closed(value: Any) -> Any:
    if isinstance(value, Parcel):
        return msgspec.Raw(value.body) if isinstance(value.body, bytes) else value.body
    return _refuse(value)


_refuse: Callable[[Any], Any] = json.JSONEncoder().default
