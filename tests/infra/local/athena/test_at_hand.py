"""Objects that are read from the disk instead of S3."""

from hashlib import md5
from pathlib import Path

import pytest

from infra.local.athena.at_hand import MOST_BYTES, AtHand
from infra.local.athena.objects import StoredObject

KEY = "t/event_hour=2013-01-01-05/import-1.pq"


def _stored(body: bytes, key: str = KEY) -> StoredObject:
    return StoredObject("lake", key, md5(body).hexdigest(), len(body))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "buckets" / "lake" / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"as listed")
    return tmp_path / "buckets"


def test_an_object_whose_file_is_what_was_listed_is_read_from_the_disk(folder: Path) -> None:
    assert AtHand(folder)(_stored(b"as listed")) == b"as listed"


@pytest.mark.parametrize(
    "stored",
    [
        _stored(b"as l1sted"),
        _stored(b"longer than it is"),
        _stored(b"as listed", "t/event_hour=2013-01-01-05/missing.pq"),
        _stored(b"as listed", "t/event_hour=2013-01-01-05"),
        _stored(b"as listed", "t/\0"),
        _stored(b"as listed", f"../lake/{KEY}"),
        _stored(b"", "/dev/null"),
        StoredObject("lake", KEY, f"{md5(b'as listed').hexdigest()}-2", 9),
        StoredObject("lake", KEY, md5(b"as listed").hexdigest(), MOST_BYTES + 1),
    ],
    ids=[
        "replaced since",
        "another length",
        "not there",
        "a folder",
        "no path",
        "out of its bucket",
        "a device of this machine",
        "put in parts",
        "large",
    ],
)
def test_what_cannot_be_told_to_be_the_object_is_fetched(folder: Path, stored: StoredObject) -> None:
    assert AtHand(folder)(stored) is None
