"""The project that ships with Penstock, for tests: its streams, tables, reports and dashboards."""

from infra.project.loading import SHOP as _FILE
from infra.project.loading import load

SHOP = load(_FILE)
STREAMS, TABLES, CATALOG, REPORTS, DASHBOARDS = (
    SHOP.streams,
    SHOP.tables,
    SHOP.catalog,
    SHOP.reports,
    SHOP.dashboards,
)
WEB = STREAMS["web"]
TABLE = TABLES["web_events"]
PRODUCTION = SHOP.default
