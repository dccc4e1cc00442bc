"""What may become of write keys: rules that `penstock keys` and `/v1/keys` share."""

from dataclasses import dataclass, field

import pytest

from producers.collector.keys import WriteKey, digest_of
from producers.contracts import HISTORY_SOURCES
from producers.keys.administration import Administration, KeysError, Limits, NoSuchKeyError
from tests.shop import WEB


@dataclass
class Held:
    """Keys in memory."""

    items: dict[str, WriteKey] = field(default_factory=dict)

    def put(self, digest: str, key: WriteKey, *, is_new: bool) -> bool:
        if (digest in self.items) == is_new:
            return False
        self.items[digest] = key
        return True

    def all(self) -> dict[str, WriteKey]:
        return self.items


def keys(held: Held, *chances: bytes) -> Administration:
    given = iter(chances)
    return Administration(
        held, {"web": WEB}, chance=lambda count: next(given) * count, now=lambda: "2026-11-24T10:00:00Z"
    )


def test_a_new_key_allows_what_was_asked_and_every_stream_where_none_was_named() -> None:
    held = Held()
    made = keys(held, b"a").create(Limits(source="pages", origins=("HTTPS://Shop.example",), daily=5))
    assert held.items == {
        digest_of(made.key): WriteKey(
            source="pages", streams=("web",), origins=("https://shop.example",), daily=5,
            created_at="2026-11-24T10:00:00Z",
        )
    }  # fmt: skip
    assert made.key_id == digest_of(made.key)[:12]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(source="a b"), "not a valid source"),
        (Limits(source=""), "not a valid source"),
        (Limits(source=min(HISTORY_SOURCES)), "kept for history"),
        (Limits(source="a", streams=("other",)), "No stream 'other' takes events over HTTP. There are: web"),
        (Limits(source="a", types=("other",)), "No event type 'other' is declared"),
        (Limits(source="a", origins=("shop.example",)), "not an origin"),
        (Limits(source="a", rate=-1), "rate is -1"),
        (Limits(source="a", daily=-1), "daily is -1"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(limits: Limits, said: str) -> None:
    held = Held()
    with pytest.raises(KeysError, match=said):
        keys(held, b"a").create(limits)
    assert held.items == {}


def test_bytes_that_were_not_random_make_no_second_key() -> None:
    held = Held()
    both = keys(held, b"a", b"a")
    both.create(Limits(source="one"))
    with pytest.raises(KeysError, match="exists already"):
        both.create(Limits(source="two"))
    assert [each.source for each in held.items.values()] == ["one"]


def test_a_rotated_key_allows_the_same_and_the_old_one_ends_only_when_it_is_disabled() -> None:
    held = Held()
    mine = keys(held, b"a", b"b")
    old = mine.create(Limits(source="pages", types=("page_viewed",)))
    new = mine.rotate(old.key_id)
    assert [each.disabled for each in held.items.values()] == [False, False]
    assert mine.disable(old.key_id) == old.key_id
    assert {each["key_id"]: each.get("disabled", False) for each in mine.listed()} == {
        old.key_id: True, new.key_id: False,
    }  # fmt: skip
    assert held.items[digest_of(new.key)].types == ("page_viewed",)


@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, 11), slice(1, None), slice(None, None, -1)])
def test_an_id_that_names_no_key_changes_nothing(cut: slice) -> None:
    held = Held()
    mine = keys(held, b"a", b"b")
    key_id = mine.create(Limits(source="pages")).key_id[cut]
    before = dict(held.items)
    for change in (mine.disable, mine.rotate):
        with pytest.raises(NoSuchKeyError, match="No key has the id"):
            change(key_id)
    assert held.items == before
