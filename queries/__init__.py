"""Lake objects to reports: what is stale, what to run, what to publish."""
