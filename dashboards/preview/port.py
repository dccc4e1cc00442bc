"""The port to whoever makes receipts of reports' numbers: the ledger and the lake are not the preview's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from queries.contracts import Report


class Answer(Protocol):
    """A page, its HTTP status, and the Content-Security-Policy that it needs."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def policy(self) -> str: ...


class Receipts(Protocol):
    """Makes receipts of reports' numbers. Called from worker threads."""

    @property
    def reports(self) -> Mapping[str, Report]:
        """The reports whose numbers have receipts."""
        ...

    def receipt(self, pairs: Iterable[tuple[str, str]]) -> Answer:
        """The receipt of the number that an address names."""
        ...

    def address(self, report: str, cell: Mapping[str, Any]) -> str:
        """The address that names a cell; what is behind a `?`."""
        ...

    def cells(
        self, title: str, value: str, report: str, cells: Sequence[Mapping[str, Any]], total: int
    ) -> Answer:
        """A page that lists cells, each with a link to its receipt."""
        ...

    def refused(self, status: int, message: str) -> Answer:
        """A page that says why there is no receipt."""
        ...
