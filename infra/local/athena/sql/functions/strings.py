"""String and binary functions. Sources: Trino documentation, "String functions", "Binary functions"."""

import binascii
import re
import unicodedata
import zlib
from urllib.parse import quote_plus, unquote_plus

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.casts import coerce, fail
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call, Rule
from infra.local.athena.sql.operators import concat
from infra.local.athena.sql.scope import Origin, Typed
from infra.local.athena.sql.tree import Sql, build, join
from infra.local.athena.sql.types import VARCHAR, Type

_ISSPACE = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"

_UPPER = "replace(upper(replace({0}, 'ß', chr(57344))), chr(57344), 'ß')"
"""Sharp s has no upper case in Java."""

FUNCTIONS.many(
    {
        "chr(bigint) varchar": "chr(CAST({0} AS INTEGER))",
        "length(varchar) bigint": "length({0})",
        "length(varbinary) bigint": "octet_length({0})",
        "lower(varchar) varchar": "lower({0})",
        "upper(varchar) varchar": _UPPER,
        "ltrim(varchar) varchar": f"ltrim({{0}}, {_ISSPACE})",
        "rtrim(varchar) varchar": f"rtrim({{0}}, {_ISSPACE})",
        "trim(varchar) varchar": f"trim({{0}}, {_ISSPACE})",
        "ltrim(varchar, varchar) varchar": "ltrim({0}, {1})",
        "rtrim(varchar, varchar) varchar": "rtrim({0}, {1})",
        "trim(varchar, varchar) varchar": "trim({0}, {1})",
        "replace(varchar, varchar) varchar": "replace({0}, {1}, '')",
        "starts_with(varchar, varchar) boolean": "starts_with({0}, {1})",
        "strpos(varchar, varchar) bigint": "CAST(strpos({0}, {1}) AS BIGINT)",
        "to_utf8(varchar) varbinary": "encode({0})",
        "to_base64(varbinary) varchar": "to_base64({0})",
        "md5(varbinary) varbinary": "unhex(md5({0}))",
        "sha1(varbinary) varbinary": "unhex(sha1({0}))",
        "sha256(varbinary) varbinary": "unhex(sha256({0}))",
        "to_hex(varbinary) varchar": "hex({0})",
    }
)


def _join(call: Call) -> Typed:
    made = call.args[0]
    for other in call.args[1:]:
        made = concat(made, other)
    return Typed(made.sql, made.type, made.refs)


FUNCTIONS.add("concat(any, any*) any", _join)


_LARGEST = 2**31 - 1


def _substr(call: Call) -> Typed:
    """Counts from 1, from the end when negative; 0 and positions outside give an empty string."""
    value, start = call.args[0].sql, call.args[1].sql
    nulls = join(" OR ", (build("{} IS NULL", sql) for sql in call.sqls))
    start = build(
        "greatest(least({}, {}), {})", start, _LARGEST, -_LARGEST
    )  # beyond DuckDB's there is no text
    first = build("CASE WHEN {} < 0 THEN length({}) + {} + 1 ELSE {} END", start, value, start, start)
    length = build(", least(greatest({}, 0), {})", call.args[2].sql, _LARGEST) if len(call.args) == 3 else ""
    origin = None
    numbers = [arg.literal for arg in call.args[1:]]
    if numbers and numbers[0] == 1 and call.args[0].origin is not None and not call.args[0].origin.prefix:
        origin = Origin(call.args[0].origin.ref, prefix=len(call.args) == 3)
    if isinstance(numbers[0], int) and numbers[0] > 0:
        found = build("substr({}, {}{})", value, start, length)
        if len(call.args) == 3 and numbers[1] is None:
            found = build("(CASE WHEN {} THEN NULL ELSE {} END)", nulls, found)
        return Typed(found, VARCHAR, origin=origin)
    sql = build("CASE WHEN {} < 1 THEN '' ELSE substr({}, {}{}) END", first, value, first, length)
    return Typed(build("(CASE WHEN {} THEN NULL ELSE {} END)", nulls, sql), VARCHAR)


