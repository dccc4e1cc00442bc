"""Readers see a whole version, the old one or the new one, wherever a publish ends and whoever else publishes."""

from collections.abc import Callable, Mapping

import pytest

from dashboards.site import pointer
from dashboards.site.places import LATEST
from dashboards.site.pointer import DataSet, Latest, PointerError, Published, SheetName
from dashboards.site.publishing import MOST_TRIES, BusyError, forget_others, publish, read_latest
from tests.dashboards.site.world import Bucket


def version(name: str, read_at: int) -> Published:
    return Published("T", name, read_at, name, (SheetName("s", "S"),), {"d": DataSet(1, None, 60)})


def objects(name: str) -> dict[str, bytes]:
    return {f"data/t/{sheet}/{name}.json.gz": name.encode() for sheet in "ab"}


def shown(bucket: Bucket) -> str:
    """The version that a reader finds; every object of it must be there."""
    latest = read_latest(bucket.objects.get(LATEST)).dashboards.get("t")
    if latest is None:
        return ""
    assert all(bucket.objects[key] == body for key, body in objects(latest.version).items())
    return latest.version


def put(bucket: Bucket, name: str, read_at: int, tell: Callable[[str, str], None] = lambda *_: None) -> bool:
    return publish(bucket, "t", version(name, read_at), objects(name), tell)


@pytest.mark.parametrize("ends_at", [1, 2, 3])
def test_a_publish_that_ends_at_any_write_leaves_the_old_version(ends_at: int) -> None:
    bucket = Bucket()
    assert put(bucket, "old", 1)
    told: list[str] = []
    bucket.ends_at = bucket.writes + ends_at
    with pytest.raises(KeyboardInterrupt):
        put(bucket, "new", 2, lambda _, name: told.append(name))
    assert (shown(bucket), told) == ("old", [])
    assert put(bucket, "new", 2, lambda _, name: told.append(name))
    assert (shown(bucket), told) == ("new", ["new"])


def test_a_publish_that_ends_before_its_word_leaves_the_new_version() -> None:
    def end(*_: str) -> None:
        raise KeyboardInterrupt

    bucket = Bucket()
    with pytest.raises(KeyboardInterrupt):
        put(bucket, "new", 1, end)
    assert shown(bucket) == "new"
    assert not put(bucket, "new", 1), "it is published already"


class _Overtaken(Bucket):
    """Another publish moves the pointer between the reading and the writing of this one."""

    def __init__(self, others: list[tuple[str, int]]) -> None:
        super().__init__()
        self.others = others

    def put(self, objects: Mapping[str, bytes]) -> None:
        super().put(objects)
        if self.others:
            put(self, *self.others.pop())


@pytest.mark.parametrize(("other", "wins"), [(1, "mine"), (3, "theirs")])
def test_of_two_publishes_at_once_the_newer_one_wins(other: int, wins: str) -> None:
    bucket = _Overtaken([("theirs", other)])
    assert put(bucket, "mine", 2) is (wins == "mine")
    assert shown(bucket) == wins


def test_publishes_of_two_dashboards_at_once_keep_both() -> None:
    bucket = Bucket()
    assert put(bucket, "mine", 1)
    assert publish(bucket, "other", version("theirs", 1), {}, lambda *_: None)
    assert set(read_latest(bucket.objects[LATEST]).dashboards) == {"t", "other"}


def test_a_pointer_that_never_rests_is_given_up() -> None:
    class Restless(Bucket):
        def latest(self) -> tuple[bytes | None, str]:
            return None, "always another"

    bucket = Restless()
    with pytest.raises(BusyError, match=str(MOST_TRIES)):
        put(bucket, "mine", 1)


def test_a_pointer_that_cannot_be_read_says_what_to_do() -> None:
    with pytest.raises(PointerError, match="penstock site publish"):
        pointer.read(b'{"dashboards": 1}')
    assert pointer.read(pointer.written(Latest({"t": version("a", 1)}))).dashboards["t"].version == "a"


def test_a_dashboard_that_is_declared_no_longer_leaves_the_pointer() -> None:
    bucket = Bucket()
    assert put(bucket, "a", 1)
    assert publish(bucket, "gone", version("b", 1), {}, lambda *_: None)
    for moves in (3, 3):
        forget_others(bucket, frozenset({"t"}))
        assert (shown(bucket), bucket.moves) == ("a", moves)
    assert set(read_latest(bucket.objects[LATEST]).dashboards) == {"t"}
