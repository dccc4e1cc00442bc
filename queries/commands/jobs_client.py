"""The jobs API as the command asks it: signed with the credentials of the environment."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SERVICE = "execute-api"
_SECONDS = 30


class JobsApiError(RuntimeError):
    """The API refused; the text is its own."""


class NoJobsError(RuntimeError):
    """The deployment has no jobs API."""

    def __init__(self) -> None:
        super().__init__("No jobs API is deployed. Set `jobs = true` for the deployment in penstock.toml.")


class JobsClient:
    """Asks the API at `url`, below its routes for IAM."""

    def __init__(self, url: str, credentials: "Credentials", region: str) -> None:
        """Raises NoJobsError where the deployment has no such API."""
        if not url:
            raise NoJobsError
        self._url, self._credentials, self._region = f"{url.rstrip('/')}/iam/v1/jobs", credentials, region

    def start(self, request: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Have it done; `key` makes the same request the same job. Raises JobsApiError."""
        return self._ask("POST", "", request, {"Idempotency-Key": key})

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest jobs. Raises JobsApiError."""
        found: list[dict[str, Any]] = self._ask("GET", f"?limit={limit}")["jobs"]
        return found

    def show(self, job_id: str) -> dict[str, Any]:
        """One job. Raises JobsApiError."""
        return self._ask("GET", f"/{quote(job_id, safe='')}")

    def steps(self, job_id: str) -> dict[str, Any]:
        """What the steps of its last execution did. Raises JobsApiError."""
        return self._ask("GET", f"/{quote(job_id, safe='')}/steps")

    def change(self, job_id: str, verb: str) -> dict[str, Any]:
        """`cancel` or `retry` it. Raises JobsApiError."""
        return self._ask("POST", f"/{quote(job_id, safe='')}/{verb}")

    def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.httpsession import URLLib3Session

        request = AWSRequest(
            method,
            f"{self._url}{path}",
            headers={"Content-Type": "application/json", **(headers or {})},
            data=b"" if body is None else json.dumps(body).encode(),
        )
        SigV4Auth(self._credentials, SERVICE, self._region).add_auth(request)
        answer = URLLib3Session(timeout=_SECONDS).send(request.prepare())
        try:
            told: dict[str, Any] = json.loads(answer.content or b"{}")
        except ValueError:
            told = {}
        if answer.status_code >= 400:
            detail = told.get("detail") or told.get("message") or "no reason was given"
            raise JobsApiError(f"The jobs API answered {answer.status_code}: {detail}")
        return told