for _name in ("substr", "substring"):
    FUNCTIONS.add(f"{_name}(varchar, bigint) varchar", _substr)
    FUNCTIONS.add(f"{_name}(varchar, bigint, bigint) varchar", _substr)


def _reversed(text: str) -> str:
    return text[::-1]


def _replace(text: str, search: str, new: str) -> str:
    return text.replace(search, new)


def _pad(left: bool) -> None:
    def pad(text: str, size: int, fill: str) -> str:
        if not fill:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", "Padding string must not be empty")
        if not 0 <= size <= 2**31 - 1:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", "Target length must be in the range [0..2147483647]"
            )
        missing = size - len(text)
        filler = (fill * (missing // len(fill) + 1))[:missing] if missing > 0 else ""
        return (filler + text if left else text + filler)[:size]

    FUNCTIONS.python(f"{'lpad' if left else 'rpad'}(varchar, bigint, varchar) varchar", pad)


_pad(left=True)
_pad(left=False)


def _split(text: str, delimiter: str, limit: int | None = None) -> list[str]:
    if not delimiter:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "The delimiter may not be the empty string")
    if limit is not None and limit < 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Limit must be positive")
    return text.split(delimiter) if limit is None else text.split(delimiter, limit - 1)


def _split_part(text: str, delimiter: str, index: int) -> str | None:
    if index < 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Index must be greater than zero")
    if not delimiter:
        return text[index - 1] if index <= len(text) else None
    parts = text.split(delimiter)
    return parts[index - 1] if index <= len(parts) else None


def _split_to_map(text: str, entry: str, pair: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _split(text, entry) if text else []:
        pieces = part.split(pair)
        if len(pieces) != 2:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT",
                f"Key-value delimiter must appear exactly once in each entry. Bad input: '{part}'",
            )
        if pieces[0] in found:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Duplicate keys ({pieces[0]}) are not allowed")
        found[pieces[0]] = pieces[1]
    return found


def _strpos(text: str, part: str, instance: int) -> int:
    if instance == 0:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "'instance' must not be zero")
    if not part:
        return 1
    at = -1 if instance > 0 else len(text)
    for _ in range(abs(instance)):
        at = text.find(part, at + 1) if instance > 0 else text.rfind(part, 0, max(at - 1 + len(part), 0))
        if at < 0:
            return 0
    return at + 1


def _levenshtein(a: str, b: str) -> int:
    """Of code points; DuckDB's counts bytes."""
    above = list(range(len(b) + 1))
    for row, left in enumerate(a, start=1):
        here = [row]
        for column, upper in enumerate(b, start=1):
            here.append(min(here[-1] + 1, above[column] + 1, above[column - 1] + (left != upper)))
        above = here
    return above[-1]


def _hamming(a: str, b: str) -> int:
    if len(a) != len(b):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT",
            "The input strings to hamming_distance function must have the same length",
        )
    return sum(x != y for x, y in zip(a, b, strict=True))


def _translate(text: str, old: str, new: str) -> str:
    table: dict[int, str | None] = {}
    for index, character in enumerate(old):
        table.setdefault(ord(character), new[index] if index < len(new) else None)
    return text.translate(table)


def _of_char(template: str) -> Rule:
    """A char stays a char of its length."""
    return lambda call: (build(template, call.sqls[0]), call.args[0].type)


def _reversed_char(_: Call) -> tuple[Sql, Type]:
    raise refused("reverse of a char", "Cast it to varchar.")


def _codepoint(text: str) -> int:
    if len(text) != 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Input string must be a single character string")
    return ord(text)


