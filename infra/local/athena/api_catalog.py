"""API operations about workgroups, named queries, prepared statements and the data catalog."""

import uuid
from collections.abc import Callable
from typing import Any

from infra.local.athena.errors import ApiError, MetadataNotFound, ResourceNotFound
from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.store import Store
from infra.local.athena.work_groups import KIND, PRIMARY, WorkGroups

NAMED = "named"
PREPARED = "prepared"
CATALOG_NAME = "AwsDataCatalog"
Body = dict[str, Any]


def paged(items: list[Any], body: Body, default: int) -> tuple[list[Any], Body]:
    """One page of a list, and the token for the next."""
    start, limit = int(body.get("NextToken") or 0), int(body.get("MaxResults") or default)
    rest: Body = {"NextToken": str(start + limit)} if start + limit < len(items) else {}
    return items[start : start + limit], rest


class WorkGroupApi:
    """Workgroups."""

    def __init__(self, store: Store, groups: WorkGroups) -> None:
        self._store, self._groups = store, groups

    def get(self, body: Body) -> Body:
        """GetWorkGroup."""
        return {"WorkGroup": self._groups.get(body["WorkGroup"])}

    def list(self, body: Body) -> Body:
        """ListWorkGroups."""
        names = ("Name", "State", "Description", "CreationTime")
        found = [
            {n: group[n] for n in names} | {"EngineVersion": group["Configuration"]["EngineVersion"]}
            for group in self._store.all(KIND)
        ]
        page, rest = paged(found, body, 50)
        return {"WorkGroups": page, **rest}

    def create(self, body: Body) -> Body:
        """CreateWorkGroup."""
        self._groups.create(body["Name"], body.get("Configuration") or {}, body.get("Description", ""))
        return {}

    def update(self, body: Body) -> Body:
        """UpdateWorkGroup."""
        changes = body.get("ConfigurationUpdates") or {}
        self._groups.update(
            body["WorkGroup"], changes, description=body.get("Description"), state=body.get("State")
        )
        return {}

    def delete(self, body: Body) -> Body:
        """DeleteWorkGroup: with RecursiveDeleteOption also what it owns."""
        name = body["WorkGroup"]
        self._groups.get(name)
        owned = [(k, item) for k in (NAMED, PREPARED) for item in self._store.all(k, name)]
        if owned and not body.get("RecursiveDeleteOption"):
            raise ApiError(
                f"WorkGroup {name} is not empty. Set RecursiveDeleteOption.",
                athena_error_code="WORKGROUP_NOT_EMPTY",
            )
        for kind, item in owned:
            self._store.delete(kind, name, item.get("NamedQueryId") or item["StatementName"])
        self._groups.delete(name)
        return {}


