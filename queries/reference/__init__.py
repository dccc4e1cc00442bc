"""Reference tables: small tables of a project's own that reports join with, such as names of codes."""
