"""Names of the lake objects of an import: an object is named for what its events say, so the same events get
the same name, whichever file they came from and in whatever order.
"""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice

from transforms.contracts import EVENT_HOUR, FAILED_PREFIX, IMPORTED_SUFFIX, LakeTable

_PREFIX, _REPLACED = "import-", "_replaced-"
_AT_ONCE = 1_000
"""Contents that are put together before they are digested: a call costs as much as a hundred bytes."""
PROCESSING_FAILED = f"{FAILED_PREFIX}processing-failed/"


def hour_prefix(table: LakeTable, hour: str) -> str:
    """Where the objects of an hour lie."""
    return f"{table.prefix}{EVENT_HOUR}={hour}/"


def object_key(table: LakeTable, hour: str, digest: str) -> str:
    """The key of the object with these events."""
    return f"{hour_prefix(table, hour)}{_PREFIX}{digest}{IMPORTED_SUFFIX}"


def replaced_key(key: str) -> str:
    """The note beside an object that its rows are no more what it is named for. Readers do not see it."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{_REPLACED}{name}"


def is_replaced(key: str) -> bool:
    """Whether this is such a note."""
    return key.rpartition("/")[2].startswith(_REPLACED)


def failed_key(day: str, digest: str) -> str:
    """The key of the error object with these failed records, which arrived on this day."""
    return f"{PROCESSING_FAILED}dt={day}/{_PREFIX}{digest}"


def digest_of(contents: Iterable[bytes]) -> str:
    """What the object with these events, in order, is named for."""
    digest = blake2b(digest_size=16)
    left = iter(contents)
    while some := [*islice(left, _AT_ONCE)]:
        digest.update(b"".join([b"%b%b" % (len(content).to_bytes(4, "big"), content) for content in some]))
    return digest.hexdigest()
