"""Dashboards with the data that they are drawn from: what the preview and the report site both show."""
