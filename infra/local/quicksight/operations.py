"""The API's operations over the store: what boto3 sends, decoded, to what it expects back."""

from collections.abc import Callable
from typing import Any, cast

from dashboards.lint.shape import check_request
from infra.local.quicksight.errors import QuickSightError, invalid, not_found
from infra.local.quicksight.store import Asset, AssetStore, Ingestion, Kind

Answer = dict[str, Any]
Operation = Callable[[Answer], Answer]
KINDS: tuple[Kind, ...] = ("DataSource", "DataSet", "Dashboard", "Analysis")
_PLURAL = {
    "DataSource": "DataSources",
    "DataSet": "DataSets",
    "Dashboard": "Dashboards",
    "Analysis": "Analyses",
}
_SUMMARY = {
    "DataSource": "DataSources",
    "DataSet": "DataSetSummaries",
    "Dashboard": "DashboardSummaryList",
    "Analysis": "AnalysisSummaryList",
}
# Members of a request that are not property of the asset.
_NOT_KEPT = ("AwsAccountId", "Tags")


class Operations:
    """Every operation that the endpoint answers, by name; anything else is refused by name."""

    def __init__(self, store: AssetStore) -> None:
        self._store = store
        self.table: dict[str, Operation] = {
            "UpdateDashboardPublishedVersion": self._publish,
            "ListDashboardVersions": self._versions,
            "CreateIngestion": self._ingest,
            "DescribeIngestion": self._ingestion,
            "ListIngestions": self._ingestions,
            "CancelIngestion": self._cancel,
            "CreateRefreshSchedule": self._create_schedule,
            "UpdateRefreshSchedule": self._create_schedule,
            "ListRefreshSchedules": self._schedules,
            "DescribeRefreshSchedule": self._schedule,
            "DeleteRefreshSchedule": self._delete_schedule,
            "PutDataSetRefreshProperties": self._put_refresh,
            "DescribeDataSetRefreshProperties": self._refresh,
            "ListTagsForResource": self._tags,
        }
        for kind in KINDS:
            self.table |= self._of_kind(kind)

    def answer(self, operation: str, request: Answer) -> Answer:
        """The answer to a request. Raises QuickSightError."""
        if operation not in self.table:
            raise QuickSightError(
                "UnsupportedOperation", f"The local QuickSight does not answer {operation}.", 501
            )
        if findings := check_request(operation, request):
            raise invalid("; ".join(str(finding) for finding in findings[:5]))
        return self.table[operation](request) | {"RequestId": f"local-{operation}"}

    def _of_kind(self, kind: Kind) -> dict[str, Operation]:
        name = f"{kind}Id"

        def create(request: Answer) -> Answer:
            asset = self._store.create(
                kind, request[name], _kept(request) | {"Tags": request.get("Tags", [])}
            )
            return self._made(asset, "CreationStatus")

        def update(request: Answer) -> Answer:
            before = self._store.settled(kind, request[name]).latest.properties
            # Permissions change by calls of their own; everything else that is left out is removed.
            kept = {key: before[key] for key in ("Permissions",) if key in before}
            return self._made(self._store.update(kind, request[name], kept | _kept(request)), "UpdateStatus")

        def describe(request: Answer) -> Answer:
            return {kind: self._described(self._store.look(kind, request[name]))}

        def delete(request: Answer) -> Answer:
            self._store.delete(kind, request[name])
            return {name: request[name], "Arn": self._store.arn(kind, request[name])}

        def every(_: Answer) -> Answer:
            found = [asset for (of, _), asset in self._store.assets.items() if of == kind]
            return {_SUMMARY[kind]: [self._summary(asset) for asset in found]}

        def permissions(request: Answer) -> Answer:
            asset = self._store.settled(kind, request[name])
            return {name: asset.id, f"{kind}Arn": asset.arn,
                    "Permissions": asset.latest.properties.get("Permissions", [])}  # fmt: skip

        def definition(request: Answer) -> Answer:
            asset = self._store.look(kind, request[name])
            version = _chosen(asset, request.get("VersionNumber"))
            return {name: asset.id, "Name": version.properties["Name"], "ResourceStatus": version.status,
                    "Definition": version.properties["Definition"], "Errors": version.errors}  # fmt: skip

        found = {
            f"Create{kind}": create,
            f"Update{kind}": update,
            f"Describe{kind}": describe,
            f"Delete{kind}": delete,
            f"List{_PLURAL[kind]}": every,
            f"Describe{kind}Permissions": permissions,
        }
        if kind in ("Dashboard", "Analysis"):
            found[f"Describe{kind}Definition"] = definition
        return found

    def _made(self, asset: Asset, status: str) -> Answer:
        answer = {f"{asset.kind}Id": asset.id, "Arn": asset.arn, status: asset.latest.status}
        if asset.kind == "Dashboard":
            answer["VersionArn"] = f"{asset.arn}/version/{asset.latest.number}"
        return answer

    def _summary(self, asset: Asset) -> Answer:
        found: Answer = {
            f"{asset.kind}Id": asset.id,
            "Arn": asset.arn,
            "Name": asset.latest.properties["Name"],
            "CreatedTime": asset.versions[0].created,
            "LastUpdatedTime": asset.updated,
        }
        if asset.kind == "Dashboard":
            found["PublishedVersionNumber"] = asset.published
        return found

    def _described(self, asset: Asset) -> Answer:
        version = _chosen(asset, None)
        found = self._summary(asset)
        if asset.kind == "Dashboard":
            found["Version"] = {
                "VersionNumber": version.number,
                "Status": version.status,
                "Errors": version.errors,
                "Arn": f"{asset.arn}/version/{version.number}",
                "CreatedTime": version.created,
            }
        elif asset.kind == "Analysis":
            found |= {"Status": version.status, "Errors": version.errors}
        else:
            hidden = ("Permissions", "Tags", "Name", f"{asset.kind}Id")
            found |= {key: value for key, value in version.properties.items() if key not in hidden}
            if asset.kind == "DataSource":
                found["Status"] = version.status
        return found

    def _publish(self, request: Answer) -> Answer:
        self._store.publish(request["DashboardId"], request["VersionNumber"])
        return {
            "DashboardId": request["DashboardId"],
            "DashboardArn": self._store.arn("Dashboard", request["DashboardId"]),
        }

    def _versions(self, request: Answer) -> Answer:
        asset = self._store.settled("Dashboard", request["DashboardId"])
        return {"DashboardVersionSummaryList": [
            {"VersionNumber": entry.number, "Status": entry.status, "CreatedTime": entry.created}
            for entry in asset.versions]}  # fmt: skip

    def _ingest(self, request: Answer) -> Answer:
        kind = request.get("IngestionType", "FULL_REFRESH")
        ingestion = self._store.start_ingestion(request["DataSetId"], request["IngestionId"], kind)
        return {
            "Arn": self._ingestion_arn(ingestion),
            "IngestionId": ingestion.id,
            "IngestionStatus": ingestion.status,
        }

    def _ingestion(self, request: Answer) -> Answer:
        key = (request["DataSetId"], request["IngestionId"])
        if key not in self._store.ingestions:
            raise not_found("Ingestion", request["IngestionId"])
        return {"Ingestion": self._ingestion_answer(self._store.ingestions[key])}

    def _ingestions(self, request: Answer) -> Answer:
        self._store.settled("DataSet", request["DataSetId"])
        found = self._store.of_data_set(request["DataSetId"])
        start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or 100)
        answer: Answer = {
            "Ingestions": [self._ingestion_answer(entry) for entry in found[start : start + size]]
        }
        if start + size < len(found):
            answer["NextToken"] = str(start + size)
        return answer

    def _cancel(self, request: Answer) -> Answer:
        key = (request["DataSetId"], request["IngestionId"])
        if key not in self._store.ingestions:
            raise not_found("Ingestion", request["IngestionId"])
        self._store.ingestions[key].status = "CANCELLED"
        return {
            "IngestionId": request["IngestionId"],
            "Arn": self._ingestion_arn(self._store.ingestions[key]),
        }

    def _ingestion_arn(self, entry: Ingestion) -> str:
        return f"{self._store.arn('DataSet', entry.data_set)}/ingestion/{entry.id}"

    def _ingestion_answer(self, entry: Ingestion) -> Answer:
        found: Answer = {
            "Arn": self._ingestion_arn(entry),
            "IngestionId": entry.id,
            "IngestionStatus": entry.status,
            "CreatedTime": entry.created,
            "RequestSource": entry.source,
            "RequestType": entry.kind,
        }
        return found | ({"ErrorInfo": entry.error} if entry.error else {})

    def _create_schedule(self, request: Answer) -> Answer:
        asset = self._store.settled("DataSet", request["DataSetId"])
        schedule = cast("Answer", request["Schedule"])
        if schedule["RefreshType"] == "INCREMENTAL_REFRESH" and not asset.refresh_properties:
            raise QuickSightError("PreconditionNotMetException",
                                  "Set the refresh properties of the dataset first.", 400)  # fmt: skip
        asset.schedules[schedule["ScheduleId"]] = schedule
        return {"ScheduleId": schedule["ScheduleId"], "Status": 200}

    def _schedules(self, request: Answer) -> Answer:
        return {
            "RefreshSchedules": list(self._store.settled("DataSet", request["DataSetId"]).schedules.values())
        }

    def _schedule(self, request: Answer) -> Answer:
        schedules = self._store.settled("DataSet", request["DataSetId"]).schedules
        if request["ScheduleId"] not in schedules:
            raise not_found("Schedule", request["ScheduleId"])
        return {"RefreshSchedule": schedules[request["ScheduleId"]]}

    def _delete_schedule(self, request: Answer) -> Answer:
        self._store.settled("DataSet", request["DataSetId"]).schedules.pop(request["ScheduleId"], None)
        return {"ScheduleId": request["ScheduleId"]}

    def _put_refresh(self, request: Answer) -> Answer:
        asset = self._store.settled("DataSet", request["DataSetId"])
        asset.refresh_properties = request["DataSetRefreshProperties"]
        return {}

    def _refresh(self, request: Answer) -> Answer:
        asset = self._store.settled("DataSet", request["DataSetId"])
        if not asset.refresh_properties:
            raise not_found("Refresh properties of", request["DataSetId"])
        return {"DataSetRefreshProperties": asset.refresh_properties}

    def _tags(self, request: Answer) -> Answer:
        for asset in self._store.assets.values():
            if asset.arn == request["ResourceArn"]:
                return {"Tags": [{"Key": key, "Value": value} for key, value in asset.tags.items()]}
        raise not_found("Resource", request["ResourceArn"])


def _kept(request: Answer) -> Answer:
    return {key: value for key, value in request.items() if key not in _NOT_KEPT}


def _chosen(asset: Asset, number: int | None) -> Any:
    wanted = asset.published if number is None else number
    for version in asset.versions:
        if version.number == wanted:
            return version
    raise not_found(f"Version {wanted} of {asset.kind}", asset.id)
