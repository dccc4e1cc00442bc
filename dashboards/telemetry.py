"""Names in the refresh function's log lines and metrics: the handler writes them, an alarm reads them."""

NAMESPACE = "Penstock"
SERVICE = "dashboards"
"""The dimension `service` of the metric that the function writes itself."""
INGESTIONS_STARTED = "IngestionsStarted"

BEHIND = "a dataset is behind its report"
"""Message of the line."""
DATASETS_BEHIND = "DatasetsBehind"
"""The metric that a filter makes of it; its namespace is the deployment's prefix."""
