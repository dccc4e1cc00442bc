"""CloudFormation's QuickSight types, created through the same operations that boto3 reaches."""

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from dashboards.lint.shape import CLOUDFORMATION_ONLY, service_model
from infra.local.quicksight.errors import QuickSightError
from infra.local.quicksight.operations import Operations
from infra.local.quicksight.store import AssetStore, Kind

_NUMBERS = {"integer": int, "long": int, "double": float, "float": float}


def restored(shape: Shape, value: Any) -> Any:
    """`value` with the numbers and booleans that CloudFormation turned into strings, as the model types
    them.
    """
    match shape:
        case StructureShape() if isinstance(value, dict):
            return {
                key: restored(shape.members[key], v) if key in shape.members else v
                for key, v in value.items()
            }
        case ListShape() if isinstance(value, list):
            return [restored(shape.member, entry) for entry in value]
        case MapShape() if isinstance(value, dict):
            return {key: restored(shape.value, entry) for key, entry in value.items()}
    if not isinstance(value, str):
        return value
    if shape.type_name == "boolean" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if shape.type_name in _NUMBERS:
        return _NUMBERS[shape.type_name](value)
    return value


class AssetHandler:
    """One CloudFormation type that is an asset: data source, dataset, analysis or dashboard."""

    def __init__(self, kind: Kind, operations: Operations, store: AssetStore) -> None:
        self._kind, self._operations, self._store = kind, operations, store

    def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:  # noqa: ARG002
        """Create the asset; its physical id is the asset's id."""
        request, extra = self._request("Create", properties)
        self._operations.answer(f"Create{self._kind}", request)
        return self._finish(request, extra)

    def update(self, physical_id: str, properties: dict[str, Any]) -> dict[str, str]:
        """Replace the asset's properties; an asset that a restart has lost is created again."""
        if (self._kind, physical_id) not in self._store.assets:
            return self.create("", properties)[1]
        request, extra = self._request("Create", properties)
        tags = {tag["Key"]: tag["Value"] for tag in request.pop("Tags", [])}
        # CloudFormation publishes the version that it made.
        asset = self._store.update(self._kind, physical_id, request, publish=True)
        asset.tags = tags
        return self._finish(request, extra)[1]

    def delete(self, physical_id: str) -> None:
        """Delete the asset; an unknown id is not an error."""
        if (self._kind, physical_id) in self._store.assets:
            self._store.delete(self._kind, physical_id)

    def _request(self, verb: str, properties: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        shape = service_model().operation_model(f"{verb}{self._kind}").input_shape
        assert shape is not None
        names = CLOUDFORMATION_ONLY.get(self._kind, ())
        extra = {name: properties[name] for name in names if name in properties}
        return restored(shape, {k: v for k, v in properties.items() if k not in names}), extra

    def _finish(self, request: dict[str, Any], extra: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """CloudFormation waits for the end of a create or update, and fails with the service's own errors."""
        asset_id = request[f"{self._kind}Id"]
        for _ in range(3):
            asset = self._store.look(self._kind, asset_id)
        if asset.latest.status.endswith("_FAILED"):
            raise QuickSightError("GeneralServiceException", str(asset.latest.errors))
        if "DataSetRefreshProperties" in extra:
            shape = service_model().shape_for("DataSetRefreshProperties")
            asset.refresh_properties = restored(shape, extra["DataSetRefreshProperties"])
        return asset_id, {"Arn": asset.arn}


class ScheduleHandler:
    """AWS::QuickSight::RefreshSchedule."""

    def __init__(self, operations: Operations, store: AssetStore) -> None:
        self._operations, self._store = operations, store

    def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:  # noqa: ARG002
        """Create the schedule; its physical id is `<dataset id>|<schedule id>`."""
        shape = service_model().operation_model("CreateRefreshSchedule").input_shape
        assert shape is not None
        frequency = properties["Schedule"].get("ScheduleFrequency", {})
        # CloudFormation writes TimeZone where the API has Timezone.
        spelled = {"Timezone" if name == "TimeZone" else name: value for name, value in frequency.items()}
        schedule = {**properties["Schedule"], "ScheduleFrequency": spelled}
        request = restored(shape, {**properties, "Schedule": schedule})
        self._operations.answer("CreateRefreshSchedule", request)
        physical_id = f"{request['DataSetId']}|{request['Schedule']['ScheduleId']}"
        return physical_id, {"Arn": f"{self._store.arn('DataSet', request['DataSetId'])}/refresh-schedule/"
                                    f"{request['Schedule']['ScheduleId']}"}  # fmt: skip

    def update(self, physical_id: str, properties: dict[str, Any]) -> dict[str, str]:  # noqa: ARG002
        """Replace the schedule."""
        return self.create("", properties)[1]

    def delete(self, physical_id: str) -> None:
        """Delete the schedule; an unknown one is not an error."""
        data_set, _, schedule = physical_id.partition("|")
        if ("DataSet", data_set) in self._store.assets:
            self._store.settled("DataSet", data_set).schedules.pop(schedule, None)