class SavedQueryApi:
    """Named queries and prepared statements."""

    def __init__(self, store: Store, groups: WorkGroups, clock: Callable[[], float]) -> None:
        self._store, self._groups, self._clock = store, groups, clock

    def create_named(self, body: Body) -> Body:
        """CreateNamedQuery."""
        group = body.get("WorkGroup") or PRIMARY
        self._groups.get(group)
        token = body.get("ClientRequestToken")
        for known in self._store.all(NAMED, group):
            if token and known.get("Token") == token:
                return {"NamedQueryId": known["NamedQueryId"]}
        identifier = str(uuid.uuid4())
        self.put_named(identifier, {**body, "WorkGroup": group, "Token": token})
        return {"NamedQueryId": identifier}

    def put_named(self, identifier: str, body: Body) -> None:
        """Keep a named query under an id of the caller's."""
        names = ("Name", "Description", "Database", "QueryString", "WorkGroup", "Token")
        kept = {name: body[name] for name in names if body.get(name) is not None}
        self._store.put(
            NAMED, body.get("WorkGroup") or PRIMARY, identifier, {**kept, "NamedQueryId": identifier}
        )

    def named(self, identifier: str) -> Body | None:
        """A named query by id."""
        found = self._store.find(NAMED, identifier)
        return None if found is None else {k: v for k, v in found.items() if k != "Token"}

    def get_named(self, body: Body) -> Body:
        """GetNamedQuery."""
        found = self.named(body["NamedQueryId"])
        if found is None:
            raise ApiError(f"NamedQuery {body['NamedQueryId']} was not found")
        return {"NamedQuery": found}

    def batch_named(self, body: Body) -> Body:
        """BatchGetNamedQuery."""
        found = {identifier: self.named(identifier) for identifier in body["NamedQueryIds"]}
        missing = [
            {"NamedQueryId": i, "ErrorCode": "INVALID_INPUT", "ErrorMessage": "not found"}
            for i, q in found.items()
            if q is None
        ]
        return {
            "NamedQueries": [q for q in found.values() if q is not None],
            "UnprocessedNamedQueryIds": missing,
        }

    def list_named(self, body: Body) -> Body:
        """ListNamedQueries."""
        ids = [item["NamedQueryId"] for item in self._store.all(NAMED, body.get("WorkGroup") or PRIMARY)]
        page, rest = paged(ids, body, 50)
        return {"NamedQueryIds": page, **rest}

    def update_named(self, body: Body) -> Body:
        """UpdateNamedQuery."""
        found = self._store.find(NAMED, body["NamedQueryId"])
        if found is None:
            raise ApiError(f"NamedQuery {body['NamedQueryId']} was not found")
        self.put_named(body["NamedQueryId"], {**found, **body})
        return {}

    def delete_named(self, body: Body) -> Body:
        """DeleteNamedQuery."""
        found = self._store.find(NAMED, body["NamedQueryId"])
        if found is None:
            raise ApiError(f"NamedQuery {body['NamedQueryId']} was not found")
        self._store.delete(NAMED, found["WorkGroup"], body["NamedQueryId"])
        return {}

    def create_prepared(self, body: Body) -> Body:
        """CreatePreparedStatement."""
        if self._store.get(PREPARED, body["WorkGroup"], body["StatementName"]) is not None:
            raise ApiError(
                f"Prepared Statement {body['StatementName']} already exists in WorkGroup {body['WorkGroup']}."
            )
        return self.put_prepared(body)

    def put_prepared(self, body: Body) -> Body:
        """UpdatePreparedStatement, and the creation behind the check."""
        self._groups.get(body["WorkGroup"])
        kept = {
            "StatementName": body["StatementName"],
            "QueryStatement": body["QueryStatement"],
            "WorkGroupName": body["WorkGroup"],
            "LastModifiedTime": self._clock(),
        } | ({"Description": body["Description"]} if body.get("Description") else {})
        self._store.put(PREPARED, body["WorkGroup"], body["StatementName"], kept)
        return {}

    def update_prepared(self, body: Body) -> Body:
        """UpdatePreparedStatement."""
        self._prepared(body)
        return self.put_prepared(body)

    def _prepared(self, body: Body) -> Body:
        found = self._store.get(PREPARED, body["WorkGroup"], body["StatementName"])
        if found is None:
            raise ResourceNotFound(
                f"Prepared Statement {body['StatementName']} does not exist in WorkGroup {body['WorkGroup']}."
            )
        return found

    def get_prepared(self, body: Body) -> Body:
        """GetPreparedStatement."""
        return {"PreparedStatement": self._prepared(body)}

    def batch_prepared(self, body: Body) -> Body:
        """BatchGetPreparedStatement."""
        found = {n: self._store.get(PREPARED, body["WorkGroup"], n) for n in body["PreparedStatementNames"]}
        missing = [
            {"StatementName": n, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": "not found"}
            for n, s in found.items()
            if s is None
        ]
        return {
            "PreparedStatements": [s for s in found.values() if s is not None],
            "UnprocessedPreparedStatementNames": missing,
        }

    def list_prepared(self, body: Body) -> Body:
        """ListPreparedStatements."""
        found = [
            {"StatementName": item["StatementName"], "LastModifiedTime": item["LastModifiedTime"]}
            for item in self._store.all(PREPARED, body["WorkGroup"])
        ]
        page, rest = paged(found, body, 50)
        return {"PreparedStatements": page, **rest}

    def delete_prepared(self, body: Body) -> Body:
        """DeletePreparedStatement."""
        self._prepared(body)
        self._store.delete(PREPARED, body["WorkGroup"], body["StatementName"])
        return {}


class MetadataApi:
    """The data catalog as Athena's API shows it."""

    def __init__(self, glue: Callable[[], Any]) -> None:
        self._glue = glue

    def _catalog(self, body: Body) -> GlueCatalog:
        if str(body.get("CatalogName", CATALOG_NAME)).lower() != CATALOG_NAME.lower():
            raise MetadataNotFound(f"Catalog {body.get('CatalogName')} was not found. Use {CATALOG_NAME}.")
        return GlueCatalog(self._glue())

    def data_catalogs(self, _: Body) -> Body:
        """ListDataCatalogs."""
        return {
            "DataCatalogsSummary": [
                {"CatalogName": CATALOG_NAME, "Type": "GLUE", "Status": "CREATE_COMPLETE"}
            ]
        }

    def data_catalog(self, body: Body) -> Body:
        """GetDataCatalog."""
        self._catalog({"CatalogName": body["Name"]})
        return {"DataCatalog": {"Name": CATALOG_NAME, "Type": "GLUE", "Parameters": {}}}

    def databases(self, body: Body) -> Body:
        """ListDatabases."""
        page, rest = paged([{"Name": n} for n in self._catalog(body).databases()], body, 50)
        return {"DatabaseList": page, **rest}

    def database(self, body: Body) -> Body:
        """GetDatabase."""
        if not self._catalog(body).has_database(body["DatabaseName"]):
            raise MetadataNotFound(f"Database {body['DatabaseName']} not found.")
        return {"Database": {"Name": body["DatabaseName"]}}

    def table(self, body: Body) -> Body:
        """GetTableMetadata."""
        found = self._catalog(body).table(body["DatabaseName"].lower(), body["TableName"].lower())
        if found is None:
            raise MetadataNotFound(f"EntityNotFoundException: Table {body['TableName']} not found.")
        return {"TableMetadata": _metadata(found)}

    def tables(self, body: Body) -> Body:
        """ListTableMetadata, with a regular expression on names."""
        import re

        catalog = self._catalog(body)
        if not catalog.has_database(body["DatabaseName"]):
            raise MetadataNotFound(f"Database {body['DatabaseName']} not found.")
        pattern = re.compile(
            str(body.get("Expression") or ".*").replace("*", ".*").replace("..*", ".*"), re.IGNORECASE
        )
        found = [_metadata(t) for t in catalog.tables(body["DatabaseName"]) if pattern.fullmatch(t["Name"])]
        page, rest = paged(found, body, 50)
        return {"TableMetadataList": page, **rest}


def _metadata(table: Body) -> Body:
    descriptor = table.get("StorageDescriptor") or {}
    serde = descriptor.get("SerdeInfo") or {}
    parameters = {
        **(table.get("Parameters") or {}),
        "inputformat": descriptor.get("InputFormat", ""),
        "outputformat": descriptor.get("OutputFormat", ""),
        "serde.serialization.lib": serde.get("SerializationLibrary", ""),
        "location": descriptor.get("Location", ""),
        **{f"serde.param.{k}": v for k, v in (serde.get("Parameters") or {}).items()},
    }
    answer = {
        "Name": table["Name"],
        "TableType": table.get("TableType") or "EXTERNAL_TABLE",
        "Columns": _columns(descriptor.get("Columns")),
        "PartitionKeys": _columns(table.get("PartitionKeys")),
        "Parameters": parameters,
    }
    for name, key in (("CreateTime", "CreateTime"), ("LastAccessTime", "LastAccessTime")):
        if table.get(key) is not None:
            answer[name] = table[key].timestamp()
    return answer


def _columns(given: Any) -> list[Body]:
    return [
        {"Name": c["Name"], "Type": c.get("Type", "string")}
        | ({"Comment": c["Comment"]} if c.get("Comment") else {})
        for c in given or ()
    ]
