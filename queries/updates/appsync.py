"""AppSync as who publishes updates: a mutation each, signed as the function's role."""

from collections.abc import Mapping
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import TYPE_CHECKING, Any

import msgspec

from queries.updates.messages import Update, mutation
from queries.updates.port import NotPublishedError

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SERVICE = "appsync"
JSON = {"Content-Type": "application/json"}
_SECONDS = 5
_SEND_AT_ONCE = [(IPPROTO_TCP, TCP_NODELAY, 1)]
"""As botocore's clients have it. Without it the body waits until the other side has acknowledged the headers,
which it puts off for 40 ms."""


class AppSyncPublisher:
    """`Publisher`."""

    def __init__(self, url: str, credentials: "Credentials", region: str) -> None:
        self._asking = AppSync(url, credentials, region)

    def publish(self, update: Update) -> None:
        """Hand one on. Raises NotPublishedError."""
        try:
            self._asking.ask(*mutation(update))
        except AppSyncError as error:
            raise NotPublishedError(str(error)) from error


class AppSyncError(RuntimeError):
    """AppSync did not answer, or answered with an error; the text says which."""


class AppSync:
    """Asks the API at `url` by signed requests, over one connection that it keeps."""

    def __init__(self, url: str, credentials: "Credentials", region: str) -> None:
        from botocore.httpsession import URLLib3Session

        self._url, self._credentials, self._region = url, credentials, region
        self._session = URLLib3Session(timeout=_SECONDS, socket_options=_SEND_AT_ONCE)  # type: ignore[arg-type]

    def signed(self, url: str, body: bytes, headers: Mapping[str, str] = JSON) -> dict[str, str]:
        """These headers of a request with this body, and those of its signature."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("POST", url, headers=dict(headers), data=body)
        SigV4Auth(self._credentials, SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())

    def ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The members of the answer's `data`. Raises AppSyncError."""
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import ConnectionError as NotConnectedError
        from botocore.exceptions import HTTPClientError

        body = msgspec.json.encode({"query": document, "variables": variables})
        request = AWSRequest("POST", self._url, headers=self.signed(self._url, body), data=body)
        try:
            answer = self._session.send(request.prepare())
        except (HTTPClientError, NotConnectedError) as error:
            raise AppSyncError(f"AppSync does not answer: {type(error).__name__}.") from error
        return _data(answer.status_code, answer.content or b"")


def _data(status: int, content: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        told = {}
    if errors := told.get("errors"):
        words = "; ".join(f"{each.get('errorType') or 'error'}: {each.get('message')}" for each in errors)
        raise AppSyncError(f"AppSync answered {status}: {words}")
    if status >= 400 or "data" not in told:
        raise AppSyncError(f"AppSync answered {status}, and not with data.")
    data: dict[str, Any] = told["data"]
    return data
