"""The HTTP API: jobs, for people who signed in and for programs that sign with IAM."""
