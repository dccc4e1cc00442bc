"""Where reports lie: files, the catalog's partitions, and the checks before they are published."""
