"""What a deployment would do to the QuickSight assets: create, update, replace, delete, and what the
console changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dashboards.emit.resources import HASH_TAG
from dashboards.lint.assets import each
from dashboards.lint.findings import JsonPath, show

Action = Literal["none", "create", "update", "replace", "delete"]
KINDS = ("DataSource", "DataSet", "Analysis", "Dashboard")

# Members that the service adds to what it was given.
SERVICE_ADDED = frozenset(
    {
        "Arn",
        "CreatedTime",
        "LastUpdatedTime",
        "OutputColumns",
        "ConsumedSpiceCapacityInBytes",
        "Status",
        "Permissions",
        "Tags",
        "Version",
        "LastPublishedTime",
        "AwsAccountId",
        "ValidationStrategy",
        "IngestionWaitPolicy",
        "DataSetRefreshProperties",
        "PublishedVersionNumber",
        "AnalysisDefaults",
        "QueryExecutionOptions",
    }
)


@dataclass(frozen=True)
class Deployed:
    """An asset as QuickSight describes it. `tags` and `properties` use the names of the API."""

    kind: str
    id: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str]
    published: int = 1
    newest: int = 1


@dataclass(frozen=True)
class Step:
    """What would happen to one asset, why, and what depends on it."""

    kind: str
    id: str
    action: Action
    reason: str
    dependents: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.action:8}{self.kind} {self.id}: {self.reason}"]
        lines += [f"        console edit: {edit}" for edit in self.drift]
        lines += [f"        depends on it: {name}" for name in self.dependents]
        return "\n".join(lines)


def plan(
    resources: Mapping[str, Any], deployed: Mapping[tuple[str, str], Deployed], prefix: str
) -> tuple[Step, ...]:
    """One step per asset of ours, emitted or deployed. Reads only.

    `deployed` may hold assets of others too: they are asked what depends on ours, and never touched.
    """
    found: list[Step] = []
    wanted: set[tuple[str, str]] = set()
    for resource in resources.values():
        kind = resource.type.rsplit("::", 1)[-1]
        if kind not in KINDS:
            continue
        asset_id = str(resource.properties[f"{kind}Id"])
        wanted.add((kind, asset_id))
        found.append(_step(kind, asset_id, resource.properties, deployed))
    for (kind, asset_id), asset in deployed.items():
        if asset_id.startswith(f"{prefix}-") and HASH_TAG in asset.tags and (kind, asset_id) not in wanted:
            found.append(
                Step(kind, asset_id, "delete", "no longer declared", _dependents(kind, asset_id, deployed))
            )
    return tuple(found)


def unshown(replaced: Mapping[str, str], steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Replacements and removals of a change set (asset id -> kind) that the plan did not show: a reason
    to stop.
    """
    shown = {(step.kind, step.id) for step in steps if step.action in ("replace", "delete")}
    return tuple(
        f"{kind} {asset_id}" for asset_id, kind in sorted(replaced.items()) if (kind, asset_id) not in shown
    )


def differences(wanted: Any, there: Any, path: JsonPath = ()) -> Iterator[str]:
    """Where two JSON values differ, as paths with what each side has."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        for key in sorted({*wanted, *there}):
            if key not in there:
                if wanted[key] not in ([], {}):
                    yield f"{show((*path, key))} was removed"
            elif key not in wanted:
                if key not in SERVICE_ADDED:
                    yield f"{show((*path, key))} was added: {_brief(there[key])}"
            else:
                yield from differences(wanted[key], there[key], (*path, key))
    elif isinstance(wanted, list) and isinstance(there, list):
        if len(wanted) != len(there):
            yield f"{show(path)} has {len(there)} entries, declared are {len(wanted)}"
        for at, (one, other) in enumerate(zip(wanted, there, strict=False)):
            yield from differences(one, other, (*path, at))
    elif wanted != there:
        yield f"{show(path)} is {_brief(there)}, declared is {_brief(wanted)}"


def _step(
    kind: str, asset_id: str, properties: Mapping[str, Any], deployed: Mapping[tuple[str, str], Deployed]
) -> Step:
    there = deployed.get((kind, asset_id))
    if there is None:
        return Step(kind, asset_id, "create", "is not there yet")
    if why := _replacement(kind, properties, there):
        return Step(kind, asset_id, "replace", why, _dependents(kind, asset_id, deployed))
    hash_now = next(tag["Value"] for tag in properties["Tags"] if tag["Key"] == HASH_TAG)
    compared = {key: value for key, value in properties.items() if key not in SERVICE_ADDED}
    edits = tuple(differences(compared, there.properties))
    if there.published != there.newest:
        edits += (f"version {there.newest} exists and is not published; viewers see {there.published}",)
    tag = there.tags.get(HASH_TAG)
    if tag is None:
        return Step(kind, asset_id, "update", "was not deployed by Penstock", drift=edits)
    if tag == hash_now:
        if edits:
            return Step(
                kind, asset_id, "update", "was edited in the console; a deployment puts it back", drift=edits
            )
        return Step(kind, asset_id, "none", "unchanged")
    return Step(kind, asset_id, "update", "the declaration or a contract changed", drift=edits)


def _replacement(kind: str, properties: Mapping[str, Any], there: Deployed) -> str:
    """Why an asset cannot be changed in place; empty when it can."""
    if kind == "DataSet" and ("DataPrepConfiguration" in properties) != (
        "DataPrepConfiguration" in there.properties
    ):
        return "a dataset cannot move to another data-preparation shape in place"
    if kind == "DataSource" and there.properties.get("Type") != properties.get("Type"):
        return f"a data source cannot change its type from {there.properties.get('Type')}"
    return ""


def _dependents(kind: str, asset_id: str, deployed: Mapping[tuple[str, str], Deployed]) -> tuple[str, ...]:
    """Assets of anybody that read this one: datasets of a source, pages of a dataset, rules included."""
    keys = {"DataSource": ("DataSourceArn",), "DataSet": ("DataSetArn", "Arn")}.get(kind, ())
    found = []
    for (other_kind, other_id), other in deployed.items():
        if (other_kind, other_id) == (kind, asset_id):
            continue
        inside = {str(arn).rpartition("/")[2] for key in keys for _, arn in each(_inner(other), key)}
        if asset_id in inside:
            found.append(f"{other_kind} {other_id}")
    return tuple(sorted(found))


def _inner(asset: Deployed) -> Mapping[str, Any]:
    """Properties without the asset's own ARN."""
    return {key: value for key, value in asset.properties.items() if key != "Arn"}


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 70 else text[:67] + "..."
