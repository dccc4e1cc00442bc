"""Reports over HTTP: read from their published Parquet, with the row rules that dashboards have."""
