"""Files of runs that are kept between drawings: fetched once, and not for ever."""

import pytest

from infra.site.function.published import KeptFiles


class Fetched:
    """Counts what is asked for. Each run has two files of 50 bytes."""

    def __init__(self) -> None:
        self.prefixes: list[str] = []

    def __call__(self, prefix: str) -> list[bytes]:
        self.prefixes.append(prefix)
        return [prefix.encode().ljust(50), b"x" * 50]


def test_a_runs_files_are_fetched_once() -> None:
    kept, fetched = KeptFiles(), Fetched()
    for _ in range(3):
        assert kept.of("run=1/", fetched)[0].startswith(b"run=1/")
    assert kept.of("run=2/", fetched)[0].startswith(b"run=2/")
    assert fetched.prefixes == ["run=1/", "run=2/"]


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    kept, fetched = KeptFiles(most=250), Fetched()
    for prefix in ("a", "b", "a", "c", "a", "b"):
        kept.of(prefix, fetched)
    assert fetched.prefixes == ["a", "b", "c", "b"]


def test_more_than_fits_is_given_and_not_kept() -> None:
    kept, fetched = KeptFiles(most=99), Fetched()
    assert len(kept.of("a", fetched)) == len(kept.of("a", fetched)) == 2
    assert fetched.prefixes == ["a", "a"]


def test_what_turned_out_to_be_incomplete_is_fetched_again() -> None:
    kept, fetched = KeptFiles(), Fetched()
    kept.of("a", fetched)
    kept.forget("a")
    kept.forget("never here")
    kept.of("a", fetched)
    assert fetched.prefixes == ["a", "a"]


def test_a_run_that_cannot_be_fetched_is_tried_again() -> None:
    def broken(_: str) -> list[bytes]:
        raise ConnectionError

    kept, fetched = KeptFiles(), Fetched()
    with pytest.raises(ConnectionError):
        kept.of("a", broken)
    assert len(kept.of("a", fetched)) == 2
