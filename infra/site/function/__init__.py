"""The functions of the report site: one writes what is published of dashboards, one answers from it."""
