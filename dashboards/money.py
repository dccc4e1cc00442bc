"""Amounts of money in minor units: the decimals of a currency, and the expression that divides by them."""

from collections.abc import Mapping
from functools import cache

from iso4217 import Currency


@cache
def decimals() -> Mapping[str, int]:
    """Currency code -> digits of its minor unit, as ISO 4217 lists them. What has none (gold, test codes) is
    left out.
    """
    return {entry.code: entry.exponent for entry in Currency if entry.exponent is not None}


def expression(minor: str, currency: str, per: str = "") -> str:
    """The sum of a column of minor units in the currency's own unit, as a QuickSight expression.

    It is null over several currencies, whose sum would be no amount, and for a code that ISO 4217 does not
    list, whose unit nobody knows. Summed before it is divided, so that the sum is exact.

    Args:
        minor: the column of whole minor units.
        currency: the column of ISO 4217 codes.
        per: an aggregate to divide the sum by; empty for none.
    """
    cases = ", ".join(
        f"in({{{currency}}}, [{', '.join(_quoted(code) for code in codes)}]), {10**digits}"
        for digits, codes in _by_decimals().items()
    )
    divided = f" / ({per})" if per else ""
    return (
        f"ifelse(distinct_count({{{currency}}}) = 1, "
        f"sum({{{minor}}}){divided} / min(ifelse({cases}, NULL)), NULL)"
    )


def _quoted(code: str) -> str:
    return f"'{code}'"


@cache
def _by_decimals() -> Mapping[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for code, digits in sorted(decimals().items(), key=lambda entry: (entry[1], entry[0])):
        found[digits] = (*found.get(digits, ()), code)
    return found
