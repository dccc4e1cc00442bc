"""The report site: what is published of the dashboards, and what is answered from it."""
