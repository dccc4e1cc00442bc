"""What followers of jobs and of reports ask of the GraphQL API (pure)."""

_UPDATE = "jobId revision state done total"
JOB = f"query($jobId: ID!) {{ job(jobId: $jobId) {{ {_UPDATE} }} }}"
JOBS = f"query($limit: Int) {{ jobs(limit: $limit) {{ {_UPDATE} }} }}"
JOB_CHANGED = f"subscription($jobId: ID) {{ jobChanged(jobId: $jobId) {{ {_UPDATE} }} }}"
PUBLISHED = "reportPublished"
"""The field with publishes of reports."""
REPORT_PUBLISHED = f"subscription {{ {PUBLISHED} {{ name version }} }}"
