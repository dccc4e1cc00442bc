"""Live updates: hints that a job or a report has changed, and the queries that say what it is now."""
