"""Objects lie where MiniStack would put them, whatever lies there already."""

from pathlib import Path

import pytest
from ministack.services import s3

from infra.local.ministack.disk_paths import DiskPaths

KEYS = [
    "t/event_hour=2013-01-01-05/import-1.pq",
    "t/event_hour=2013-01-01-05/import-2.pq",
    "t/event_hour=2013-01-01-06/a b+ü%20.pq",
    "t",
    "new/folder/of/keys",
    "file",
    "file/below",
    "folder",
    "folder/kept",
    "only-meta",
    "trailing/",
    "double//slash",
    "up/../../../etc/passwd",
    "/absolute",
    "./here",
    "x.meta.json",
    "x.tmp",
    "long/" + "k" * 300,
    s3._ENCODED_KEYS_DIR + "/x",
    "",
]


@pytest.mark.parametrize("encoded", [False, True], ids=["plain keys only", "keys that no path holds"])
def test_every_key_has_the_place_that_ministack_gives_it(tmp_path: Path, encoded: bool) -> None:
    base = tmp_path / "bucket"
    for name in ("t/event_hour=2013-01-01-05/import-1.pq", "file", "folder/kept", "only-meta.meta.json"):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).touch()
    if encoded:
        for key in ("trailing/", "file/below", "new/folder/of/keys"):
            place = base / s3._ENCODED_KEYS_DIR / s3._encoded_key_name(key)
            place.parent.mkdir(exist_ok=True)
            place.touch()
    paths = DiskPaths(s3)
    for key in KEYS:
        expected = s3._key_disk_path(str(base), key)
        assert paths.path(str(base), key) == expected, key
        other = s3._other_key_disk_path(str(base), key, expected)
        given = paths.other(str(base), key, str(expected))
        assert given == other or (given is None and not Path(str(other)).exists()), key
