"""Workgroups: settings that may override what a client asks for."""

from collections.abc import Callable
from typing import Any

from infra.local.athena.errors import ApiError
from infra.local.athena.store import Store

KIND = "work_group"
PRIMARY = "primary"
LEAST_CUTOFF = 10_000_000
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


class WorkGroups:
    """Keeps workgroups; `primary` is always there."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        if store.get(KIND, "", PRIMARY) is None:
            self.create(PRIMARY, {"EnforceWorkGroupConfiguration": False}, "")

    def get(self, name: str) -> dict[str, Any]:
        """`WorkGroup` as the API gives it. Raises ApiError."""
        found = self._store.get(KIND, "", name)
        if found is None:
            raise ApiError(f"WorkGroup {name} is not found.", athena_error_code="WORKGROUP_NOT_FOUND")
        return found

    def create(self, name: str, configuration: dict[str, Any], description: str) -> None:
        """Make one. Raises ApiError when there is one of this name."""
        if self._store.get(KIND, "", name) is not None:
            raise ApiError(
                f"WorkGroup {name} is already created", athena_error_code="WORKGROUP_ALREADY_EXISTS"
            )
        body = {
            "Name": name,
            "State": "ENABLED",
            "Description": description,
            "CreationTime": self._clock(),
            "Configuration": _complete(configuration),
        }
        self._store.put(KIND, "", name, body)

    def update(
        self, name: str, changes: dict[str, Any], *, description: str | None = None, state: str | None = None
    ) -> None:
        """Change settings as `ConfigurationUpdates` says. Raises ApiError."""
        body = self.get(name)
        configuration = body["Configuration"]
        result = dict(configuration.get("ResultConfiguration") or {})
        updates = dict(changes)
        for key, value in (updates.pop("ResultConfigurationUpdates", None) or {}).items():
            if key.startswith("Remove"):
                if value:
                    result.pop(key.removeprefix("Remove"), None)
            else:
                result[key] = value
        if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
            configuration.pop("BytesScannedCutoffPerQuery", None)
        body["Configuration"] = _complete({**configuration, **updates, "ResultConfiguration": result})
        if description is not None:
            body["Description"] = description
        if state is not None:
            body["State"] = state
        self._store.put(KIND, "", name, body)

    def replace(self, name: str, configuration: dict[str, Any], description: str) -> None:
        """Create it, or set exactly this configuration."""
        body = self._store.get(KIND, "", name)
        if body is None:
            self.create(name, configuration, description)
            return
        self._store.put(
            KIND, "", name, {**body, "Configuration": _complete(configuration), "Description": description}
        )

    def delete(self, name: str) -> None:
        """Delete it. Raises ApiError for `primary`."""
        if name == PRIMARY:
            raise ApiError("Workgroup primary can not be deleted")
        self._store.delete(KIND, "", name)

    def settle(self, name: str, asked: str | None) -> tuple[str, int | None]:
        """Where results go (a prefix with a slash) and the byte cut-off, by the workgroup's rules. Raises ApiError."""
        group = self.get(name)
        if group["State"] != "ENABLED":
            raise ApiError(
                f"WorkGroup {name} is disabled. Enable it with UpdateWorkGroup.",
                athena_error_code="WORKGROUP_DISABLED",
            )
        configuration = group["Configuration"]
        own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        location = (own or asked) if configuration["EnforceWorkGroupConfiguration"] else (asked or own)
        if not location:
            raise ApiError(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        if not location.startswith("s3://"):
            raise ApiError(f"outputLocation is not a valid S3 path: {location}")
        return location.rstrip("/") + "/", configuration.get("BytesScannedCutoffPerQuery")


def _complete(configuration: dict[str, Any]) -> dict[str, Any]:
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and int(cutoff) < LEAST_CUTOFF:
        raise ApiError(f"BytesScannedCutoffPerQuery must be at least {LEAST_CUTOFF}, and is {cutoff}.")
    made = {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "RequesterPaysEnabled": False,
        "ResultConfiguration": {},
        **configuration,
        "EngineVersion": {**_ENGINE, **(configuration.get("EngineVersion") or {})},
    }
    made["EngineVersion"]["EffectiveEngineVersion"] = _ENGINE["EffectiveEngineVersion"]
    return made
