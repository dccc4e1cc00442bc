"""`/_cfn`: CloudFormation asks here, as it asks custom resources, for what the local server serves itself.

What was created is kept in sqlite, because MiniStack does not ask again after a restart.
"""

import json
import logging
import sqlite3
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local.parts.service import ResourceHandler

TYPE_PROPERTY = "__Type"
"""Property in which the deployer keeps the type that the template named."""
ADDRESS_PROPERTY = "__Address"
"""Property in which it keeps where the local server answers, of resources with attributes that name that."""

_ADDED = frozenset({"ServiceToken", "ServiceTimeout", TYPE_PROPERTY, ADDRESS_PROPERTY})
_NEEDED = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResourceProperties", "ResponseURL")
Reply = Callable[[str, dict[str, Any]], None]

logger = logging.getLogger(__name__)


class ResourceStore:
    """The resources that exist: type, physical id, properties, time of creation; in sqlite. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute(
            "create table if not exists resources"
            " (type text, id text, properties text, created real, primary key (type, id))"
        )
        columns = {row[1] for row in self._database.execute("pragma table_info(resources)")}
        if "created" not in columns:  # a file that was made before it was kept
            self._database.execute("alter table resources add column created real")

    def keep(
        self, kind: str, physical_id: str, properties: Mapping[str, Any], created: float | None = None
    ) -> None:
        """Remember a resource as it now is; `created` (epoch seconds) when it is new."""
        with self._lock:
            self._database.execute(
                "insert into resources (type, id, properties, created) values (?, ?, ?, ?)"
                " on conflict (type, id) do update set properties = excluded.properties",
                (kind, physical_id, json.dumps(properties), created),
            )

    def created_at(self, kind: str, physical_id: str) -> float | None:
        """When the resource was created (epoch seconds), if that is known."""
        with self._lock:
            row = self._database.execute(
                "select created from resources where type = ? and id = ?", (kind, physical_id)
            ).fetchone()
        return float(row[0]) if row and row[0] is not None else None

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
        self,
        handlers: Mapping[str, ResourceHandler],
        store: ResourceStore,
        reply: Reply | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._handlers = handlers
        self._clock = clock
        self._store = store
        self._reply = reply or put_json

    async def respond(self, request: Request) -> Response:
        """One request of CloudFormation. Any exception becomes FAILED with its text."""
        try:
            message = json.loads(await request.body())
            missing = [name for name in _NEEDED if name not in message]
            if missing or not isinstance(message["ResourceProperties"], dict):
                raise ValueError(f"The request lacks {', '.join(missing) or 'ResourceProperties'}.")
        except (ValueError, TypeError) as error:
            return JSONResponse({"message": str(error)}, status_code=400)
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
        created = None
        if message["RequestType"] == "Create":
            created = self._clock()
            physical_id, attributes = handler.create(message["LogicalResourceId"], properties)
        else:
            attributes = handler.update(physical_id, properties)
        try:
            self._store.keep(kind, physical_id, properties, created)
        except sqlite3.OperationalError:  # a full disk
            if created is not None:
                # CloudFormation is told no id to delete by.
                handler.delete(physical_id)
            raise
        return physical_id, attributes


def put_json(url: str, body: dict[str, Any]) -> None:
    """PUT to CloudFormation's ResponseURL, which is MiniStack on loopback."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method="PUT")  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass
