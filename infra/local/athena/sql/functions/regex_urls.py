"""Regular expressions and URLs. Sources: Trino documentation, "Regular expression functions", "URL functions"."""

import re
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.functions.registry import FUNCTIONS

_POSSESSIVE = re.compile(r"[*+?}]\+|\(\?>|\\[pPhHRXGkKZzQE]|\[\[|&&|\(\?[<(]?[a-z-]*-|(?<!^)\(\?[a-z]+\)")


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    """Java's pattern as Python's, where both mean the same. Raises QueryError for what Python reads differently."""
    if _POSSESSIVE.search(pattern):
        raise refused(
            f"The regular expression '{pattern}'",
            "Avoid possessive quantifiers, \\p{..}, \\Q..\\E, [a&&b], and flags that are not at its start.",
        )
    try:
        # \d, \w and \s know ASCII only in Java, and $ does not match before every final line break alike.
        return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), re.ASCII)
    except re.error as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid pattern '{pattern}': {error}") from error


def _group(match: re.Match[str], group: int) -> str | None:
    if not 0 <= group <= (match.re.groups):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"Pattern has {match.re.groups} groups. Cannot access group {group}"
        )
    found = match.group(group)
    return None if found is None else str(found)


def _check_group(pattern: re.Pattern[str], group: int) -> None:
    if not 0 <= group <= pattern.groups:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"Pattern has {pattern.groups} groups. Cannot access group {group}"
        )


def _like(text: str, pattern: str) -> bool:
    return _pattern(pattern).search(text) is not None


def _extract(text: str, pattern: str, group: int = 0) -> str | None:
    compiled = _pattern(pattern)
    _check_group(compiled, group)
    match = compiled.search(text)
    return _group(match, group) if match else None


def _extract_all(text: str, pattern: str, group: int = 0) -> list[str | None]:
    compiled = _pattern(pattern)
    _check_group(compiled, group)
    return [_group(match, group) for match in compiled.finditer(text)]


def _replacement(pattern: re.Pattern[str], template: str) -> list[str | int]:
    """Literal parts and group numbers of `$1`, `${name}`, `\\$`."""
    parts: list[str | int] = []
    at = 0
    while at < len(template):
        if template[at] == "\\" and at + 1 < len(template):
            parts.append(template[at + 1])
            at += 2
        elif template[at] == "$" and (match := re.compile(r"\$(\d)|\$\{(\w+)\}").match(template, at)):
            name = match[1] or match[2]
            group = int(name) if name.isdigit() else pattern.groupindex.get(name, -1)
            if not 0 <= group <= pattern.groups:
                raise QueryError(
                    "INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {{ {name} }}"
                )
            parts.append(group)
            at = match.end()
        elif template[at] == "$":
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: {template}")
        else:
            parts.append(template[at])
            at += 1
    return parts


def _replace(text: str, pattern: str, template: str = "") -> str:
    compiled = _pattern(pattern)
    if compiled.search(text) is None:  # Java reads the template when it has something to replace
        return text
    parts = _replacement(compiled, template)
    return compiled.sub(
        lambda m: "".join(p if isinstance(p, str) else (m.group(p) or "") for p in parts), text
    )


def _split(text: str, pattern: str) -> list[str]:
    compiled, parts, at = _pattern(pattern), [], 0
    for match in compiled.finditer(text):
        parts.append(text[at : match.start()])
        at = match.end()
    return [*parts, text[at:]]


def _position(text: str, pattern: str, start: int = 1, occurrence: int = 1) -> int:
    if start < 1 or occurrence < 1:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "start position and occurrence cannot be smaller than 1"
        )
    for number, match in enumerate(_pattern(pattern).finditer(text, start - 1), start=1):
        if number == occurrence:
            return match.start() + 1
    return -1


FUNCTIONS.python("regexp_like(varchar, varchar) boolean", _like)
FUNCTIONS.python("regexp_extract(varchar, varchar) varchar", _extract)
FUNCTIONS.python("regexp_extract(varchar, varchar, bigint) varchar", _extract)
FUNCTIONS.python("regexp_extract_all(varchar, varchar) array(varchar)", _extract_all)
FUNCTIONS.python("regexp_extract_all(varchar, varchar, bigint) array(varchar)", _extract_all)
FUNCTIONS.python("regexp_replace(varchar, varchar) varchar", _replace)
FUNCTIONS.python("regexp_replace(varchar, varchar, varchar) varchar", _replace)
FUNCTIONS.python("regexp_split(varchar, varchar) array(varchar)", _split)
FUNCTIONS.python(
    "regexp_count(varchar, varchar) bigint", lambda t, p: sum(1 for _ in _pattern(p).finditer(t))
)
FUNCTIONS.python("regexp_position(varchar, varchar) integer", _position)
FUNCTIONS.python("regexp_position(varchar, varchar, integer) integer", _position)
FUNCTIONS.python("regexp_position(varchar, varchar, integer, integer) integer", _position)

# java.net.URI refuses these where Python splits on regardless.
_NOT_A_URI = re.compile(r'[\s"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})')

_NO_SCHEME = re.compile(r"(?![A-Za-z][A-Za-z0-9+.-]*:)[^/?#:]*:")


def _parts(url: str) -> tuple[str, str, str, str, str] | None:
    if _NOT_A_URI.search(url) or _NO_SCHEME.match(url):
        return None
    try:
        found = urlsplit(url, allow_fragments=True)
        _ = found.port
    except ValueError:
        return None
    return found.scheme, found.netloc, found.path, found.query, found.fragment


def _component(index: int) -> None:
    name = ("protocol", "", "path", "query", "fragment")[index]

    def component(url: str) -> str | None:
        parts = _parts(url)
        if parts is None:
            return None
        value = parts[index]
        return unquote_plus(value.replace("+", "%2B")) if index in (2, 3, 4) else value

    FUNCTIONS.python(f"url_extract_{name}(varchar) varchar", component)


for _index in (0, 2, 3, 4):
    _component(_index)


def _host(url: str) -> str | None:
    parts = _parts(url)
    if parts is None:
        return None
    host = parts[1].rpartition("@")[2]
    return re.sub(r":\d*$", "", host)


def _port(url: str) -> int | None:
    parts = _parts(url)
    match = re.search(r":(\d+)$", parts[1]) if parts else None
    return int(match[1]) if match else None


def _parameter(url: str, name: str) -> str | None:
    parts = _parts(url)
    for pair in (parts[3] if parts else "").split("&"):
        key, _, value = pair.partition("=")
        if unquote_plus(key) == name and pair:
            return unquote_plus(value)
    return None


FUNCTIONS.python("url_extract_host(varchar) varchar", _host)
FUNCTIONS.python("url_extract_port(varchar) bigint", _port)
FUNCTIONS.python("url_extract_parameter(varchar, varchar) varchar", _parameter)
