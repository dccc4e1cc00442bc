"""Athena's CloudFormation resources. Scalars arrive as texts, as CloudFormation hands them to custom resources."""

from typing import Any

from infra.local.athena.api_catalog import NAMED, PREPARED, SavedQueryApi
from infra.local.athena.errors import ApiError
from infra.local.athena.store import Store
from infra.local.athena.work_groups import PRIMARY, WorkGroups

Attributes = dict[str, str]
Created = tuple[str, Attributes]


def _boolean(value: Any) -> bool:
    return str(value).lower() == "true"


class WorkGroupResource:
    """AWS::Athena::WorkGroup: its id is its name."""

    def __init__(self, groups: WorkGroups, clock: Any) -> None:
        self._groups, self._clock = groups, clock

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:
        """Create the workgroup."""
        name = properties.get("Name") or logical_id
        self._groups.replace(name, _configuration(properties), properties.get("Description", ""))
        return name, self._attributes()

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Set its configuration."""
        self._groups.replace(physical_id, _configuration(properties), properties.get("Description", ""))
        return self._attributes()

    def delete(self, physical_id: str) -> None:
        """Delete it."""
        if physical_id != PRIMARY:
            self._groups.delete(physical_id)

    def _attributes(self) -> Attributes:
        return {
            "CreationTime": str(int(self._clock())),
            "WorkGroupConfiguration.EngineVersion.EffectiveEngineVersion": "Athena engine version 3",
        }


def _configuration(properties: dict[str, Any]) -> dict[str, Any]:
    given = dict(properties.get("WorkGroupConfiguration") or {})
    for name in ("EnforceWorkGroupConfiguration", "PublishCloudWatchMetricsEnabled", "RequesterPaysEnabled"):
        if name in given:
            given[name] = _boolean(given[name])
    if "BytesScannedCutoffPerQuery" in given:
        given["BytesScannedCutoffPerQuery"] = int(given["BytesScannedCutoffPerQuery"])
    return given


class NamedQueryResource:
    """AWS::Athena::NamedQuery: its id is the named query's."""

    def __init__(self, store: Store, saved: SavedQueryApi) -> None:
        self._store, self._saved = store, saved

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:
        """Create the named query."""
        name = properties.get("Name") or logical_id
        identifier = self._saved.create_named({**properties, "Name": name})["NamedQueryId"]
        return identifier, {"NamedQueryId": identifier}

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Change it in its place."""
        self._saved.put_named(physical_id, properties)
        return {"NamedQueryId": physical_id}

    def delete(self, physical_id: str) -> None:
        """Delete it."""
        found = self._store.find(NAMED, physical_id)
        if found is not None:
            self._store.delete(NAMED, found.get("WorkGroup", PRIMARY), physical_id)


class PreparedStatementResource:
    """AWS::Athena::PreparedStatement: its id is the statement's name."""

    def __init__(self, store: Store, saved: SavedQueryApi) -> None:
        self._store, self._saved = store, saved

    def create(self, logical_id: str, properties: dict[str, Any]) -> Created:
        """Create the statement."""
        self._saved.put_prepared(
            {**properties, "StatementName": properties.get("StatementName") or logical_id}
        )
        return properties.get("StatementName") or logical_id, {}

    def update(self, physical_id: str, properties: dict[str, Any]) -> Attributes:
        """Change it in its place."""
        self._saved.put_prepared({**properties, "StatementName": physical_id})
        return {}

    def delete(self, physical_id: str) -> None:
        """Delete it."""
        found = self._store.find(PREPARED, physical_id)
        if found is None:
            return
        try:
            self._saved.delete_prepared({"WorkGroup": found["WorkGroupName"], "StatementName": physical_id})
        except ApiError:
            return
