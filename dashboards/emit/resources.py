"""Everything that a deployment owns in QuickSight, as CloudFormation resources."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.emit.access import permissions
from dashboards.emit.canonical import content_hash
from dashboards.emit.datasets import Place, data_set, data_source, rules_data_set, schedules
from dashboards.emit.definition import Build, definition
from dashboards.model import Dashboard, Source
from queries.contracts import Report

HASH_TAG = "penstock:content"


class Resource(NamedTuple):
    """A CloudFormation resource: its type, its properties, and the logical ids that must be there before
    it.
    """

    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()


def resources(
    reports: Mapping[str, Report],
    declared: Mapping[str, Dashboard],
    *,
    prefix: str,
    account: str,
    region: str,
    database: str,
    work_group: str,
    partition: str = "aws",
    owners: Sequence[str] = (),
    viewers: Sequence[str] = (),
    version: str = "0",
    commit: str = "unknown",
) -> Mapping[str, Resource]:
    """Logical id -> resource, in an order that can be created top to bottom.

    `account`, `region`, `partition`, `database`, `work_group`, `owners` and `viewers` (ARNs of QuickSight
    users or groups) may be unresolved tokens; `prefix` must be a plain string, for ids derive from it. Raises
    ContractMismatchError and DeclarationError.
    """
    build = Build(version, commit)
    place = Place(prefix, account, region, partition)
    found = _untagged(reports, declared, place, build, database, work_group, owners, viewers)
    # Tokens are numbered anew at every synthesis: the hash is taken where none stands.
    plain = _untagged(
        reports, declared, Place(prefix, "account", "region"), build, "database", "work-group", (), ()
    )
    return {logical: _tagged(resource, plain[logical]) for logical, resource in found.items()}


def assets(found: Mapping[str, Resource], type_name: str) -> Mapping[str, dict[str, Any]]:
    """Properties of the resources of one kind (`DataSet`, `Dashboard`, ...), by logical id."""
    return {
        name: resource.properties
        for name, resource in found.items()
        if resource.type == f"AWS::QuickSight::{type_name}"
    }


def _untagged(
    reports: Mapping[str, Report],
    chosen: Mapping[str, Dashboard],
    place: Place,
    build: Build,
    database: str,
    work_group: str,
    owners: Sequence[str],
    viewers: Sequence[str],
) -> dict[str, Resource]:
    found = {"QuickSightSource": _data_source(place, work_group, owners)}
    pages = {name: definition(dashboard, reports, place, build) for name, dashboard in chosen.items()}
    for dashboard in chosen.values():
        for source in dashboard.sources.values():
            found |= _of_source(place, reports[source.report], source, database, owners, viewers)
    for name, dashboard in chosen.items():
        needed = tuple(_logical("DataSet", report) for report in sorted(dashboard.sources))
        found[_logical("Analysis", name)] = _page(
            place, "analysis", dashboard, pages[name], permissions("analysis", owners, ()), needed
        )
        found[_logical("Dashboard", name)] = _page(
            place, "dashboard", dashboard, pages[name], permissions("dashboard", owners, viewers), needed
        )
    return found


def _data_source(place: Place, work_group: str, owners: Sequence[str]) -> Resource:
    properties = data_source(place, work_group)
    return Resource(
        "AWS::QuickSight::DataSource", _with_permissions(properties, permissions("data-source", owners, ()))
    )


def _of_source(
    place: Place, report: Report, source: Source, database: str, owners: Sequence[str], viewers: Sequence[str]
) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    logical = _logical("DataSet", report.name)
    needed = ["QuickSightSource"]
    if source.access is not None:
        rules = _logical("Rules", report.name)
        # Viewers need not read the rules themselves.
        found[rules] = Resource(
            "AWS::QuickSight::DataSet",
            _with_permissions(
                rules_data_set(place, report, source.access), permissions("dataset", owners, ())
            ),
            ("QuickSightSource",),
        )
        needed.append(rules)
    properties = data_set(place, report, source, database)
    found[logical] = Resource(
        "AWS::QuickSight::DataSet",
        _with_permissions(properties, permissions("dataset", owners, viewers)),
        tuple(needed),
    )
    if source.import_mode == "spice":
        for suffix, schedule in schedules(place, report).items():
            name = _logical("Refresh", report.name) + suffix
            found[name] = Resource("AWS::QuickSight::RefreshSchedule", schedule, (logical,))
    return found


def _page(
    place: Place,
    kind: str,
    dashboard: Dashboard,
    page: dict[str, Any],
    granted: list[dict[str, Any]],
    needed: tuple[str, ...],
) -> Resource:
    member = kind.capitalize()
    properties = {
        "AwsAccountId": place.account,
        f"{member}Id": place.asset_id(dashboard.name),
        "Name": place.title(dashboard.title),
        "Definition": page,
        "ValidationStrategy": {"Mode": "STRICT"},
    }
    return Resource(f"AWS::QuickSight::{member}", _with_permissions(properties, granted), needed)


def _with_permissions(properties: dict[str, Any], granted: list[dict[str, Any]]) -> dict[str, Any]:
    return properties | {"Permissions": granted} if granted else properties


def _tagged(resource: Resource, plain: Resource) -> Resource:
    """The hash of what was deployed travels with it, so that a later change can be told from a console
    edit.
    """
    if resource.type == "AWS::QuickSight::RefreshSchedule":
        return resource  # has no tags
    tags = [{"Key": HASH_TAG, "Value": content_hash(plain.properties)}]
    return resource._replace(properties=resource.properties | {"Tags": tags})


def _logical(kind: str, name: str) -> str:
    return kind + "".join(part.capitalize() for part in name.replace("-", "_").split("_"))
