"""`python -m dashboards`."""

from dashboards.cli import app

app()
