"""What must survive a restart: workgroups, named queries, prepared statements, executions. One sqlite file."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (kind, owner, name));
CREATE INDEX IF NOT EXISTS document_order ON document (kind, owner, position);
"""


class NotKeptError(Exception):
    """The file did not take a change: nothing of it is kept."""


class Store:
    """JSON documents by kind, owner (a workgroup) and name, in order of creation. Thread-safe.

    What changes something raises NotKeptError when the disk has no room for it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.Lock()

    def put(self, kind: str, owner: str, name: str, body: dict[str, Any]) -> None:
        """Create the document or change it in its place."""
        self._change(
            "INSERT INTO document VALUES (?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM document)) "
            "ON CONFLICT (kind, owner, name) DO UPDATE SET body = excluded.body",
            (kind, owner, name, json.dumps(body)),
        )

    def get(self, kind: str, owner: str, name: str) -> dict[str, Any] | None:
        """The document, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE kind = ? AND owner = ? AND name = ?", (kind, owner, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """The document of this name, whoever owns it."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def delete(self, kind: str, owner: str, name: str) -> bool:
        """Whether there was one."""
        statement = "DELETE FROM document WHERE kind = ? AND owner = ? AND name = ?"
        return self._change(statement, (kind, owner, name)) > 0

    def _change(self, statement: str, values: tuple[str | int, ...]) -> int:
        with self._lock:
            try:
                return self._connection.execute(statement, values).rowcount
            except sqlite3.OperationalError as error:
                raise NotKeptError(f"The disk of the local cloud is full or broken: {error}.") from error

    def trim(self, kind: str, most: int) -> None:
        """Delete the oldest documents of a kind beyond so many."""
        self._change(
            "DELETE FROM document WHERE kind = ? AND position <= (SELECT position FROM document "
            "WHERE kind = ? ORDER BY position DESC LIMIT 1 OFFSET ?)",
            (kind, kind, most),
        )

    def page(
        self, kind: str, owner: str | None, *, before: int | None, limit: int, newest_first: bool = True
    ) -> list[tuple[int, dict[str, Any]]]:
        """Up to `limit` documents with their positions, behind position `before` in the chosen order."""
        order, sign = ("DESC", "<") if newest_first else ("ASC", ">")
        conditions, values = ["kind = ?"], [kind]
        if owner is not None:
            conditions.append("owner = ?")
            values.append(owner)
        parameters: list[Any] = [*values]
        if before is not None:
            conditions.append(f"position {sign} ?")
            parameters.append(before)
        with self._lock:
            rows = self._connection.execute(
                f"SELECT position, body FROM document WHERE {' AND '.join(conditions)} "
                f"ORDER BY position {order} LIMIT ?",
                (*parameters, limit),
            ).fetchall()
        return [(position, json.loads(body)) for position, body in rows]

    def all(self, kind: str, owner: str | None = None) -> Iterator[dict[str, Any]]:
        """Every document, oldest first."""
        for _, body in self.page(kind, owner, before=None, limit=-1, newest_first=False):
            yield body

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
