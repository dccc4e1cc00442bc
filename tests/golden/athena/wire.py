"""Our values in the JSON that Trino's client protocol uses, so that both can be compared as they are."""

import base64
import math
import re
from collections.abc import Callable
from typing import Any

from infra.local.athena.render import shower
from infra.local.athena.sql.functions.number_text import java_double
from infra.local.athena.sql.types import Type


def wire(of: Type) -> Callable[[Any], Any]:
    """What turns a value of the type into Trino's JSON."""
    if of.name == "array":
        inner = wire(of.of[0])
        return lambda v: None if v is None else [inner(x) for x in v]
    if of.name == "map":
        key, value = (wire(t) for t in of.of)
        return lambda v: None if v is None else {_text(key(k)): value(x) for k, x in v}
    if of.name == "row":
        fields = [(n, wire(t)) for n, t in zip(of.stored_names, of.of, strict=True)]
        return lambda v: None if v is None else [f(v[n]) for n, f in fields]
    if of.is_integer or of.is_text or of.name in ("boolean", "json"):
        return lambda v: v
    if of.is_float:
        return lambda v: (
            v
            if v is None or math.isfinite(v)
            else ("NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity")
        )
    if of.name == "varbinary":
        return lambda v: None if v is None else base64.b64encode(v).decode()
    show = shower(of)
    if of.name.startswith("timestamp") or of.name == "time":
        return lambda v: None if v is None else _precise(show(v), of)
    return lambda v: None if v is None else show(v)


def _precise(shown: str, of: Type) -> str:
    """Athena always shows three digits after the second, Trino as many as the type has."""
    if of.precision >= 3:
        return shown
    return re.sub(r"\.\d+", lambda m: m[0][: of.precision + 1] if of.precision else "", shown)


def _text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return java_double(key) if isinstance(key, float) else str(key)


def same_type(ours: str, theirs: str) -> bool:
    """Equal but for the lengths of varchar, which Athena's API does not show."""
    return _plain(ours) == _plain(theirs)


def _plain(of: str) -> str:
    return re.sub(r"varchar\(\d+\)", "varchar", of.replace('"', "").replace(" ", "").lower())


def same_value(ours: Any, theirs: Any) -> bool:
    """Equal; doubles up to the last digits, which depend on the order of additions and on the C library."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, float) or isinstance(theirs, float):
        try:
            return math.isclose(float(ours), float(theirs), rel_tol=1e-7, abs_tol=1e-15)
        except (TypeError, ValueError):
            return False
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same_value, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same_value(ours[k], theirs[k]) for k in ours)
    return bool(ours == theirs)
