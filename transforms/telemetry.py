"""Names in the transformation's log line and metrics: the handler writes them, alarms read them."""

NAMESPACE = "Penstock"
SERVICE = "transforms"
"""The dimension `service` of the metrics."""

RECEIVED_RECORDS = "ReceivedRecords"
RECEIVED_BYTES = "ReceivedBytes"
ACCEPTED_EVENTS = "AcceptedEvents"
LATE_EVENTS = "LateEvents"
DROPPED_EVENTS = "DroppedEvents"
FAILED_RECORDS = "FailedRecords"
ARRIVAL_LAG = "ArrivalLag"


def failed_for(reason: str) -> str:
    """Name of the metric that counts records failed for this reason."""
    return f"Failed_{reason}"


FAILED_PERCENT = "failed_percent"
"""Member of the log line: of the batch's records, how many failed, 0 to 100."""
PERCENT_FAILING = "PercentFailing"
"""The metric that a filter makes of it, in the deployment's own namespace."""
