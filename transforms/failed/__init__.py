"""Failed records: find, explain, fix, replay."""
