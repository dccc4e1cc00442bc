"""The documents that outlive the server."""

from pathlib import Path

from infra.local.athena.store import Store


def test_the_oldest_of_a_kind_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "athena.sqlite")
    for number in range(10):
        store.put("execution", f"group-{number % 2}", str(number), {"number": number})
    store.put("named query", "group-0", "kept", {})
    store.put("execution", "group-0", "0", {"number": 0, "state": "changed in its place"})
    store.trim("execution", 10)
    assert len(list(store.all("execution"))) == 10
    store.trim("execution", 4)
    assert [each["number"] for each in store.all("execution")] == [6, 7, 8, 9]
    assert store.get("named query", "group-0", "kept") == {}
    store.close()
