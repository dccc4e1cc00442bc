"""Athena on this machine: its API over DuckDB, with Trino's semantics or a refusal by name."""

from infra.local.athena.service import AthenaService

__all__ = ["AthenaService"]
