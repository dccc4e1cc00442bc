"""Reads what is deployed through the QuickSight API. Writes nothing: CloudFormation owns every asset."""

from typing import Any

from dashboards.plan import Deployed

_LISTS = {
    "DataSource": ("list_data_sources", "DataSources"),
    "DataSet": ("list_data_sets", "DataSetSummaries"),
    "Analysis": ("list_analyses", "AnalysisSummaryList"),
    "Dashboard": ("list_dashboards", "DashboardSummaryList"),
}
_DESCRIBE = {"DataSource": "describe_data_source", "DataSet": "describe_data_set"}
_DEFINITION = {"Analysis": "describe_analysis_definition", "Dashboard": "describe_dashboard_definition"}


def deployed(client: Any, account: str) -> dict[tuple[str, str], Deployed]:
    """Every asset of the account by (kind, id). Assets that cannot be described in full are left out of none.

    Raises botocore's ClientError.
    """
    found: dict[tuple[str, str], Deployed] = {}
    for kind, (operation, member) in _LISTS.items():
        for summary in _all(client, operation, member, account):
            asset_id = summary[f"{kind}Id"]
            tags = client.list_tags_for_resource(ResourceArn=summary["Arn"])["Tags"]
            found[kind, asset_id] = _described(
                client, account, kind, asset_id, {t["Key"]: t["Value"] for t in tags}
            )
    return found


def _all(client: Any, operation: str, member: str, account: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = None
    while True:
        more: dict[str, Any] = {"NextToken": token} if token else {}
        page = getattr(client, operation)(AwsAccountId=account, **more)
        found += page.get(member, [])
        token = page.get("NextToken")
        if not token:
            return found


def _described(client: Any, account: str, kind: str, asset_id: str, tags: dict[str, str]) -> Deployed:
    given = {"AwsAccountId": account, f"{kind}Id": asset_id}
    if kind in _DESCRIBE:
        return Deployed(kind, asset_id, getattr(client, _DESCRIBE[kind])(**given)[kind], tags)
    answer = getattr(client, _DEFINITION[kind])(**given)
    properties = {
        f"{kind}Id": asset_id,
        "Name": answer.get("Name"),
        "Definition": answer.get("Definition", {}),
    }
    if kind == "Analysis":
        return Deployed(kind, asset_id, properties, tags)
    versions = client.list_dashboard_versions(**given)["DashboardVersionSummaryList"]
    newest = max((entry["VersionNumber"] for entry in versions), default=1)
    published = client.describe_dashboard(**given)["Dashboard"]["Version"]["VersionNumber"]
    return Deployed(kind, asset_id, properties, tags, published, newest)
