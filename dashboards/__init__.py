"""Reports to QuickSight datasets and dashboards, and their preview."""
