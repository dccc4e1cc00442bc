"""List prices, one dated file per region."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


class NoPricesError(LookupError):
    """There is no price file for the region."""


@cache
def prices(region: str = "us-east-1") -> Mapping[str, Any]:
    """The region's prices by service. Raises NoPricesError."""
    known = sorted(
        path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml")
    )
    if region not in known:
        raise NoPricesError(f"No price file for {region}. There is one for: {', '.join(known)}.")
    return tomllib.loads(files(__name__).joinpath(f"{region}.toml").read_text(encoding="utf-8"))


def as_of(region: str = "us-east-1") -> date:
    """When the region's prices were written down."""
    found = prices(region)["as_of"]
    assert isinstance(found, date)
    return found
