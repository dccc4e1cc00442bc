"""The copies of objects that queries read."""

import os
from collections.abc import Callable
from pathlib import Path

from infra.local.athena.objects import ObjectCache


def _bytes(count: int) -> Callable[[Path], None]:
    def make(target: Path) -> None:
        target.write_bytes(b"x" * count)

    return make


def test_copies_take_no_more_than_their_limit_and_the_least_recently_read_go_first(tmp_path: Path) -> None:
    folder, query = tmp_path / "cache", tmp_path / "query"
    query.mkdir()
    cache = ObjectCache(folder, 250)
    for age, name in ((30, "a"), (20, "b")):
        cache.link_all([(name, _bytes(100), query / name)])
        os.utime(folder / name, (1e9 - age,) * 2)
    cache.link_all([("a", _bytes(0), query / "a again")])
    assert {each.name for each in folder.iterdir()} == {"a", "b"}
    cache.link_all([("c", _bytes(100), query / "c")])
    assert {each.name for each in folder.iterdir()} == {"a", "c"}
    assert (query / "b").read_bytes() == b"x" * 100, "the running query has lost what it reads"
