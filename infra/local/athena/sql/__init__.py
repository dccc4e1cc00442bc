"""Trino's SQL on DuckDB: a typed compiler. Pure: it reads a catalog that is passed in and writes DuckDB's text.

Every node of a parsed query is given a Trino type and a DuckDB text. A node, function or cast without a rule is
refused by name, so nothing is handed to DuckDB in the hope that it means the same.
"""
