"""From a decoder's words to our reasons. The words are not API of msgspec, so a test holds each of them."""

import re
from functools import lru_cache

import msgspec

from transforms.gate.outcome import Failed, Reason

# Compiled on first use: a cold start meets no failure, most often.
_PLACE = r" - at `(?:key in )?(\$[^`]*)`$"
_BYTE = r"\(byte (\d+)\)"

_VALIDATION: tuple[tuple[str, Reason], ...] = (
    ("Object missing required field", "missing_field"),
    ("Object contains unknown field", "unknown_field"),
    ("Expected `datetime` with a timezone", "wrong_format"),
    ("Invalid RFC3339", "wrong_format"),
    ("Invalid enum value", "not_allowed"),
    ("Invalid value", "not_allowed"),
    ("Integer value out of range", "out_of_range"),
    ("Number out of range", "out_of_range"),
)
_CONSTRAINTS: tuple[tuple[str, Reason], ...] = (
    (r" of length ", "wrong_length"),
    (r" matching regex ", "wrong_format"),
    (r" (>=|<=|>|<) ", "out_of_range"),
)


def failed_by(error: Exception) -> Failed:
    """The reason, place and detail of an error that decoding or encoding one record raised."""
    if isinstance(error, msgspec.ValidationError):
        return _violation(str(error))
    text = str(error)
    if isinstance(error, UnicodeError) or "surrogate" in text or "UTF-8" in text:
        return Failed(
            "not_utf8", _byte(text), "The bytes are not UTF-8, or a text holds half of a surrogate pair."
        )
    if isinstance(error, msgspec.DecodeError):
        return Failed("not_json", _byte(text), text)
    if isinstance(error, RecursionError):
        return Failed("too_deep", "", "Arrays or objects are nested too deeply.")
    return Failed("internal", "", type(error).__name__)


@lru_cache(maxsize=1024)
def _violation(text: str) -> Failed:
    found = re.search(_PLACE, text)
    place = found[1] if found else "$"
    what = text[: found.start()] if found else text
    missing = re.search(r"missing required field `([^`]*)`", what)
    if missing:
        return Failed("missing_field", f"{place}.{missing[1]}", what)
    return Failed(_reason(what, place), place, what)


def _reason(what: str, place: str) -> Reason:
    if place == "$.event_type" and what.startswith("Invalid value"):
        return "unknown_type"
    if place == "$.schema_version" and what.startswith("Invalid enum value"):
        return "unknown_version"
    for beginning, reason in _VALIDATION:
        if what.startswith(beginning):
            return reason
    for inside, reason in _CONSTRAINTS:
        if re.search(inside, what):
            return reason
    return "wrong_type"


def _byte(text: str) -> str:
    found = re.search(_BYTE, text)
    return f"byte {found[1]}" if found else ""
