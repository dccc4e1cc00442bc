"""The port to what the lake holds: its objects by hour."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from queries.ledger.state import Input


class Listed(NamedTuple):
    """One object of a lake hour, as a listing shows it; `modified` is in epoch milliseconds."""

    hour: str
    key: str
    tag: str
    bytes: int
    modified: int


class LakeIndex(Protocol):
    """Lists lake tables; the listing is strongly consistent."""

    def hours(self, table: str, first: str = "", last: str = "9999") -> Mapping[str, Input]:
        """Every hour from `first` to `last` (inclusive) of the table that has objects, and what it has."""
        ...

    def objects(self, table: str, first: str, last: str) -> Mapping[str, Sequence[Listed]]:
        """The objects of these hours, in order of key; also empty ones."""
        ...

    def columns(self, objects: Iterable[Listed]) -> Mapping[str, Sequence[str] | str]:
        """By key, the columns of a Parquet file; a text that says what is wrong when it is none."""
        ...


def summarize(objects: Iterable[Listed]) -> Input:
    """What an hour holds, from its objects in order of key; the digest is of names, contents and sizes."""
    digest, count, size, newest = sha256(), 0, 0, 0
    for one in objects:
        if one.bytes:
            digest.update(f"{one.key}|{one.tag}|{one.bytes}\n".encode())
            count, size, newest = count + 1, size + one.bytes, max(newest, one.modified)
    return Input(objects=count, bytes=size, newest=newest, digest=digest.hexdigest()[:20])
