"""The `penstock` command, put together from the verbs of every stage."""
