"""Numbers as Java writes them: in results, in JSON, in casts to varchar."""

import math
import struct
from contextlib import suppress
from decimal import Decimal


def java_double(value: float) -> str:
    """Double.toString: a point always, an exponent from 10^7 on and below 10^-3."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return java_number(repr(value))


def java_number(written: str) -> str:
    """The shortest digits of a double or real, as Java writes them."""
    if written.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
        return {"n": "NaN", "i": "Infinity", "-": "-Infinity"}[written[0].lower()]
    sign, digits, exponent = Decimal(written).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    minus = "-" if sign else ""
    if not text:
        return f"{minus}0.0"
    point = len("".join(map(str, digits))) + exponent - (len(digits) - len(text))
    text = text.rstrip("0") or "0"
    if -3 < point <= 7:
        if point <= 0:
            return f"{minus}0.{'0' * -point}{text}"
        whole, rest = text[:point].ljust(point, "0"), text[point:]
        return f"{minus}{whole}.{rest or '0'}"
    return f"{minus}{text[0]}.{text[1:] or '0'}E{point - 1}"


def exponent_number(written: str) -> str:
    """A double as Trino casts it to varchar: one digit, a point, an exponent."""
    plain = java_number(written)
    if not plain.lstrip("-")[0].isdigit():
        return plain
    sign, digits, exponent = Decimal(written).as_tuple()
    assert isinstance(exponent, int)
    minus, text = "-" if sign else "", "".join(map(str, digits)).lstrip("0")
    if not text:
        return f"{minus}0E0"
    power = len(text) + exponent - 1
    text = text.rstrip("0")
    return f"{minus}{text[0]}.{text[1:] or '0'}E{power}"


def shortest_real(value: float) -> float:
    """The number with the fewest digits that is this float32."""
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        with suppress(OverflowError):
            if struct.unpack("f", struct.pack("f", short))[0] == value:
                return short
    return value