FUNCTIONS.python("reverse(varchar) varchar", _reversed)
FUNCTIONS.python("replace(varchar, varchar, varchar) varchar", _replace)
FUNCTIONS.python("split(varchar, varchar) array(varchar)", _split)
FUNCTIONS.python("split(varchar, varchar, bigint) array(varchar)", _split)
FUNCTIONS.add("split_part(varchar, varchar, bigint) varchar", "", python=_split_part)
FUNCTIONS.python("split_to_map(varchar, varchar, varchar) map(varchar, varchar)", _split_to_map)
FUNCTIONS.python("strpos(varchar, varchar, bigint) bigint", _strpos)
FUNCTIONS.python("levenshtein_distance(varchar, varchar) bigint", _levenshtein)
FUNCTIONS.python("hamming_distance(varchar, varchar) bigint", _hamming)
FUNCTIONS.python("translate(varchar, varchar, varchar) varchar", _translate)
FUNCTIONS.add("lower(char) any", _of_char("lower({0})"))
FUNCTIONS.add("upper(char) any", _of_char(_UPPER))
FUNCTIONS.add("reverse(char) any", _reversed_char)
FUNCTIONS.python("codepoint(varchar(1)) integer", _codepoint)
_LOOSE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


def _url_decode(text: str) -> str:
    if found := _LOOSE_PERCENT.search(text):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"Illegal hex characters in escape (%) pattern at {found.start()}"
        )
    return unquote_plus(text, errors="replace")


FUNCTIONS.python(
    "url_encode(varchar) varchar", lambda text: quote_plus(text, safe="*-._").replace("~", "%7E")
)
FUNCTIONS.python("url_decode(varchar) varchar", _url_decode)
FUNCTIONS.python("from_utf8(varbinary) varchar", lambda data: bytes(data).decode("utf-8", "replace"))
FUNCTIONS.python("crc32(varbinary) bigint", zlib.crc32)


def _from_hex(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError) as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "invalid hex text") from error


def _from_base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Input is not base64: {text}") from error


def _sha512(data: bytes) -> bytes:
    import hashlib

    return hashlib.sha512(data).digest()


FUNCTIONS.python("from_hex(varchar) varbinary", _from_hex)
FUNCTIONS.python("from_base64(varchar) varbinary", _from_base64)
FUNCTIONS.python("sha512(varbinary) varbinary", _sha512)


def _normalize(call: Call) -> tuple[Sql, Type]:
    from infra.local.athena.sql.functions.registry import Udf

    udf = Udf("t_normalize_nfc", lambda text: unicodedata.normalize("NFC", text), (VARCHAR,), VARCHAR)
    return build("{}({})", call.session.use(udf), call.sqls[0]), VARCHAR


FUNCTIONS.add("normalize(varchar) varchar", _normalize)


def _concat_ws(call: Call) -> tuple[Sql, Type]:
    """NULLs are left out; a NULL separator gives NULL."""
    if len(call.args) == 2 and call.args[1].type.name == "array":
        parts = coerce(call.args[1], Type("array", of=(VARCHAR,))).sql
    elif all(arg.type.is_text or arg.type.name == "unknown" for arg in call.args):
        parts = build("[{}]", join(", ", (coerce(arg, VARCHAR).sql for arg in call.args[1:])))
    else:
        raise refused("concat_ws of these types", "Cast them to varchar.")
    kept = build("list_filter({}, lambda e: e IS NOT NULL)", parts)
    return (
        build(
            "CASE WHEN {} IS NULL THEN NULL ELSE coalesce(array_to_string({}, {}), '') END",
            call.sqls[0],
            kept,
            call.sqls[0],
        ),
        VARCHAR,
    )


FUNCTIONS.add("concat_ws(varchar, any*) varchar", _concat_ws)


def _fail(call: Call) -> tuple[Sql, Type]:
    return fail("GENERIC_USER_ERROR", call.sqls[0], build("INTEGER")), Type("unknown")


FUNCTIONS.add("fail(varchar) unknown", _fail)
FUNCTIONS.refuse(
    "Compute it outside the query, or choose another hash.",
    "xxhash64 murmur3 spooky_hash_v2_32 spooky_hash_v2_64 hmac_md5 hmac_sha1 hmac_sha256 "
    "hmac_sha512 from_base64url to_base64url from_base32 to_base32 to_big_endian_64 "
    "from_big_endian_64 to_big_endian_32 from_big_endian_32 to_ieee754_32 to_ieee754_64 "
    "from_ieee754_32 from_ieee754_64 word_stem luhn_check split_to_multimap soundex",
)
