"""Write keys as a resource over HTTP: `/v1/keys`.

The gateway lets nobody in whose signature or policy is not right, so nothing here asks who calls.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from botocore.exceptions import BotoCoreError, ClientError

from producers.collector.problems import MEDIA_TYPE, ProblemError
from producers.keys.administration import Administration, KeysError, Limits, NewKey, NoSuchKeyError
from producers.keys.settings import PATH

_LIMITS = msgspec.json.Decoder(Limits)


def api(keys: Callable[[], Administration]) -> APIGatewayHttpResolver:
    """The routes; `keys` gives the keys of the deployment."""
    app = APIGatewayHttpResolver()

    @app.get(PATH)
    def listed() -> Response[str]:
        return _answer(HTTPStatus.OK, {"keys": keys().listed()})

    @app.post(PATH)
    def create() -> Response[str]:
        return _made(keys().create(_limits(app.current_event.decoded_body)))

    @app.post(f"{PATH}/<key_id>/disable")
    def disable(key_id: str) -> Response[str]:
        return _answer(HTTPStatus.OK, {"key_id": keys().disable(key_id), "disabled": True})

    @app.post(f"{PATH}/<key_id>/rotate")
    def rotate(key_id: str) -> Response[str]:
        return _made(keys().rotate(key_id))

    def refuse(problem: ProblemError) -> Response[str]:
        request = app.current_event.request_context.request_id
        return Response(
            problem.status, MEDIA_TYPE, problem.body(request).decode(), {"cache-control": "no-store"}
        )

    @app.exception_handler([KeysError, ProblemError])  # type: ignore[untyped-decorator]
    def refused(error: KeysError | ProblemError) -> Response[str]:
        if isinstance(error, ProblemError):
            return refuse(error)
        return refuse(
            ProblemError("no_such_key" if isinstance(error, NoSuchKeyError) else "invalid_key", str(error))
        )

    @app.exception_handler([ClientError, BotoCoreError])  # type: ignore[untyped-decorator]
    def unavailable(error: Exception) -> Response[str]:
        return refuse(
            ProblemError("keys_unavailable", f"{type(error).__name__}. Send it again later.", retry_after=2)
        )

    return app


def _limits(body: str | None) -> Limits:
    if not body:
        raise ProblemError("empty_body", 'Send what the key is to allow, as {"source": "shop-pages"}.')
    try:
        return _LIMITS.decode(body)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProblemError(
            "unreadable_body", f"The body does not say what a key may allow: {error}"
        ) from error


def _made(made: NewKey) -> Response[str]:
    return _answer(HTTPStatus.CREATED, made._asdict(), {"location": f"{PATH}/{made.key_id}"})


def _answer(
    status: HTTPStatus, document: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response[str]:
    body = msgspec.json.encode(document).decode()
    return Response(status.value, "application/json", body, {"cache-control": "no-store", **(headers or {})})
