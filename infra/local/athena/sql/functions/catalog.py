"""Loads every family, so that the table of functions is complete."""

from infra.local.athena.sql.functions import (
    aggregate_functions,
    collections,
    datetimes,
    json_values,
    maps,
    numbers,
    regex_urls,
    sequences,
    strings,
    window_functions,
)
from infra.local.athena.sql.functions.registry import FUNCTIONS

FAMILIES = (
    strings,
    numbers,
    datetimes,
    regex_urls,
    json_values,
    collections,
    sequences,
    maps,
    aggregate_functions,
    window_functions,
)

__all__ = ["FAMILIES", "FUNCTIONS"]
