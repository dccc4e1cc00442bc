"""Numbers and times as text, by the format that the Definition gives a field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

NOTHING = "–"
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_TIME_LETTERS = (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"))
_BY_UNIT = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


@dataclass(frozen=True)
class Format:
    """How a field's values are written. `decimals` None: as many as needed, at most two."""

    kind: str = "number"
    decimals: int | None = None
    scaled: bool = False
    prefix: str = ""
    suffix: str = ""
    time: str = "%Y-%m-%d %H:%M"

    def text(self, value: Any, digits: int | None = None) -> str:
        """The value as a viewer reads it. `digits`: decimals where the format itself says none."""
        if value is None:
            return NOTHING
        if isinstance(value, datetime):
            return value.strftime(self.time)
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            return self.prefix + self._number(float(value), digits) + self.suffix
        return str(value)

    def _number(self, value: float, digits: int | None) -> str:
        if self.kind == "percent":
            return f"{value * 100:,.{2 if self.decimals is None else self.decimals}f}%"
        if self.scaled:
            for size, letter in _SCALES:
                if abs(value) >= size:
                    return f"{value / size:,.{1 if self.decimals is None else self.decimals}f} {letter}"
        if self.decimals is None and digits is not None:
            return f"{value:,.{digits}f}"
        if self.decimals is None:
            return f"{value:,.2f}".rstrip("0").rstrip(".")
        return f"{value:,.{self.decimals}f}"

    @property
    def axis(self) -> str:
        """The d3 format of an axis: short, for the exact number is in the table and the tooltip."""
        if self.kind == "percent":
            return ".1~%"
        return "~s"


def of_field(body: Mapping[str, Any]) -> Format:
    """The format of a dimension or measure field's FormatConfiguration."""
    found = body.get("FormatConfiguration", {})
    if "DateTimeFormat" in found:
        return Format(time=_time_pattern(str(found["DateTimeFormat"])))
    if "DateGranularity" in body:
        return Format(time=_BY_UNIT.get(str(body["DateGranularity"]).lower(), "%Y-%m-%d %H:%M"))
    numeric = found.get("FormatConfiguration", found.get("NumericFormatConfiguration", {}))
    return _numeric(numeric)


def _numeric(configuration: Mapping[str, Any]) -> Format:
    for member, kind in (
        ("PercentageDisplayFormatConfiguration", "percent"),
        ("CurrencyDisplayFormatConfiguration", "currency"),
        ("NumberDisplayFormatConfiguration", "number"),
    ):
        if member in configuration:
            body = configuration[member]
            decimals = body.get("DecimalPlacesConfiguration", {}).get("DecimalPlaces")
            prefix = body.get("Prefix", "") + (f"{body['Symbol']} " if body.get("Symbol") else "")
            scaled = body.get("NumberScale", "NONE") != "NONE"
            return Format(kind, decimals, scaled, prefix, body.get("Suffix", ""))
    return Format()


def _time_pattern(pattern: str) -> str:
    for letters, own in _TIME_LETTERS:
        pattern = pattern.replace(letters, own)
    return pattern
