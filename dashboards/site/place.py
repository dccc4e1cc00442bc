"""The place that assets are emitted for where they are drawn and not deployed."""

from typing import Any

PLACE: dict[str, Any] = {
    "prefix": "site",
    "account": "000000000000",
    "region": "us-east-1",
    "database": "reports",
    "work_group": "none",
}
"""A place for `dashboards.emit.resources`. Pages, columns and rules are the same in every one."""
