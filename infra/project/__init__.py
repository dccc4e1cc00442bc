"""A project: a user's own folder of streams, reports and dashboards, read and handed on by the edges."""
