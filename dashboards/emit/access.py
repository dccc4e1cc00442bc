"""Who may do what with an asset: the action lists that the QuickSight console itself grants."""

from collections.abc import Sequence
from typing import Any, Literal

AssetKind = Literal["data-source", "dataset", "analysis", "dashboard"]

_READER = {
    "data-source": ("DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource"),
    "dataset": (
        "DescribeDataSet",
        "DescribeDataSetPermissions",
        "PassDataSet",
        "DescribeIngestion",
        "ListIngestions",
    ),
    "dashboard": ("DescribeDashboard", "ListDashboardVersions", "QueryDashboard"),
    "analysis": (),
}
_OWNER = {
    "data-source": (
        "UpdateDataSourcePermissions",
        "DescribeDataSourcePermissions",
        "PassDataSource",
        "DescribeDataSource",
        "DeleteDataSource",
        "UpdateDataSource",
    ),
    "dataset": (
        "DeleteDataSet",
        "UpdateDataSetPermissions",
        "PutDataSetRefreshProperties",
        "CreateRefreshSchedule",
        "CancelIngestion",
        "DeleteRefreshSchedule",
        "UpdateDataSet",
        "PassDataSet",
        "DeleteDataSetRefreshProperties",
        "DescribeDataSet",
        "DescribeDataSetRefreshProperties",
        "DescribeRefreshSchedule",
        "ListRefreshSchedules",
        "CreateIngestion",
        "DescribeIngestion",
        "ListIngestions",
        "DescribeDataSetPermissions",
        "UpdateRefreshSchedule",
    ),
    "dashboard": (
        "DescribeDashboard",
        "ListDashboardVersions",
        "UpdateDashboardPermissions",
        "QueryDashboard",
        "UpdateDashboard",
        "DeleteDashboard",
        "DescribeDashboardPermissions",
        "UpdateDashboardPublishedVersion",
    ),
    # With fewer than these seven the analysis fails later, out of sight.
    "analysis": (
        "RestoreAnalysis",
        "UpdateAnalysisPermissions",
        "DeleteAnalysis",
        "DescribeAnalysisPermissions",
        "QueryAnalysis",
        "DescribeAnalysis",
        "UpdateAnalysis",
    ),
}
ANALYSIS_ACTIONS = frozenset(f"quicksight:{action}" for action in _OWNER["analysis"])


def permissions(kind: AssetKind, owners: Sequence[str], viewers: Sequence[str]) -> list[dict[str, Any]]:
    """The Permissions of an asset for QuickSight user or group ARNs; analyses are for owners only."""
    return [
        {"Principal": principal, "Actions": sorted(f"quicksight:{action}" for action in actions[kind])}
        for principals, actions in ((owners, _OWNER), (viewers, _READER))
        for principal in principals
        if actions[kind]
    ]
