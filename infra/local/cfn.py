"""`/_cfn`: CloudFormation asks here, as it asks custom resources, for what the local server serves itself.

What was created is kept in sqlite, because MiniStack does not ask again after a restart.
"""

import json
import logging
import sqlite3
import threading
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local.service import ResourceHandler

TYPE_PROPERTY = "__Type"
"""Property in which the deployer keeps the type that the template named."""

_ADDED = frozenset({"ServiceToken", "ServiceTimeout", TYPE_PROPERTY})
Reply = Callable[[str, dict[str, Any]], None]

logger = logging.getLogger(__name__)


class ResourceStore:
    """The resources that exist: physical id, type and properties, in sqlite. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute(
            "create table if not exists resources"
            " (type text, id text, properties text, primary key (type, id))"
        )

    def keep(self, kind: str, physical_id: str, properties: Mapping[str, Any]) -> None:
        """Remember a resource as it now is."""
        with self._lock:
            self._database.execute(
                "insert or replace into resources values (?, ?, ?)",
                (kind, physical_id, json.dumps(properties)),
            )

    def forget(self, kind: str, physical_id: str) -> None:
        """The resource is gone."""
        with self._lock:
            self._database.execute("delete from resources where type = ? and id = ?", (kind, physical_id))

    def all(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every resource: (type, physical id, properties), oldest first."""
        with self._lock:
            rows = self._database.execute(
                "select type, id, properties from resources order by rowid"
            ).fetchall()
        return [(kind, physical_id, json.loads(properties)) for kind, physical_id, properties in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


class ResourceEndpoint:
    """Answers CloudFormation's custom resource requests with the handlers of all services."""

    def __init__(
        self, handlers: Mapping[str, ResourceHandler], store: ResourceStore, reply: Reply | None = None
    ) -> None:
        self._handlers = handlers
        self._store = store
        self._reply = reply or put_json

    async def respond(self, request: Request) -> Response:
        """One request of CloudFormation. Any exception becomes FAILED with its text."""
        message = json.loads(await request.body())
        answer = await run_in_threadpool(self.answer, message)
        await run_in_threadpool(self._reply, message["ResponseURL"], answer)
        return JSONResponse({})

    async def types(self, request: Request) -> Response:  # noqa: ARG002 - starlette passes it
        """The resource types that this server serves."""
        return JSONResponse(sorted(self._handlers))

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """What is to be put to the message's ResponseURL."""
        same = {name: message[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        physical_id = str(message.get("PhysicalResourceId", ""))
        try:
            physical_id, attributes = self._do(message, physical_id)
        except Exception as error:
            logger.exception("resource %s failed", message["LogicalResourceId"])
            reason = f"{type(error).__name__}: {error}"
            failed_id = physical_id or f"failed-{message['RequestId']}"
            return {**same, "Status": "FAILED", "Reason": reason, "PhysicalResourceId": failed_id}
        return {**same, "Status": "SUCCESS", "PhysicalResourceId": physical_id, "Data": attributes}

    def restore(self) -> None:
        """Hand every resource that exists to its handler; called once at start, when MiniStack answers."""
        for kind, physical_id, properties in self._store.all():
            if kind in self._handlers:
                self._handlers[kind].update(physical_id, properties)

    def _do(self, message: dict[str, Any], physical_id: str) -> tuple[str, dict[str, str]]:
        given = message["ResourceProperties"]
        kind = given.get(TYPE_PROPERTY, "")
        properties = {name: value for name, value in given.items() if name not in _ADDED}
        if kind not in self._handlers:
            raise LookupError(
                f"The local server has no handler for {kind!r}. It has: {sorted(self._handlers)}"
            )
        handler = self._handlers[kind]
        if message["RequestType"] == "Delete":
            handler.delete(physical_id)
            self._store.forget(kind, physical_id)
            return physical_id, {}
        if message["RequestType"] == "Create":
            physical_id, attributes = handler.create(message["LogicalResourceId"], properties)
        else:
            attributes = handler.update(physical_id, properties)
        self._store.keep(kind, physical_id, properties)
        return physical_id, attributes


def put_json(url: str, body: dict[str, Any]) -> None:
    """PUT to CloudFormation's ResponseURL, which is MiniStack on loopback."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method="PUT")  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass
